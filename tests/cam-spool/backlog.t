#!/bin/sh
# Weeks offline: with 100,000 segments waiting cam-spool needs no more memory than with 100, whatever it does.
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm # 100,000 files
. "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/cam-spool/spool.sh
. "$top/tests/cam-spool/spool.sh"

grep -q __asan_init "$(command -v cam-spool)" && skip_all "a sanitizer's memory is not ours"
private() { awk '/^Private_/ { n += $2 } END { print n }' "/proc/$1/smaps_rollup"; }
mkfifo pipe

# waiting COUNT: KiB of private memory after start, hints, a scan for the quota, and recording
waiting() {
	rm -rf d && mkdir d
	seq -f '%010.0f-0000000000-20260101T000000Z-0123456789abcdef.cam' 1 "$1" | (cd d && xargs touch)
	exec 8<>pipe
	fresh names ready said
	cam-spool -q 100G -f 0 -D 3 d <pipe >names 3>ready 2>said 8>&- &
	pid=$!
	stop_at_end $pid
	waits 60 test -s ready
	"$make_records" -n 30 -r 20 -e 200000 >pipe
	waits 60 grep -q '^0000200000-0000000029' names
	kib=$(private $pid)
	exec 8>&-
	wait $pid
}
waiting 100
few=$kib
waiting 100000
is "exit 0" $? 0
told "100000 were waiting" '100000 segments are waiting'
ok "with 100 waiting $few KiB are private, with 100,000 $kib" test "$kib" -le $((few + 256))
ok "and less than 4 MiB" test "$kib" -le 4096
tap_done
