#!/bin/dash
# bench-inside.sh: what bench.sh runs in the guest. Leaves NAME.out, NAME.txt (a line for each frame of FWHT) and NAME.cost:
# seconds of CPU, of time, and kB of memory at most.
# shellcheck source=tests/guest/inside.sh
. /mnt/src/tests/guest/inside.sh
modprobe vimc
modprobe vicodec multiplanar=1
devices
chmod 777 /mnt/out

uptime_s() { cut -d ' ' -f 1 /proc/uptime; }
# costs NAME PROGRAM ARGUMENT...: from the first bytes on, for twenty seconds.
costs() {
	name=/mnt/out/$1; shift
	setpriv --reuid 2001 --regid 2001 --groups 44 --no-new-privs "$@" 9>"$name.txt" >"$name.out" 2>"$name.err" &
	p=$!
	n=0
	while [ ! -s "$name.out" ] && [ $n -lt 100 ]; do sleep 0.1; n=$((n + 1)); done
	begun=$(uptime_s)
	before=$(awk '{print $14 + $15}' /proc/$p/stat)
	# what was written before does not count
	stat -c %s "$name.out" >"$name.skip"
	wc -l <"$name.txt" >"$name.lines"
	sleep 20
	awk -v b="$before" -v s="$(uptime_s)" -v from="$begun" '{printf "%.2f %.2f ", ($14 + $15 - b) / 100, s - from}' /proc/$p/stat >"$name.cost"
	awk '/^VmHWM/ {print $2}' /proc/$p/status >>"$name.cost"
	kill $p
	wait $p
}
costs vimc-x264 cam-capture -s 720x480 -e x264
costs vimc-vicodec /mnt/o/guest/cam-capture-fwht -s 720x480 -e m2m
costs pattern-x264 cam-capture -T -s 720x480 -e x264
costs pattern-vicodec /mnt/o/guest/cam-capture-fwht -T -s 720x480 -e m2m
exit 0
