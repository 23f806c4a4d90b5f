#!/bin/sh
# defends: lose.crash
# shellcheck disable=SC2012
# kill -9 at random moments while the pipe survives, as under supervision: nothing is lost. On ext4 and on XFS, where
# this machine can have them. CAM_KILLS sets how many.
. "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/cam-spool/spool.sh
. "$top/tests/cam-spool/spool.sh"

kills=${CAM_KILLS:-20}
if [ "$(id -u)" = 0 ]; then
	own_mounts cam-spool/kill.t
	trap 'umount -l "$T/mnt" 2>/dev/null; tap_cleanup' EXIT
fi

# campaign WHERE: half of the kills, in folder mnt/d
campaign() {
	rm -rf in pipe hints mnt/d && mkdir -p in mnt/d
	mkfifo pipe hints
	exec 8<>pipe 9<>hints
	# a pipe takes a name whole or not at all, a file that is written by a process being killed may not
	fresh names
	cat <hints >names 8>&- 9>&- &
	cat=$!
	stop_at_end $cat
	: >said
	half=$(((kills + 1) / 2))
	"$make_records" -n $((half * 40)) -r 12 -m 4 -p 150 -w in >pipe 9>&- &
	records=$!
	stop_at_end $records
	n=0
	while [ $n -lt $half ] && ! gone $records; do
		cam-spool mnt/d <pipe >hints 2>>said 9>&- &
		spool=$!
		stop_at_end $spool
		sleep "0.$(od -An -N1 -tu1 /dev/urandom | awk '{ printf "%03d", 20 + $1 / 2 }')"
		kill -KILL $spool
		wait $spool 2>/dev/null
		n=$((n + 1))
	done
	cam-spool mnt/d <pipe >hints 2>>said 9>&- &
	spool=$!
	stop_at_end $spool
	wait $records
	last=$(ls in | tail -n 1)
	ok "$1: after $n kills the rest of the stream is recorded" waits 300 test -e "mnt/d/$last"
	kill -TERM $spool
	wait $spool
	is "$1: exit 0" $? 0
	is "$1: every file has a segment's name and is durable" "$(find mnt/d -type f ! -name '*.cam' | wc -l)" 0
	ok "$1: no file has anything but whole records of its segment, in order" "$O/tests/cam-spool/check-records" in mnt/d
	"$O/tests/cam-spool/check-records" in mnt/d >result
	is "$1: no kill loses anything" "$(cat result)" "segments $((half * 40)) whole 0 runs 0 longest 0"
	exec 9>&-
	wait $cat
	missing=0
	while read -r name; do [ -s "mnt/d/$name" ] || missing=$((missing + 1)); done <names
	is "$1: every one of $(wc -l <names | tr -d ' ') printed names is there" $missing 0
	ls mnt/d | if [ $half -gt 50 ]; then sed -e '1025,$d' && ls mnt/d | tail -n 1024; else cat; fi >there
	cam-spool mnt/d </dev/null 2>/dev/null >hinted
	ok "$1: and all are hinted at by the next start" cmp hinted there
	exec 8>&-
}

run=0
for fs in ext4 xfs; do
	if [ "$(id -u)" != 0 ] || ! mounts $fs $((kills * 4 + 320))M; then continue; fi
	campaign $fs
	umount mnt
	run=1
done
[ $run = 1 ] || campaign "this file system"
tap_done
