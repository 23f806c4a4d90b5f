#!/bin/sh
# cam-capture between readers that are slow, stopped or gone, and signals.
# shellcheck disable=SC2317
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
stream=$top/tests/cam-capture/stream.py

decodes() { ffmpeg -v warning -xerror -probesize 100M -i "$1" -f null - 2>"$T/ff" >/dev/null && ! [ -s "$T/ff" ]; }
frames() { wc -l <"$1"; }
at_least() { [ "${1:-0}" -ge "$2" ]; }
at_most() { [ "${1:-0}" -le "$2" ]; }
counted() { awk '$3 - $4 != $1 {bad = 1} END {exit bad || !NR}' "$1"; }
ends() { ! kill -0 "$1" 2>/dev/null; }
ready() { [ -s "$1" ]; }
# recorded NAME N: so many access units are in NAME.h264
recorded() { "$stream" -t <"$1.h264" >"$1.txt" && at_least "$(frames "$1.txt")" "$2"; }
# full FIFO: a write would wait
full() {
	/usr/bin/python3 -c 'import os, select, sys
sys.exit(bool(select.select([], [os.open(sys.argv[1], os.O_WRONLY | os.O_NONBLOCK)], [], 0)[1]))' "$1"
}
# capture NAME ARGUMENT...: in the background, its process in $pid, ready when this returns; NAME.h264 may be a FIFO.
capture() {
	name=$1; shift
	: >"$name.ready"
	cam-capture "$@" -D 3 3>"$name.ready" >"$name.h264" 2>"$name.err" &
	pid=$!
	stop_at_end "$pid"
	waits 60 ready "$name.ready"
}
# finish: SIGTERM, and how it exited in $code.
finish() {
	kill -TERM "$pid"
	waits 60 ends "$pid" || kill -9 "$pid"
	wait "$pid"
	code=$?
}

# Readiness and an orderly end.
capture run -T -s 320x240
ok "says that it is ready" ready run.ready
is "with a newline, once" "$(od -An -c run.ready | tr -d ' ')" '\n'
waits 60 recorded run 20
finish
is "SIGTERM: exit 0" $code 0
ok "the last access unit is whole" sh -c "$stream <run.h264 >run.txt"
ok "some frames are there" at_least "$(frames run.txt)" 15
ok "every frame is written or counted" counted run.txt
ok "decodes without a word" decodes run.h264
capture int -T -s 64x64
kill -INT "$pid"
waits 60 ends "$pid" || kill -9 "$pid"
wait "$pid"
is "SIGINT: exit 0" $? 0
for i in 1 2 3 4 5 6 7 8; do
	capture "term$i" -T -s 640x360 -b 8M -F >/dev/null
	sleep 0.1$i
	finish
	$stream <"term$i.h264" >/dev/null 2>&1 && [ $code = 0 ] && echo whole
done >wholes
is "eight more of them at odd moments are whole" "$(grep -c whole wholes)" 8

# A reader that sleeps until the queue has overflowed, then reads, in real time.
mkfifo slow.h264
sh -c 'echo $$ >reader; while [ ! -e go ]; do sleep 0.1; done; exec cat >got.h264' <slow.h264 &
reader=$!
stop_at_end $reader
capture slow -T -r 60 -b 25M
started=$(date +%s%N)
ok "a reader that stalls: overflow is said" waits 120 grep -q 'dropping whole GOPs' slow.err
sleep 1
# IDR pictures are due at whole seconds: go on between two of them, to see that one is made before its time.
sleep "$(awk -v ns=$((($(date +%s%N) - started) % 1000000000)) 'BEGIN {print 1.4 - ns / 1e9}')"
touch go
ok "and the end of it" waits 60 grep -q 'going on with frame' slow.err
# what waits for it is read
reads_on() { recorded got 1 && awk -v t="$(stat -c %Y go)" '{ last = $5 } END { exit last / 1e9 < t + 1.5 }' got.txt; }
waits 60 reads_on
finish
wait $reader
is "exit 0" $code 0
ok "access units are as promised" sh -c "$stream <got.h264 >got.txt"
ok "every frame is written or counted" counted got.txt
lost=$(sed -n 's/.*: \([0-9]*\) frames from \([0-9]*\) on are lost.*/\1/p' slow.err | head -n 1)
from=$(sed -n 's/.*: \([0-9]*\) frames from \([0-9]*\) on are lost.*/\2/p' slow.err | head -n 1)
: "${lost:=0}" "${from:=0}"
ok "a second of frames or more is lost: ${lost:-none}" at_least "${lost:-0}" 60
# shellcheck disable=SC2016
before=$(awk -v f="${from:-0}" '$3 < f && $2 == "I" {n = $1} $3 < f {last = $1} END {print last - n + 1}' got.txt)
is "the last GOP before the hole is whole" "$before" 60
is "the hole is in the stream as the message says" \
	"$(awk -v f="${from:-0}" '$3 > f && !n {n = 1; print $3 - f, $2}' got.txt)" "$lost I"
