#!/bin/sh
# defends: lose.disk
# cam-spool when system calls fail: nothing is printed that is not durable, and everything is there afterwards.
. "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/cam-spool/spool.sh
. "$top/tests/cam-spool/spool.sh"

command -v strace >/dev/null || skip_all "no strace"
ASAN_OPTIONS=detect_leaks=0
export ASAN_OPTIONS
strace -o /dev/null true 2>/dev/null || skip_all "strace may not trace here"

mkdir in d
"$make_records" -n 3 -r 10 -m 4 -w in >stream
calls=openat,pwrite64,fdatasync,fsync,renameat,renameat2,write,unlinkat

# traced OPTIONS...: one run over the stream, with a new directory
traced() {
	rm -rf d && mkdir d
	# synced when a segment ends only, however long that takes
	timeout 60 strace -f -y -s 200 -e trace="$calls" "$@" -o trace cam-spool -S 60000 -N d <stream >names 2>said
}

traced
is "the order is: data, entry, rename, entry, name" \
	"$(awk '/fdatasync\(/ { s = s "D" } /fsync\(.*\/d>/ { s = s "F" } /renameat.*\.cam/ { s = s "R" }
	/write\(1<.*\.cam/ { s = s "N" } END { print s }' trace)" FDFRFNDFRFNDFRFN
ok "every name is durable when it is printed" durable trace
is "a name is one write" "$(grep -c 'write(1<' trace)" 3

# The checker itself must see a missing sync.
sed '/fdatasync/d' trace >lie
exits 1 "without the sync of the file it is noticed" durable lie
sed '/fsync(.*\/d>/d' trace >lie
exits 1 "without the sync of the directory it is noticed" durable lie

sed 's/fdatasync(.*= 0$/&/; /fdatasync(/{ s/) *= 0$/ <unfinished ...>/; p; s/.*//; }; /fdatasync resumed/d' trace | grep . >lie
exits 1 "a sync that has not ended is noticed" durable lie

# failing WHAT INJECTION
failing() {
	traced -e inject="$2"
	code=$?
	if grep -q INJECTED trace; then injected=yes; else injected=no; fi
	is "$1 fails: it happened, exit 0" "$injected $code" "yes 0"
	ok "$1 fails: all names came, and were durable" durable trace
	is "$1 fails: all is there" "$(ls d) $(sort -u names | wc -l)" "$(ls in) 3"
	ok "$1 fails: byte for byte" names_equal names d in
}

for err in EIO ENOSPC; do
	failing "first fdatasync ($err)" fdatasync:error=$err:when=1
	failing "fsync of the directory after the rename ($err)" fsync:error=$err:when=3
	failing "rename ($err)" renameat:error=$err:when=1
	failing "write ($err)" pwrite64:error=$err:when=4
done
failing "second and third fdatasync (EIO)" fdatasync:error=EIO:when=2..3
failing "fdatasync twice, and the rename of what was written again (EDQUOT)" renameat:error=EDQUOT:when=2 \
	-e inject=fdatasync:error=EIO:when=3..4
traced
nth=$(grep openat trace | grep -n O_EXCL | head -n 1 | cut -d : -f 1)
failing "create (ENOSPC)" "openat:error=ENOSPC:when=$nth..$((nth + 1))"
told "and says what it waits for" 'cannot be created, trying again every second: No space left'

traced -e inject=fdatasync:error=EIO:when=1
told "a failed sync is said" 'part: sync: Input/output error'
told "and so is what was done" 'part: written again to a new file'
is "the temporary file is gone" "$(count d .new)" 0

# a rewrite of what is on the disk only: an earlier run's part, whose first sync fails
rm -rf d in2 && mkdir d in2
"$make_records" -n 1 -r 60 -s 4 -w in2 >long
name=$(basename in2/*.cam .cam)
head -c 100000 long >"d/$name.part"
strace -o trace -e trace=fdatasync -e inject=fdatasync:error=EIO:when=1 cam-spool d <long >names 2>said
told "a recovered .part is written again when it does not sync" 'part: written again to a new file'
ok "and it is resumed, byte for byte" names_equal names d in2

# a .part that cannot be read back where it was written
rm -rf d && mkdir d
head -c 100000 long >"d/$name.part"
strace -o trace -e trace=pread64 -e inject=pread64:error=EIO:when=4..5 cam-spool d </dev/null >names 2>said
is "a .part that cannot be read in one place: exit 0, published" "$? $(cat names)" "0 $name.cam"
told "what is damaged is said" 'part: [0-9]+ damaged bytes inside'
told "it is written again" 'part: written again to a new file'
cmp -l "d/$name.cam" "in2/$name.cam" 2>/dev/null | awk '$2 != 0 { bad++ } { n++ } END { exit bad || n > 8192 }'
is "all but those pages is as it was" $? 0

# --- when it syncs ---

# paced INTERVAL REGEX COUNT PACE: records come, every fourth a mark, until so many lines of the trace match
paced() {
	rm -rf d trace && mkdir d
	exec 8<>pipe
	fresh names said trace
	strace -f -y -ttt -o trace -e trace=fdatasync,pwrite64,read,write cam-spool -S "$1" d <pipe >names 2>said 8>&- &
	pid=$!
	"$make_records" -n 1 -r 100000 -b 100 -m 3 -p "$4" -x >pipe 2>/dev/null 8>&- &
	records=$!
	stop_at_end $pid $records
	enough() { [ "$(grep -cE "$1" trace)" -ge "$2" ]; }
	waits 120 enough "$2" "$3"
	kill $records
	wait $records 2>/dev/null
}
paced_ends() {
	exec 8>&-
	wait $pid
}
# syncs SECONDS: how many were asked for, which is a write to the thread that makes them; how many of them came too soon,
# and how many with something else than a mark although input had not paused; at how many marks there was none although
# it was time and no other was under way. Times are those at which calls began.
syncs() {
	awk -v interval="$1" '
	!main { main = $1 }
	$1 != main { next }
	/ read.*, 8\) += 8$/ { busy = 0 }
	/ pwrite64\(/ { missed += due; if (ask) asked = $2; ask = 0; if (!last) asked = $2
		last = $2; mark = / 224, [0-9]+[ )]/; due = mark && !busy && last - asked > interval + .01 }
	/ write\([0-9]+<pipe:/ { n++; soon += n > 1 && $2 - before < interval - .01; odd += !mark && $2 - last < interval - .01
		before = last; ask = busy = 1; due = 0 }
	END { print n + 0, soon + 0, odd + 0, missed + 0 }' trace
}
mkfifo pipe
paced 1000 'fdatasync\(' 3 100000
told_syncs() { echo "# $1: syncs, too soon, not at a mark, missing: $2"; }
told_syncs "every second" "$(syncs 1)"
is "synced once a second, at marks only" "$(syncs 1 | cut -d ' ' -f 2-)" "0 0 0"
first=$(ls d/*.part)
"$make_records" -n 1 -r 2 -b 100 -x -s 9 >pipe
second_synced() {
	second=$(ls d/*.part) && [ "$second" != "$first" ] && awk -v f="${second#d/}" '
	index($0, f) && /pwrite64\(/ { n++; dirty = 1 } index($0, f) && /fdatasync\(/ { dirty = 0 }
	END { exit n < 3 || dirty }' trace
}
ok "what stands unsynced when nothing comes for a second is synced" waits 60 second_synced
paced_ends
paced 100 'fdatasync\(' 9 67000
told_syncs "-S 100" "$(syncs .1)"
is "-S 100: at each mark that is so far from the one before" "$(syncs .1 | cut -d ' ' -f 2-)" "0 0 0"
paced_ends
paced 60000 'pwrite64\(.* 224, ' 9 67000
is "-S 60000: not at all yet" "$(syncs 60)" "0 0 0 0"
paced_ends

# --- a slow disk: reading goes on while the thread syncs ---

# slow CALL: each takes 1 s; three segments of 0.7 s each come at an even pace
slow() {
	rm -rf d said names in3 && mkdir d in3
	"$make_records" -n 3 -r 30 -m 8 -p 20000 -w in3 >pipe &
	records=$!
	fresh said names trace
	strace -f -y -s 200 -ttt -e trace="$calls",tee -e inject="$1":delay_enter=1000000 -o trace cam-spool -N d <pipe 2>said >names &
	pid=$!
	stop_at_end $pid $records
	wait $pid
}
# between the beginning and the end of a call in another thread: how many records were written?
meanwhile() {
	awk -v call="$1" '
	index($0, call "(") && /<unfinished/ { who = $1; n = 0 }
	who && $1 != who && /pwrite64\(/ { n++ }
	$1 == who && index($0, "<... " call) { if (n > most) most = n; who = "" }
	END { print most + 0 }' trace
}
for call in fdatasync fsync renameat; do
	slow $call
	is "$call takes 1 s: exit 0, all three" "$? $(sort -u names | wc -l)" "0 3"
	n=$(meanwhile $call)
	ok "$call takes 1 s: records are written meanwhile ($n of 107)" test "$n" -ge 3
	sed 's/^\([0-9]* *\)[0-9.]* /\1/' trace >plain
	ok "$call takes 1 s: names are said when they are durable" durable plain
	is "$call takes 1 s: in the order of recording" "$(cat names)" "$(ls in3)"
	ok "$call takes 1 s: byte for byte" names_equal names d in3
done
# a failure that comes late
slow fdatasync:error=EIO:when=2
is "a slow failure: exit 0, all three, in order" "$? $(cat names)" "0 $(ls in3)"
told "it is said" 'part: sync: Input/output error'
told "written again, with what came meanwhile" 'part: written again to a new file'
ok "byte for byte" names_equal names d in3
sed 's/^\([0-9]* *\)[0-9.]* /\1/' trace >plain
ok "names are said when they are durable" durable plain

# a disk that never works: no name, no exit, ended by SIGTERM
rm -rf d said && mkdir d
fresh names said trace
strace -f -o trace -e trace=fdatasync -e inject=fdatasync:error=EIO cam-spool d <stream >names 2>said &
pid=$!
stop_at_end $pid
ok "a disk that never syncs: it says so" waits 60 grep -q 'cannot be synced, trying again' said
tries=$(grep -c fdatasync trace)
tries_more() { [ "$(grep -c fdatasync trace)" -ge $((tries + 4)) ]; }
ok "it tries again" waits 60 tries_more
is "no name is printed" "$(cat names)" ""
ok "nor does it exit" lives $pid
kill -TERM "$(pgrep -P $pid cam-spool)"
wait $pid
is "stopped: exit 111" $? 111
is "still no name" "$(cat names)" ""
cam-spool d <stream >names 2>said
is "after that, a run on a good disk has all three" "$(sort -u names | wc -l) $(ls d)" "3 $(ls in)"

# a crash at every step, while the pipe survives: nothing that went into it is lost
crashes=0 printed=0 killed=0
for call in fdatasync fsync renameat pwrite64 write tee read openat; do
	for when in 1 2 3 7; do
		rm -rf d names && mkdir d
		exec 8<>pipe
		cat stream >pipe 8>&- &
		cat=$!
		fresh names trace
		strace -f -o trace -e trace=$call -e inject=$call:signal=KILL:when=$when cam-spool -N d <pipe >names 2>/dev/null &
		pid=$!
		stop_at_end $pid $cat
		ended() { gone $pid || lines names 3; }
		waits 60 ended
		if child=$(pgrep -P $pid); then kill -KILL $child; else killed=$((killed + 1)); fi
		wait $pid 2>/dev/null
		[ ! -s names ] || names_equal names d in || printed=$((printed + 1))
		fresh said
		timeout 60 cam-spool d <pipe >names2 2>said 8>&- &
		pid=$!
		exec 8>&-
		wait $pid
		for f in d/*; do cmp -s "$f" "in/${f#d/}" || crashes=$((crashes + 1)); done
		[ "$(ls d)" = "$(ls in)" ] || crashes=$((crashes + 1))
	done
done
is "killed at any step ($killed times): printed names are whole" $printed 0
is "killed at any step: the next run completes the spool from the same pipe" $crashes 0
ok "most were killed" test $killed -ge 20

tap_done
