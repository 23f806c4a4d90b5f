#!/bin/sh
# shellcheck disable=SC2012
# cam-spool in pipes: what goes in is there, by name, whole; starts, ends, refusals.
. "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/cam-spool/spool.sh
. "$top/tests/cam-spool/spool.sh"

mkdir in d
"$make_records" -n 5 -r 30 -w in >stream
cam-spool d <stream >names 2>err
is "five segments: five names" "$(wc -l <names)" 5
ok "each name is a file with the bytes that went in" names_equal names d in
is "and nothing else is there" "$(ls d)" "$(ls in)"
is "nothing was said" "$(cat err)" ""
is "names are EPOCH-SEGMENT-UTC-STREAM.cam" \
	"$(head -n 1 names | sed 's/-[0-9a-f]*\.cam$//')" 0000000001-0000000000-20260101T000000Z
is "the stream id is BLAKE2b-256 of the stream key" "$(sed 's/.*-//; s/\.cam//' names | head -n 1)" \
	"$(head -c 88 stream | tail -c 32 | b2sum -l 256 | cut -c 1-16)"

cam-spool d </dev/null >names2 2>err
is "a restart hints at all that is waiting, oldest first" "$(cat names2)" "$(ls in)"

mkdir in2 d2
"$make_records" -t -5 -e 2 -w in2 | cam-spool d2 >names 2>/dev/null
is "a time before 1970 is written as 1970" "$(sed 's/-[0-9a-f]*\.cam$//' names)" 0000000002-0000000000-19700101T000000Z

# --- damage ---
rm -rf d && mkdir d
{ "$make_records" -n 1 -x -s 1; head -c 3000 /dev/urandom; "$make_records" -n 2 -s 2 -w in2 -f 7; } >broken
cam-spool d <broken >names 2>said
is "a segment without end, garbage, two others: three names" "$(wc -l <names)" 3
told "the first is called truncated, after its last record" 'Z-[0-9a-f]*\.cam: truncated after record 23'
told "the garbage is counted" ' 3000 bytes skipped'
tail -n 2 names >rest
ok "the others are whole" names_equal rest d in2

rm -rf d && mkdir d
tail -c +500 stream >late
cam-spool d <late >names 2>said
tail -n 4 names >rest
is "without its header the first segment is nowhere" "$(wc -l <names)" 4
ok "the others are whole" names_equal rest d in
told "what was dropped is told once" 'records of segment 0 of stream'
is "in one line" "$(grep -c 'which is not open' said)" 1

cam-spool d <stream >names 2>said
told "a segment that is there already is not written over" 'this segment is in the spool already'
ok "and stays what it is" names_equal rest d in
is "and no .part is made of it" "$(count d .part)" 0
ok "the one that was missing is added" cmp "d/$(ls in | head -n 1)" "in/$(ls in | head -n 1)"

# --- a useless file where the segment belongs ---
rm -rf d in && mkdir d in
"$make_records" -n 2 -r 10 -w in >stream
for f in in/*; do
	echo useless >"d/$(basename "$f" .cam).part"
	break
done
cam-spool d <stream >names 2>said
told "a useless NAME.part in the way is put aside" 'damaged and in the way: renamed to .*part.damaged-1'
is "and kept" "$(cat d/*.part.damaged-1)" useless
ok "the segment is recorded" names_equal names d in

# --- refusals ---
exits 100 "no directory named" cam-spool </dev/null
says "usage" 'usage: cam-spool'
exits 100 "two directories" cam-spool d d </dev/null
exits 100 "an unknown option" cam-spool -x d </dev/null
exits 100 "an option twice" cam-spool -I 3 -I 4 d </dev/null
exits 100 "an idle time of 0" cam-spool -I 0 d </dev/null
exits 100 "a readiness descriptor that is not open" cam-spool -D 9 d </dev/null
exits 100 "a terminal as stdin" script -qec "cam-spool d" /dev/null
exits 111 "no such directory" cam-spool nowhere </dev/null
exits 111 "a file in place of the directory" cam-spool stream </dev/null
if [ "$(id -u)" = 0 ]; then
	chmod 755 "$T"
	exits 111 "a directory that cannot be written" setpriv --reuid 65534 --clear-groups "$(command -v cam-spool)" d </dev/null
	says "says so" 'd: not writable'
else
	chmod 555 d
	exits 111 "a directory that cannot be written" cam-spool d </dev/null
	chmod 755 d
fi

# --- one instance; readiness; stop ---
mkfifo pipe
exec 8<>pipe
rm -rf d in && mkdir d in
fresh ready names err
cam-spool -D 3 d <pipe 3>ready >names 2>err &
first=$!
stop_at_end $first
ok "ready is said when asked for" waits 60 test -s ready
is "with a newline" "$(od -An -c ready | tr -d ' ')" '\n'
exits 111 "a second instance on the same directory" cam-spool d </dev/null
says "is refused clearly" 'd: another cam-spool is at work here'
"$make_records" -n 2 -r 10 -x -w in >pipe
ok "the first goes on" waits 60 test -s names
kill -TERM $first
wait $first
is "SIGTERM: exit 0" $? 0
is "the unfinished segment stays NAME.part" "$(count d .part)" 1
ok "with all that was in the pipe" cmp d/*.part "in/$(basename d/*.part .part).cam"

rm -rf d in && mkdir d in
fresh names err
cam-spool -D 3 d <pipe 3>ready2 >names 2>err &
first=$!
stop_at_end $first
waits 60 test -s ready2
kill -STOP $first
"$make_records" -n 1 -r 10 -x -w in >pipe
kill -TERM $first
kill -CONT $first
wait $first
ok "what the pipe held at SIGTERM is drained" cmp d/*.part in/*.cam

# --- resumed ---
rm -rf d in && mkdir d in
"$make_records" -n 2 -r 30 -w in >stream
: >names
head -c 60000 stream >pipe
fresh err
cam-spool d <pipe >>names 2>err &
second=$!
stop_at_end $second
# the half of a record at the end too: nothing follows that could tell what it is
waits 60 drained 8
kill -KILL $second
wait $second 2>/dev/null
tail -c +60001 stream >pipe &
fresh said
cam-spool d <pipe >>names 2>said &
second=$!
stop_at_end $second
ok "killed and started again: both names come" waits 60 lines names 2
told "the segment is resumed" 'part: resumed with record'
kill -TERM $second
wait $second
is "one file a segment" "$(ls d)" "$(ls in)"
# 60000 bytes end inside a record, and its beginning was in the process that was killed
n=$(ls in | head -n 1)
lost=$(($(stat -c %s "in/$n") - $(stat -c %s "d/$n")))
is "no more than one record is lost" "$([ $lost -gt 0 ] && [ $lost -le 4096 ] && echo fits)" fits
at=$(cmp "in/$n" "d/$n" | sed 's/.*byte \([0-9]*\),.*/\1/')
tail -c "+$at" "d/$n" >got
tail -c "+$((at + lost))" "in/$n" >want
ok "all the others are there, before and behind" cmp got want
ok "and the next segment is whole" cmp "in/$(ls in | tail -n 1)" "d/$(ls in | tail -n 1)"
exec 8>&-

