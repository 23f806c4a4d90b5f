#!/bin/sh
# defends: lose.disk forge.drop forge.clock
# shellcheck disable=SC2012
# Room: the quota and the floor are kept, what goes first is what is stored, oldest first by name, and -N waits.
. "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/cam-spool/spool.sh
. "$top/tests/cam-spool/spool.sh"

if [ "$(id -u)" = 0 ]; then
	own_mounts cam-spool/room.t
fi
trap 'umount -l "$T/mnt" 2>/dev/null; tap_cleanup' EXIT
mkdir mnt in d
quota=2097152

# --- never more than the quota, at several rates, whatever else is there ---
for pace in 0 100 1000; do
	rm -rf d in && mkdir -p d/foreign/deeper in
	head -c 200000 /dev/zero >d/foreign/deeper/x
	head -c 100000 /dev/zero >"d/README"
	head -c 50000 /dev/zero >"d/0000000001-0000000000-20260101T000000Z-0123456789abcdef.part.damaged-1"
	n=$((pace == 1000 ? 25 : 150))
	fresh names said
	"$make_records" -n $n -r 40 -p $pace -w in | cam-spool -q 2M -f 0 d >names 2>said &
	pid=$!
	max=$(most d $pid)
	wait $pid
	is "pace $pace us: exit 0, all $n segments recorded" "$? $(grep -c 'cam$' names)" "0 $n"
	is "pace $pace us: never more than the quota ($max)" "$([ "$max" -le $quota ] && echo kept)" kept
	is "pace $pace us: and most of it is used" "$([ "$max" -ge $((quota * 8 / 10)) ] && echo used)" used
	is "pace $pace us: foreign files are as they were" "$(cat d/README d/*.damaged-1 d/foreign/deeper/x | wc -c)" 350000
	ls d/*.cam | sed 's,.*/,,; s/\.cam$//' >left
	stubs d/*.gone >stubbed
	is "pace $pace us: the newest are left, the others are stubs" "$(cat stubbed left)" "$(ls in | sed 's/\.cam$//')"
	is "pace $pace us: every removal is counted in what is said" \
		"$(awk '/NOT stored/ { n += $2 ~ /cam:$/ ? 1 : $2 } END { print n }' said)" "$(wc -l <stubbed | tr -d ' ')"
done
sed 's/$/.cam/' left >kept
ok "what is left is whole" names_equal kept d in
told "it says why" 'the quota is used up'

# --- a segment that is larger than all the room ---
rm -rf d in && mkdir d in
fresh names said
"$make_records" -n 3 -r 500 -m 5 -w in | cam-spool -q 1M -f 0 d >names 2>said &
pid=$!
max=$(most d $pid)
wait $pid
is "segments larger than the quota: exit 0, and it is kept" "$? $([ "$max" -le 1048576 ] && echo kept)" "0 kept"
told "the rest of each is lost, which is said" 'takes all the room there is: the rest of this segment is lost'
is "their beginnings were published" "$(grep -c 'cam$' names)" 3
stubs d/*.gone >stubbed
is "and what had to go next left its stub" "$(sort -u stubbed - <<-E | tr -d '\n'
$(ls d | sed -n 's/\.cam$//p')
E
)" "$(ls in | sed 's/\.cam$//' | tr -d '\n')"

# --- order ---
old() { # EPOCH SEGMENT YEAR SUFFIX
	printf '%010d-%010d-%s0101T000000Z-0123456789abcdef.%s' "$1" "$2" "$3" "$4"
}
fill() { head -c 100000 /dev/urandom >"d/$(old "$@")"; }
rm -rf d in && mkdir d in
fill 1 0 2099 sent; fill 1 1 1970 cam; fill 1 2 2026 sent; fill 1 3 1970 sent; fill 2 0 1970 sent
fill 2 1 2099 cam; fill 2 2 2026 sent; fill 3 0 1971 sent; fill 3 1 2026 cam; fill 12 0 1970 sent
if strace -o /dev/null true 2>/dev/null; then
	ASAN_OPTIONS=detect_leaks=0 strace -f -e trace=unlinkat -o trace cam-spool -q 1M -f 0 d <<-E 2>said >names
	$("$make_records" -n 0)
	E
	"$make_records" -n 6 -e 20 -r 60 -w in >stream
	ASAN_OPTIONS=detect_leaks=0 strace -f -s 100 -e trace=unlinkat -o trace2 cam-spool -q 1M -f 0 d <stream >names 2>>said
	cat trace trace2 | grep -v ENOENT | sed -n 's/.*unlinkat([0-9]*, "\([^"]*\)".*/\1/p' | grep -v '^0000000020' >order
	{
		old 1 0 2099 sent; echo; old 1 2 2026 sent; echo; old 1 3 1970 sent; echo; old 2 0 1970 sent; echo
		old 2 2 2026 sent; echo; old 3 0 1971 sent; echo; old 12 0 1970 sent; echo
		old 1 1 1970 cam; echo; old 2 1 2099 cam; echo; old 3 1 2026 cam; echo
	} >want
	is "what is stored goes first, then what is not, each by epoch and segment, never by the clock" \
		"$(cat order)" "$(head -n "$(wc -l <order)" want)"
	ok "all kinds went" grep -q "$(old 1 1 1970 cam)" order
	told "what is no segment leaves no stub, and that is said" 'no stub: it does not begin with a valid header|without a stub'
