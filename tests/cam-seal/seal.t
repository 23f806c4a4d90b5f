#!/bin/sh
# defends: see.card see.cloud
# What cam-seal writes, read by an independent reader of the format (segment.py): records, marks, ends, restarts, signals.
. "$(dirname "$0")/../tap.sh"
command -v ffmpeg >/dev/null || skip_all "no ffmpeg"
py=$top/tests/cam-seal

cam-key -g -n me && cam-key -g -n you && cam-key -g -s door && cat me.pub you.pub >both || exit 1
video() { # FRAMES KEYINT
	ffmpeg -nostdin -v error -f lavfi -i testsrc2=s=160x120:r=30 -frames:v "$1" -c:v libx264 -preset veryfast \
		-x264-params "aud=1:scenecut=0:keyint=$2:min-keyint=$2" -f h264 -
}
video 120 30 >plain.h264
"$py/stream.py" sei <plain.h264 >s.h264
video 100 1000 | "$py/stream.py" sei >long.h264
records() { "$py/segment.py" -k me.key -s door.pub "$@"; }
count() { grep -cE "$1" list; }

# --- one write a record ---
strace -qq -s0 -e trace=write -e signal=none -o trace cam-seal -i door.key -r both -t 1 <s.h264 >sealed 2>/dev/null
ok "records are as the format says" records <sealed
cp tap.out list
sed -n 's/^write(1, .*, \([0-9]*\)) *= \([0-9]*\)$/\1 \2/p' trace >writes
is "each record is one write of at most 4096 bytes" "$(awk '$1 != $2 || $1 > 4096 { bad++ } END { print NR, bad + 0 }' writes)" "$(wc -l <list) 0"
is "of just its length" "$(sed 's/.*bytes=\([0-9]*\).*/\1/' list)" "$(cut -d' ' -f1 writes)"
is "an independent reader gets the content back" "$(records -c <sealed | md5sum)" "$(md5sum <s.h264)"
is "four segments of a second" "$(count '^header .*previous=0'),$(count '^header .*previous=1'),$(count '^end .*reason=full.*units=30'),$(count '^end .*reason=eof')" "1,3,3,1"
cam-seal -i door.key -r both <s.h264 2>/dev/null | records >list
is "a mark stands before each IDR" "$(count '^checkpoint .*reason=idr'),$(awk '/reason=idr/ { want = 1; next } want && !/flags=[4-7]$/ { bad++ } { want = 0 } END { print bad + 0 }' list)" "3,0"
is "times and counts are those of the stream" "$(sed -n 's/^end.*units=\([0-9]*\) drops=\([0-9]*\) .*utc=\([0-9]*\) .*clock=\(.\)/\1 \2 \3 \4/p' list)" "120 0 1700000003966666666 2"
"$py/stream.py" sei -d 2 <plain.h264 >drops.h264
cam-seal -i door.key -r both <drops.h264 2>/dev/null | records >list
is "drops are counted" "$(sed -n 's/^end.*drops=\([0-9]*\) .*/\1/p' list)" 238

# --- an access unit that was torn ---
{ "$py/stream.py" cut 50 400 <s.h264; cat s.h264; } >torn.h264
"$py/stream.py" cut 50 0 <s.h264 >before.h264
cam-seal -i door.key -r both <torn.h264 >sealed 2>/dev/null
cat before.h264 s.h264 >want.h264
cam-open -k me.key -s door.pub <sealed 2>tap.err | cmp - want.h264 >tap.out 2>&1
tap_result $? "a torn access unit is left out, nothing else"
records <sealed >list
is "and marked" "$(sed -n 's/^data.*flags=\([0-9]*\)$/\1/p' list | awk '$1 >= 32' | wc -l)" 1

# --- live ---
"$py/stream.py" drip 30 <long.h264 |
	ASAN_OPTIONS=detect_leaks=0 strace -qq -ttt -s0 -e trace=write -e signal=none -o trace cam-seal -i door.key -r both >live 2>/dev/null
records <live >list
# the end of an access unit that was written a second or more after what came behind the mark before has a mark behind it
sed -n 's/^\([0-9.]*\) write(1, .*/\1/p' trace | paste -d ' ' - list >timed
is "a mark at least once a second while input flows" \
	"$(awk 'due && !/ (checkpoint|end) / { bad++ } { due = 0 } / checkpoint .*reason=timer/ { n++ } !/ data / { since = 0; next }
	!since { since = $1 } { ends = 0 } match($0, /flags=[0-9]+/) { ends = int(substr($0, RSTART + 6, RLENGTH - 6) / 2) % 2 }
	{ due = ends && $1 - since > 1.01 } END { print (n >= 1), bad + 0 }' timed)" "1 0"
