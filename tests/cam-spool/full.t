#!/bin/sh
# defends: lose.disk
# A full disk, without quota and floor: the oldest stored segment goes first; with none and told to keep what is not
# stored, cam-spool waits and goes on when there is room.
. "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/cam-spool/spool.sh
. "$top/tests/cam-spool/spool.sh"

own_mounts cam-spool/full.t
mkdir mnt in
trap 'umount -l "$T/mnt" 2>/dev/null; tap_cleanup' EXIT
mount -t tmpfs -o size=2m tmpfs mnt 2>/dev/null || skip_all "no tmpfs"

sent() { printf '%010d-0000000000-20260101T000000Z-0123456789abcdef.sent' "$1"; }

# Stored segments of 100 kB until the disk is full.
fill_with_sent() {
	i=1
	while head -c 100000 /dev/zero >"mnt/d/$(sent $i)" 2>/dev/null; do i=$((i + 1)); done
}

evicts() {
	rm -rf mnt/d in && mkdir mnt/d in
	fill_with_sent
	"$make_records" -n 6 -r 60 -e 500 -w in | cam-spool -N -f 0 mnt/d >names 2>said
	is "$1: all six segments are recorded" "$(wc -l <names)" 6
	ok "$1: byte for byte" names_equal names mnt/d in
	left=$(count mnt/d .sent)
	is "$1: the oldest stored ones went ($left of $i are left), no others" \
		"$(cd mnt/d && ls ./*.sent)" "$(for k in $(seq $((i - left + 1)) $i); do echo "./$(sent "$k")"; done)"
	ok "$1: no more than needed" test "$left" -gt 1
	told "$1: it is said" "$(sent 1): removed to make room"
}
evicts tmpfs
umount mnt
truncate -s 16M disk
if mkfs.ext4 -q disk && mount -o loop disk mnt 2>/dev/null; then
	evicts ext4
	umount mnt
fi

mount -t tmpfs -o size=2m tmpfs mnt
rm -rf in && mkdir in mnt/d
head -c 1800000 /dev/zero >mnt/filler
"$make_records" -n 6 -r 60 -e 500 -w in >stream
fresh names said
cam-spool -N -f 0 mnt/d <stream >names 2>said &
pid=$!
stop_at_end $pid
ok "full, nothing stored: it waits" waits 60 grep -q 'cannot be .*, trying again every second: No space left' said
# each try ends with a wait
waited() { awk '/^voluntary/ { print $2 }' /proc/$pid/status; }
waits_before=$(waited)
tries_more() { [ "$(waited)" -ge $((waits_before + 2)) ]; }
waits 60 tries_more
ok "and does not exit" lives $pid
is "it says so once" "$(grep -c 'trying again' said)" 1
ok "what is there so far is whole" names_begin names mnt/d in
rm mnt/filler
wait $pid
is "with room made it goes on and ends: exit 0" $? 0
is "all six segments" "$(wc -l <names)" 6
ok "byte for byte" names_equal names mnt/d in
told "and says that it works again" 'disk works again after'

rm -rf mnt/d said && mkdir mnt/d
head -c 1900000 /dev/zero >mnt/filler
fresh names said
cam-spool -N -f 0 mnt/d <stream >names 2>said &
pid=$!
stop_at_end $pid
waits 60 grep -q 'trying again' said
kill -TERM $pid
wait $pid
is "stopped while it waits: exit 111" $? 111
rm mnt/filler
cam-spool -N -f 0 mnt/d </dev/null >names 2>said
ok "what it had is kept, in whole records" names_begin names mnt/d in
is "nothing had to be cut" "$(grep -c 'are cut off' said)" 0

umount mnt
mount -t tmpfs -o size=8m,nr_inodes=8 tmpfs mnt
mkdir mnt/d
for i in 1 2 3 4 5; do echo x >"mnt/d/$(sent $i)"; done
cam-spool -N -f 0 mnt/d <stream >names 2>said
is "no inodes: five of six segments have replaced the stored ones" "$(count mnt/d .sent) $(count mnt/d .cam)" "0 6"
is "and no name is lost" "$(wc -l <names)" 6

rm -rf mnt/d && mkdir mnt/d
sh -c 'ulimit -f 100; exec cam-spool -N -f 0 mnt/d' <stream >names 2>said
is "files that may not grow: six beginnings" "$(wc -l <names)" 6
ok "of whole records" names_begin names mnt/d in
told "said" 'the rest of this segment is lost: File too large'
tap_done