ok "an IDR picture is made as soon as there is room: frame $((from + lost))" [ $(((from + lost) % 60)) != 0 ]
ok "decodes without a word" decodes got.h264

# The same with a source that can wait.
ffmpeg -v error -f lavfi -i "nullsrc=s=640x480:r=25:d=4,geq=random(1)*255:128:128" -pix_fmt yuv420p noise.y4m
for how in -F ""; do
	rm -f wait.h264; mkfifo wait.h264
	sh -c 'sleep 3; exec cat >waited.h264' <wait.h264 &
	reader=$!
	stop_at_end $reader
	# shellcheck disable=SC2086
	capture wait -i noise.y4m -b 25M $how
	waits 120 ends "$pid" || kill -9 "$pid"
	wait "$pid"
	is "a file ${how:-in real time} waits for its reader: exit 0" $? 0
	wait $reader
	$stream <waited.h264 >waited.txt
	is "all frames, none dropped" "$(awk 'END {print NR, $3, $4}' waited.txt)" "100 99 0"
	ok "without a message" test ! -s wait.err
	ok "and it was more than queue and pipe hold" at_least "$(wc -c <waited.h264)" 9500000
done

# A reader that goes away.
ok "a reader that goes away: exit 0" sh -c 'mkfifo gone; head -c 100000 <gone >/dev/null & timeout 60 cam-capture -T -F >gone'
says "says so" 'stdout: the reader has gone'
says "and what is lost" '[0-9]+ of [0-9]+ frames lost'
ok "in real time" sh -c 'mkfifo gone2; head -c 20000 <gone2 >/dev/null & timeout 60 cam-capture -T >gone2'
exits 111 "a full disk is another matter" timeout 60 sh -c 'cam-capture -T -F >/dev/full'
says "says so" 'stdout: cannot write: No space left'

# A reader that is stopped for good: SIGTERM must end it all the same.
for how in "-T -r 60 -b 25M" "-T -F" "-i noise.y4m -F -b 25M" "-T -s 64x64 -F -b 100k"; do
	rm -f stuck.h264; mkfifo stuck.h264
	sh -c 'exec sleep 600' <stuck.h264 &
	sleeper=$!
	stop_at_end $sleeper
	# shellcheck disable=SC2086
	capture stuck $how
	waits 60 full stuck.h264
	sleep 0.5
	kill -TERM "$pid"
	ok "reader stopped, $how: ends within bounded time" waits 60 ends "$pid"
	kill -9 "$pid" 2>/dev/null
	wait "$pid"
	is "exit 0" $? 0
	ok "says how many frames are lost" grep -qE '[0-9]+ of [0-9]+ frames lost, [1-9][0-9]* of them still waiting' stuck.err
	kill $sleeper
	wait $sleeper 2>/dev/null
done

# Memory, with the queue full.
rm -f stuck.h264; mkfifo stuck.h264
sh -c 'exec sleep 600' <stuck.h264 &
sleeper=$!
stop_at_end $sleeper
capture empty -T >/dev/null
rss() { awk '/^VmHWM/ {print $2}' "/proc/$1/status"; }
waits 60 sh -c '[ "$(wc -c <empty.h264)" -ge 100000 ]'
idle=$(rss "$pid")
finish
capture stuck -T -r 60 -b 25M
waits 120 grep -q dropping stuck.err
sleep 2
full=$(rss "$pid")
finish
kill $sleeper
if nm "$(command -v cam-capture)" 2>/dev/null | grep -q __asan_init; then grown=0; else grown=$((full - idle)); fi
ok "a full queue takes $grown kB more" at_most "$grown" 16384

# Waiting for input that does not come.
mkfifo in
sleep 600 >in &
sleeper=$!
stop_at_end $sleeper
cam-capture -i - <in >none.h264 2>none.err &
pid=$!
stop_at_end $pid
waits 60 steady $pid
finish
is "SIGTERM while waiting for a header: exit 0" $code 0
kill $sleeper
wait $sleeper 2>/dev/null
ffmpeg -v error -f lavfi -i testsrc=s=64x64:r=25:d=1 -pix_fmt yuv420p second.y4m
sh -c 'head -c 70000 second.y4m; exec sleep 600' >in &
sleeper=$!
stop_at_end $sleeper
cam-capture -i - <in >half.h264 2>half.err &
pid=$!
stop_at_end $pid
waits 60 recorded half 11
finish
is "SIGTERM in the middle of a frame: exit 0" $code 0
kill $sleeper
$stream <half.h264 >half.txt
is "the whole frames are there" "$(frames half.txt)" 11
tap_done