"$py/stream.py" cut 10 0 <s.h264 >ten.h264
mkfifo in
cam-seal -i door.key -r both -t 1 <in >stall 2>/dev/null &
stalled=$!
stop_at_end $stalled
exec 9>in
cat ten.h264 >&9
told() { records -e <stall >list && [ "$(count "$1")" = 1 ]; }
ok "a mark when input stalls" waits 60 told '^checkpoint .*reason=timer units=10'
waits 60 told '^end .*reason=stall units=10'
exec 9>&-
wait $stalled
records <stall >list
is "and the end of the segment soon after" "$(count '^checkpoint'),$(count '^end .*reason=stall units=10'),$(count '^header')" "1,1,1"
is "all of it came out" "$(records -c <stall | md5sum)" "$(md5sum <ten.h264)"
cat >latency.py <<'END'
import os, re, select, subprocess, struct, sys, time
data = open("s.h264", "rb").read()
starts = [m.start() for m in re.finditer(b"\0\0\0\1\x09", data)] + [len(data)]
p = subprocess.Popen(["cam-seal", "-i", "door.key", "-r", "both"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0)
late, have = [], b""
for a, b in zip(starts[:20], starts[1:]):
    begun, want = time.monotonic(), b - a
    p.stdin.write(data[a:b])
    while want > 0 and select.select([p.stdout], [], [], 30)[0]:
        have += os.read(p.stdout.fileno(), 65536)
        while len(have) >= 24 and len(have) >= struct.unpack_from("<H", have, 6)[0]:
            n = struct.unpack_from("<H", have, 6)[0]
            want -= n - 41 if have[5] == 2 else 0
            have = have[n:]
    if want > 0:
        sys.exit("an access unit does not come out before the next one has come in")
    late.append(time.monotonic() - begun)
p.stdin.close()
# after 100 ms without input any would leave; how long this machine takes for most of them is its own affair
print("%.1f ms" % (1000 * min(late)))
sys.exit(min(late) > 0.05)
END
ok "an access unit with the message leaves at once" /usr/bin/python3 latency.py

# --- restarts ---
rm -f door.epoch
cam-seal -i door.key -r both <s.h264 >all 2>/dev/null
records <all >list
for i in 1 2; do
	# all but the last record was written: behind the last mark, that of an IDR, stand access units
	strace -qq -o trace -e trace=write -e inject=write:signal=KILL:when="$(wc -l <list)" cam-seal -i door.key -r both <s.h264 >>all 2>/dev/null
	is "killed ($i)" $? 137
done
cam-seal -i door.key -r both <s.h264 >>all 2>/dev/null
records -e <all >list
tap_result $? "links hold across kills"
is "each start is one epoch more" "$(sed -n 's/^header.*epoch=\([0-9]*\).*/\1/p' list | tr '\n' ' ')" "1 2 3 4 "
is "and says whether the one before was cut" "$(sed -n 's/^header.*previous=\([0-9]*\).*/\1/p' list | tr '\n' ' ')" "0 1 2 2 "
exits 1 "cam-open opens it" cam-open -k me.key -s door.pub all
says "and calls it truncated" 'truncated'
is "with no other verdict" "$(sed 's/^[^:]*: [^:]*: \([^:]*\):.*/\1/' tap.err | sort -u | tr '\n' ',')" "truncated,unproven tail,"

# --- told to stop ---
start() { # cam-seal with input from the fifo, which is open as 9
	fresh out err
	cam-seal -i door.key -r rcpts/rcpt "$@" <in >out 2>err &
	pid=$!
	stop_at_end $pid
	exec 9>in
}
mkdir rcpts && cp both rcpts/rcpt
start -D 5 5>ready
ok "says when it is ready" waits 60 test -s ready
is "with a newline" "$(od -An -c ready | tr -d ' ')" '\n'
exits 111 "a second one on the same epoch file is refused" cam-seal -i door.key -r rcpts/rcpt </dev/null
says "and says why" 'door.epoch: in use by another cam-seal'
kill -STOP $pid
cat s.h264 ten.h264 >&9 # more than it has read; less than the pipe holds
kill -TERM $pid
kill -CONT $pid
wait $pid
is "SIGTERM: exit 0" $? 0
exec 9>&-
records <out >list
is "the segment is ended" "$(count '^end .*reason=stop units=10')" 1
is "another one before, where the frame numbers begin again" "$(count '^end .*reason=restart units=120')" 1
is "what the pipe held is in it" "$(cam-open -k me.key -s door.pub out 2>/dev/null | md5sum)" "$(cat s.h264 ten.h264 | md5sum)"
start
{ cat s.h264; head -c 150 ten.h264; } >&9
waits 60 sh -c 'test $(wc -c <out) -gt 40000'
kill -INT $pid
wait $pid
is "SIGINT in an access unit: exit 0" $? 0
exec 9>&-
is "the cut one is left out" "$(cam-open -k me.key -s door.pub out 2>/dev/null | md5sum)" "$(md5sum <s.h264)"

# --- recipients are read again ---
cp me.pub rcpts/rcpt
start -t 1
size() { wc -c <out; }
feed() { # FROM COUNT: access units
	/usr/bin/python3 -c '
import re, sys
d = open("s.h264", "rb").read()
a = [m.start() for m in re.finditer(b"\0\0\0\1\x09", d)] + [len(d)]
sys.stdout.buffer.write(d[a[int(sys.argv[1])]:a[int(sys.argv[1]) + int(sys.argv[2])]])' "$1" "$2" >&9
	waits 60 sh -c "\"$py/segment.py\" -e -k me.key -s door.pub <out | awk '/^data.*flags=[2367]/ { n++ } END { exit n != $(($1 + $2)) }'"
}
feed 0 30
# what comes after the signal was taken, which is between two reads, finds the new recipients
heard() { ! grep -qE '^(Sig|Shd)Pnd:.*[13579bdf]$' "/proc/$pid/status"; }
cp both new && mv new rcpts/rcpt && kill -HUP $pid && waits 60 heard
feed 30 30
kill -HUP $pid && waits 60 heard
feed 60 30
echo nonsense >rcpts/rcpt && kill -HUP $pid
ok "a broken file of recipients is told" waits 60 grep -q 'rcpt: not a key line: the recipients stay as they were' err
feed 90 30
exec 9>&-
wait $pid
is "and does not end it" $? 0
records <out >list
is "SIGHUP: the next segment has the new recipients and says so, others not; the start before had two" "$(sed -n 's/^header.* n=\(.\) flags=\(.\).*/\1:\2/p' list | tr '\n' ' ')" "1:2 2:2 2:0 2:0 "
ok "the second recipient opens it from there" sh -c 'cam-open -k you.key -s door.pub out | grep -qa .'

# --- epoch file ---
printf 'x' | dd of=door.epoch bs=1 seek=20 conv=notrunc 2>/dev/null
printf 'x' | dd of=door.epoch bs=1 seek=532 conv=notrunc 2>/dev/null
exits 0 "a damaged epoch file does not stop it" cam-seal -i door.key -r both <ten.h264
says "and is told" 'door.epoch: unreadable'
mv tap.out out
records <out >list
is "the footage says so" "$(count '^header.*epoch=1 n=2 flags=1 previous=0')" 1
exits 1 "and so does cam-open" cam-open -V -s door.pub out
is "by name" "$(grep -c '	epoch lost	' tap.out)" 1
exits 111 "no place for an epoch file" cam-seal -i door.key -r both -e nowhere/epoch </dev/null
ok "another epoch file" sh -c 'cam-seal -i door.key -r both -e mine <ten.h264 >out && test -s mine'

# --- the reader goes away ---
{ cam-seal -i door.key -r both <s.h264 2>err; echo $? >code; } | head -c 100 >/dev/null
is "EPIPE: exit 0" "$(cat code)" 0
is "without a word" "$(cat err)" ""
exits 111 "a full disk is trouble" sh -c 'exec cam-seal -i door.key -r both <s.h264 >/dev/full'
says "and named" 'stdout: No space left'

# --- cost ---
ffmpeg -nostdin -v error -f lavfi -i testsrc2=s=320x180:r=30 -t 30 -c:v libx264 -preset ultrafast -b:v 1M \
	-x264-params aud=1:scenecut=0:keyint=30:nal-hrd=cbr:bitrate=1000:vbv-maxrate=1000:vbv-bufsize=1000:filler=1 -f h264 - | "$py/stream.py" sei >cbr.h264
in=$(wc -c <cbr.h264) out=$(cam-seal -i door.key -r both <cbr.h264 2>/dev/null | wc -c)
echo "# $in bytes in, $out out: $(((out - in) * 10000 / in)) in ten thousand"
ok "1 Mbit/s, 30 frames a second: $((in * 8 / 30000)) kbit/s" test $((in * 8 / 30000)) -gt 950 -a $((in * 8 / 30000)) -lt 1080
ok "costs at most 2.5 %" test $(((out - in) * 1000)) -le $((in * 25)) -a "$out" -gt "$in"

# --- usage ---
exits 100 "no keys" cam-seal
exits 100 "an operand" cam-seal -i door.key -r both file
exits 100 "-t 0" cam-seal -i door.key -r both -t 0
exits 100 "-D that is not open" cam-seal -i door.key -r both -D 77
tap_done