fi

# what cam-reap marks meanwhile goes before what is not stored, however new it is
rm -rf d in && mkdir d in
mkfifo pipe
exec 8<>pipe
fresh names said ready
cam-spool -q 1M -f 0 -D 3 d <pipe >names 2>said 3>ready &
pid=$!
stop_at_end $pid
waits 60 test -s ready
"$make_records" -n 4 -r 60 -e 1 -w in >pipe
ok "four segments" waits 60 lines names 4
mark=$(sed -n 3p names)
mv "d/$mark" "d/${mark%.cam}.sent"
"$make_records" -n 5 -r 60 -e 2 -w in >pipe
waits 60 grep -q "^0000000002-0000000004" names
ok "one that was marked since is removed first" sh -c "grep -m 1 'to make room' said | grep -q '${mark%.cam}.sent: removed to make room'"
is "and then the oldest that is not stored" "$(grep 'NOT stored' said | head -n 1 | grep -oE '[0-9]{10}-[0-9]{10}' | head -n 1)" \
	0000000001-0000000000
kill -TERM $pid
wait $pid
exec 8>&-

# --- killed and started again in the middle ---
rm -rf d in && mkdir d in
exec 8<>pipe
: >names
"$make_records" -n 60 -r 40 -p 200 -w in >pipe &
records=$!
for i in 1 2 3 4; do
	cam-spool -q 1M -f 0 d <pipe >>names 2>>said2 &
	pid=$!
	sleep 0.4
	kill -KILL $pid
	wait $pid 2>/dev/null
	is "killed ($i): the quota is kept" "$([ "$(du -s -B1 d | cut -f 1)" -le 1048576 ] && echo kept)" kept
