#!/bin/sh
# Power cuts: every name printed before one is there after it, with its bytes. CAM_POWER_CUTS sets how many.
. "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/cam-spool/spool.sh
. "$top/tests/cam-spool/spool.sh"

[ "$(id -u)" = 0 ] || skip_all "needs root to mount"
command -v xfs_io >/dev/null || skip_all "no xfs_io"
truncate -s 48M disk && mkdir mnt
mkfs.ext4 -q disk || skip_all "no ext4"
mount -o loop disk mnt 2>/dev/null || skip_all "no loop device"
trap 'umount -l "$T/mnt" 2>/dev/null; tap_cleanup' EXIT

cuts=${CAM_POWER_CUTS:-20} names=0 broken=0 wrong=0
for i in $(seq "$cuts"); do
	rm -rf mnt/d in names && mkdir mnt/d in && sync -f mnt
	mkfifo pipe
	cam-spool mnt/d <pipe >names 2>said &
	spool=$!
	"$make_records" -n 100000 -r 8 -m 3 -p 500 -e "$i" -w in >pipe 2>/dev/null &
	records=$!
	stop_at_end $spool $records
	waits 10 test -s names
	sleep "0.$(od -An -N1 -tu1 /dev/urandom | awk '{ printf "%03d", $1 * 2 }')"
	xfs_io -x -c shutdown mnt
	kill -KILL $records $spool
	wait $records $spool 2>/dev/null
	umount mnt
	if ! mount -o loop disk mnt; then
		broken=cannot-mount
		break
	fi
	names=$((names + $(wc -l <names)))
	if ! names_equal names mnt/d in; then
		broken=$((broken + 1))
		cp names "broken.$i"
	fi
	cam-spool mnt/d </dev/null >again 2>said
	[ ! -s again ] || names_begin again mnt/d in || wrong=$((wrong + 1))
	rm -f pipe
done
is "$cuts power cuts, $names printed names: none lost or changed" "$broken" 0
is "what recovery publishes afterwards is the beginning of its segment" "$wrong" 0
ok "many names were printed" test "$names" -ge $((cuts * 2))
ok "a name without its syncs would have been noticed" sh -c '
	mkdir -p mnt/x && sync -f mnt && echo data >mnt/x/a.part && mv mnt/x/a.part mnt/x/a.cam &&
	xfs_io -x -c shutdown mnt && umount mnt && mount -o loop disk mnt && ! [ -s mnt/x/a.cam ]'
tap_done
