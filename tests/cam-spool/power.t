#!/bin/sh
# defends: lose.power
# Power cuts, on ext4 and on XFS: every name printed before one is there after it, with its bytes. CAM_POWER_CUTS sets
# how many; beside the random ones there is one at each system call on the way from the pipe to the printed name.
. "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/cam-spool/spool.sh
. "$top/tests/cam-spool/spool.sh"

own_mounts cam-spool/power.t
command -v xfs_io >/dev/null || skip_all "no xfs_io"
trap 'umount -l "$T/mnt" 2>/dev/null; tap_cleanup' EXIT

cuts=${CAM_POWER_CUTS:-20}
ASAN_OPTIONS=detect_leaks=0
export ASAN_OPTIONS

# The same disk after a power cut.
cut() {
	if umount mnt && mount -o loop disk mnt; then return 0; fi
	broken=cannot-mount
	return 1
}

# What was printed, and what the next run makes of the rest.
look() {
	names=$((names + $(wc -l <names)))
	if [ -s names ] && ! names_equal names mnt/d in; then broken=$((broken + 1)); fi
	timeout 60 cam-spool mnt/d </dev/null >again 2>said || wrong=$((wrong + 1))
	[ ! -s again ] || names_begin again mnt/d in || wrong=$((wrong + 1))
	[ "$(find mnt/d -type f ! -name '*.cam' ! -name '*.part' | wc -l)" = 0 ] || wrong=$((wrong + 1))
}

new() {
	rm -rf mnt/d in names && mkdir mnt/d in && sync -f mnt && : >names
}

at_random() {
	rm -f pipe && mkfifo pipe
	fresh names said
	cam-spool mnt/d <pipe >names 2>said &
	spool=$!
	"$make_records" -n 100000 -r 8 -m 3 -p 500 -e "$1" -w in >pipe 2>/dev/null &
	records=$!
	stop_at_end $spool $records
	waits 60 lines names 3
	sleep "0.$(od -An -N1 -tu1 /dev/urandom | awk '{ printf "%03d", $1 * 2 }')"
	xfs_io -x -c shutdown mnt
	kill -KILL $records $spool
	wait $records $spool 2>/dev/null
}

# Stopped at a call, for the n-th time that it is made: the call ends, what follows does not. Then it goes on, on a
# file system that has ended under it: nothing may be printed on the strength of that.
at_call() {
	"$make_records" -n 4 -r 12 -m 4 -e "$3" -w in >stream
	rm -f trace
	fresh names said trace
	strace -f -o trace -e trace="$1" -e inject="$1:signal=STOP:when=$2" cam-spool -S 100 mnt/d <stream >names 2>said &
	spool=$!
	stop_at_end $spool
	waits 60 sh -c "grep -q stopped.by.SIGSTOP trace || grep -q exited.with trace" && grep -q 'stopped by' trace && stopped=$((stopped + 1))
	xfs_io -x -c shutdown mnt
	# told again and again: a thread of it may not have stopped yet
	went_on() {
		for child in $(pgrep -P $spool); do kill -CONT "$child" 2>/dev/null; done
		gone $spool || grep -q 'trying again' said
	}
	waits 60 went_on
	for _ in $(seq 1000); do
		gone $spool && break
		for child in $(pgrep -P $spool); do kill -KILL $child 2>/dev/null; done
		sleep 0.05
	done
	wait $spool 2>/dev/null
}

for fs in ext4 xfs; do
	size=$([ $fs = xfs ] && echo 320M || echo 48M)
	if ! mounts $fs $size; then
		echo "# no $fs here"
		continue
	fi
	random=$((cuts / 2)) names=0 broken=0 wrong=0
	for i in $(seq $random); do
		new
		at_random "$i"
		cut || break
		look
	done
	is "$fs: $random power cuts at random, $names printed names: none lost or changed" "$broken" 0
	is "$fs: what the next run publishes is the beginning of its segment" "$wrong" 0
	ok "$fs: many names were printed" test "$names" -ge $((random * 2))

	if strace -o /dev/null true 2>/dev/null; then
		names=0 broken=0 wrong=0 stopped=0 tried=0
		for call in openat pwrite64 fdatasync fsync renameat write; do
			for when in 1 2 4; do
				[ $call = openat ] && when=$((when + $(strace -f -e trace=openat cam-spool mnt/d </dev/null 2>&1 | grep -c openat)))
				new
				at_call $call "$when" $((tried + 1))
				tried=$((tried + 1))
				cut || break 2
				look
			done
		done
		is "$fs: cut at each step ($stopped of $tried), $names printed names: none lost or changed" "$broken" 0
		is "$fs: what the next run publishes is the beginning of its segment" "$wrong" 0
		ok "$fs: it was stopped at most of them" test "$stopped" -ge $((tried * 3 / 4))
	fi
	ok "$fs: a name without its syncs would have been noticed" sh -c '
		mkdir -p mnt/x && sync -f mnt && echo data >mnt/x/a.part && mv mnt/x/a.part mnt/x/a.cam &&
		xfs_io -x -c shutdown mnt && umount mnt && mount -o loop disk mnt && ! [ -s mnt/x/a.cam ]'
	umount mnt
done
tap_done