# --- idle ---
rm -rf d in && mkdir d in
exec 8<>pipe
fresh names said
cam-spool -I 1 d <pipe >names 2>said &
idle=$!
stop_at_end $idle
# in one piece, which no pause can divide
"$make_records" -n 1 -x -w in >once
cat once >pipe
ok "nothing for -I seconds: published" waits 60 test -s names
ok "with all that came" names_equal names d in
told "as truncated" 'cam: truncated after record'
"$make_records" -n 1 -s 5 -w in >once
cat once >pipe
ok "and the next segment is recorded" waits 60 lines names 2
ok "whole" names_equal names d in
kill -TERM $idle
wait $idle
cam-spool d </dev/null >names 2>err # what is waiting
"$make_records" -n 1 -x -s 6 -w in | cam-spool d >>names 2>err
mv "$(ls d/*.cam | tail -n 1)" x.part
rm -rf d && mkdir d
cp x.part "d/$(ls -t in | head -n 1 | sed 's/cam$/part/')"
: >names
fresh names said
cam-spool -I 1 d <pipe >names 2>said &
idle=$!
stop_at_end $idle
ok "a .part that gets no record is published after -I seconds" waits 60 test -s names
ok "as it is" names_equal names d in
kill -TERM $idle
wait $idle

# --- stdout ---
rm -rf d in && mkdir d in
mkfifo hints
exec 9<>hints
# fill it, whatever it holds
dd if=/dev/zero of=hints bs=4096 count=1000 oflag=nonblock 2>/dev/null
"$make_records" -n 3 -w in | cam-spool d >hints 2>said
is "a full stdout does not stop the recording" "$(ls d)" "$(ls in)"
told "it is said" 'stdout is full: names are left out'
exec 9>&-
rm -rf d in && mkdir d in
exec 8<>pipe 9<>hints
fresh said
cam-spool -D 3 d <pipe >hints 2>said 3>ready3 8>&- 9>&- &
closed=$!
stop_at_end $closed
waits 60 test -s ready3
exec 9>&-
"$make_records" -n 3 -w in >pipe
exec 8>&-
wait $closed
is "nor does a closed one: exit 0" $? 0
is "all is there" "$(ls d)" "$(ls in)"
told "it is said" 'stdout is closed: recording goes on'
rm -rf d && mkdir d
cam-spool d <stream >&- 2>err
is "started without stdout, no file is mixed up with it" "$(cat d/*.cam | sha256sum)" "$(sha256sum <stream)"

# --- foreign files, waiting ---
rm -rf d && mkdir d
echo mine >d/README
echo mine >d/0000000001-0000000000-20260101T000000Z-0123456789abcdef.part
cam-spool d </dev/null >names 2>said
told "foreign files are reported" '1 files that are no segments are left alone, README is one'
told "and a .part without header" 'part: left alone: does not begin with a valid header'
is "and stay" "$(cat d/README d/*.part)" "$(printf 'mine\nmine')"
rm -rf d && mkdir d
seq -f '%010.0f-0000000000-20260101T000000Z-0123456789abcdef.cam' 1 6000 >all
(cd d && xargs touch) <all
cam-spool d </dev/null >names 2>said
{ head -n 1024 all; tail -n 1024 all; } >want
ok "of 6000 waiting the oldest and the newest are hinted at" cmp names want
told "and all are counted" '6000 segments are waiting'

rm -rf d in && mkdir d in
exec 8<>pipe
fresh err
cam-spool d <pipe >/dev/null 2>err &
mem=$!
stop_at_end $mem
"$make_records" -n 1 -r 2000 -b 4055 -m 5000 -x -w in >pipe
waits 60 drained 8
kb=$(awk '/^Private_/ { n += $2 } END { print n }' /proc/$mem/smaps_rollup)
if grep -q __asan_init "$(command -v cam-spool)"; then
	echo "# memory is not measured in a sanitizer build"
else
	is "at most 4 MiB of private memory ($kb KiB) with 8 MB in one stretch" "$([ "$kb" -le 4096 ] && echo fits)" fits
fi
kill -TERM $mem
wait $mem
ok "a stretch of 8 MB, all unsynced at first, is whole" cmp d/*.part in/*.cam
exec 8>&-

tap_done