done
rm -f ready
fresh ready
cam-spool -D 3 -q 1M -f 0 d <pipe >>names 2>>said2 3>ready &
pid=$!
stop_at_end $pid $records
max=$(most d $records $pid)
wait $records
is "and afterwards" "$([ "$max" -le 1048576 ] && echo kept)" kept
ok "to the end" waits 60 grep -q 0000000001-0000000059 names
waits 60 test -s ready # all may have been recorded before it began; a signal must not come earlier than its handler
kill -TERM $pid
wait $pid
exec 8>&-
stubs d/*.gone >stubbed
{ sed 's/$/.cam/' stubbed; ls d; } >have
missing=0
grep 'cam$' names | sort -u >printed
while read -r n; do grep -qx "$n" have || missing=$((missing + 1)); done <printed
is "every segment that was printed is there, or a stub" $missing 0

# --- -N ---
rm -rf d in && mkdir d in
"$make_records" -n 20 -r 40 -w in >stream
exec 8<>pipe
cat stream >pipe &
writer=$!
fresh names said
cam-spool -N -q 1M -f 0 d <pipe >names 2>said &
pid=$!
stop_at_end $pid $writer
ok "-N: input waits when nothing is stored" waits 60 grep -q 'no room: the quota is used up, .*input waits' said
sleep 1.5
is "nothing is removed" "$(grep -c 'removed to make room' said)" 0
before=$(wc -l <names)
ok "-N: the writer is held back" lives $writer
is "it says so once" "$(grep -c 'input waits' said)" 1
cp names first
ok "what is there is whole" names_equal first d in
for f in $(head -n 3 names); do echo "$f"; done | cam-reap d
ok "once some is marked as stored it goes on" waits 60 lines names $((before + 1))
none_stored() { [ "$(count d .sent)" = 0 ]; }
waits 60 none_stored
told "and says so" 'there is room again after'
is "three went, all of them stored" "$(ls d/*.sent 2>/dev/null | wc -l) $(grep -c 'NOT stored' said)" "0 0"
kill -TERM $pid
wait $pid
is "stopped while it waits: exit 0" $? 0
kill $writer 2>/dev/null
wait $writer 2>/dev/null
exec 8>&-
n=$(ls d/*.cam d/*.part | wc -l) # which is published
timeout 60 cam-spool -N -q 1M -f 0 d </dev/null >names 2>said
is "-N in a full spool without input: ends, and hints" "$? $(wc -l <names)" "0 $n"
: | timeout 60 cam-spool -N -q 1M -f 0 d >names 2>said
is "the same at the end of a pipe" $? 0

# the camera drops and counts; the spool loses nothing
if command -v cam-capture >/dev/null && command -v cam-seal >/dev/null && true; then
	rm -rf d && mkdir d
	cam-key -g -n me >/dev/null 2>&1
	cam-key -g -s door >/dev/null 2>&1
	fresh names said
	sh -c 'echo $$ >capture.pid; exec cam-capture -T -s 640x480 -b 8M' 2>capture.said | cam-seal -t 1 -i door.key -r me.pub 2>seal.said | cam-spool -N -q 3M -f 0 d >names 2>said &
	pid=$!
	stop_at_end $pid
	ok "a camera: input waits" waits 120 grep -q 'input waits' said
	ok "it is the camera that drops, and says so" waits 300 grep -qi 'drop' capture.said
	while read -r f; do echo "$f"; done <names | cam-reap d
	ok "it goes on" waits 60 grep -q 'there is room again' said
	kill -TERM "$(cat capture.pid)"
	for i in $(seq 500); do
		gone $pid && break
		cam-reap d <names 2>/dev/null
		sleep 0.2
	done
	wait $pid
	is "the camera stops, and so does the spool in time: exit 0" $? 0
	cam-open -j -s door.pub d >open.json 2>open.said
	ok "there is footage" grep -q '"frames"' open.json
	is "what was recorded is whole; access units are missing by the camera's own count only" \
		"$(grep -cE 'damaged|truncated|missing|skipped' open.json said)" "$(printf 'open.json:0\nsaid:0')"
fi

# --- the floor ---
if [ "$(id -u)" = 0 ] && mount -t tmpfs -o size=12m tmpfs mnt 2>/dev/null; then
	mkdir mnt/d
	rm -rf in && mkdir in
	fresh names said
	"$make_records" -n 150 -r 40 -p 100 -w in | cam-spool -f 4M mnt/d >names 2>said &
	pid=$!
	least=999999999
	over=0
	while [ $over = 0 ]; do
		if gone $pid; then over=1; fi
		now=$(($(stat -f -c '%a * %S' mnt)))
		[ $now -ge $least ] || least=$now
	done
	wait $pid
	is "the floor is kept ($least)" "$([ $least -ge 4194304 ] && echo kept)" kept
	is "and nothing else is left free" "$([ $least -le 4800000 ] && echo used)" used
	is "all were recorded" "$(grep -c 'cam$' names)" 150
	told "it says why" 'too little space is free'

	# a file that is removed and still open elsewhere frees nothing yet
	rm -rf mnt/d && mkdir mnt/d
	head -c 4000000 /dev/zero >"mnt/d/$(old 1 0 2026 sent)"
	for i in 1 2 3 4 5 6 7 8 9; do head -c 200000 /dev/zero >"mnt/d/$(old 1 $i 2026 sent)"; done
	exec 7<"mnt/d/$(old 1 0 2026 sent)"
	"$make_records" -n 10 -r 40 | cam-spool -f 6M mnt/d >names 2>said
	is "one that is being sent is removed, and no other for it" "$(count mnt/d .sent) $(grep -c 'cam$' names)" "9 10"
	"$make_records" -n 10 -r 40 -e 2 | cam-spool -f 6M mnt/d >names 2>said2
	free=$(($(stat -f -c '%a * %S' mnt)))
	exec 7<&-
	is "a new run knows nothing of it, but keeps the floor and removes no more than that ($free)" \
		"$([ $free -ge 6291456 ] && [ $free -lt 6900000 ] && echo kept)" kept

	# somebody else fills the disk
	rm -rf mnt/d && mkdir mnt/d
	head -c 9000000 /dev/zero >mnt/other
	"$make_records" -n 3 -r 20 | cam-spool -f 6M mnt/d >names 2>said
	is "a floor that cannot be kept does not stop the recording" "$(grep -c 'cam$' names)" 3
	told "but it is said" 'nothing is left to remove: recording goes on'
	umount mnt
	mount -t tmpfs -o size=12m tmpfs mnt
	mkdir mnt/d
	"$make_records" -n 100 -r 40 | cam-spool mnt/d >names 2>said
	free=$(($(stat -f -c '%a * %S' mnt)))
	is "the default floor is 5 % of a small disk" "$([ $free -ge $((12 * 1048576 / 20)) ] && [ $free -lt 1200000 ] && echo about)" about
	umount mnt

	# full for real, without floor: what is not stored goes, with a stub as soon as there is a byte for one
	mount -t tmpfs -o size=2m tmpfs mnt
	mkdir mnt/d
	"$make_records" -n 40 -r 40 | cam-spool -f 0 mnt/d >names 2>said
	is "a full disk: exit 0, and all were recorded" "$? $(grep -c 'cam$' names)" "0 40"
	told "it says why" 'the disk is full'
	umount mnt
	mount -t tmpfs -o size=8m,nr_inodes=8 tmpfs mnt
	mkdir mnt/d
	"$make_records" -n 20 -r 10 | cam-spool -f 0 mnt/d >names 2>said
	is "no inodes: the same" "$? $(grep -c 'cam$' names)" "0 20"
	umount mnt
fi

# --- wrong usage ---
for bad in "-q 1023k" "-q 0" "-q 3X" "-q -1" "-q" "-f 1.5G" "-f -1" "-q 2M -q 3M" "-N -N" "-l -q 2M" "-l -N" "-j -I 3" "-l -j" "-l -D 3" \
	"-S 99" "-S 60001" "-S 1s" "-S 100 -S 200" "-l -S 100"; do
	# shellcheck disable=SC2086
	exits 100 "wrong usage: $bad" cam-spool $bad d </dev/null
done
tap_done
