#!/bin/sh
# What real disks do to a spool, on ext4 and on XFS: full, read-only, out of inodes, failing under it, and files that
# vanish. Recording goes on when the disk does, and nothing that was printed is lost.
. "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/cam-spool/spool.sh
. "$top/tests/cam-spool/spool.sh"

own_mounts cam-spool/disk.t
loop=''
trap 'umount -l "$T/mnt" 2>/dev/null; [ -z "$loop" ] || losetup -d $loop; umount -l "$T/nbd" 2>/dev/null; tap_cleanup' EXIT
mkfifo pipe
export LC_ALL=C

# begin OPTIONS...: cam-spool on an empty mnt/d, reading from a pipe that outlives it
begin() {
	rm -rf mnt/d in names said && mkdir mnt/d in && : >names && : >said
	exec 8<>pipe
	again "$@"
}
again() {
	cam-spool "$@" mnt/d <pipe >>names 2>>said 8>&- &
	pid=$!
	stop_at_end $pid
}
# end NAME COUNT: no more input; so many segments, the same as what went in
end() {
	exec 8>&-
	wait $pid
	is "$1: exit 0, $2 segments" "$? $(sort -u names | wc -l)" "0 $2"
	is "$1: all is there" "$(ls mnt/d)" "$(ls in)"
	ok "$1: byte for byte" names_equal names mnt/d in
}

for fs in ext4 xfs; do
	size=$([ $fs = xfs ] && echo 320M || echo 48M)
	mounts $fs $size || { echo "# no $fs here"; continue; }

	begin
	"$make_records" -n 1 -w in >pipe
	waits 60 lines names 1
	sync -f mnt
	ok "$fs: remounted read-only" mount -o remount,ro mnt
	"$make_records" -n 2 -e 2 -w in >pipe
	ok "$fs read-only: it says so" waits 60 grep -q 'cannot be created, trying again every second: Read-only' said
	ok "$fs read-only: it does not exit" lives $pid
	is "$fs read-only: no name is printed" "$(wc -l <names)" 1
	mount -o remount,rw mnt
	ok "$fs writable again: the others come" waits 60 lines names 3
	end "$fs writable again" 3

	begin -I 3600
	"$make_records" -n 1 -x -w in >pipe
	waits 60 sh -c 'cmp mnt/d/*.part in/*.cam'
	rm mnt/d/*.part
	"$make_records" -n 2 -e 2 -w in >pipe
	waits 60 lines names 3
	end "$fs: NAME.part removed under it" 3
	told "$fs: it is said" 'part: has vanished'

	begin -N -f 0
	"$make_records" -n 1 -w in >pipe
	waits 60 lines names 1
	dd if=/dev/zero of=mnt/filler bs=64k 2>/dev/null
	truncate -s -256K mnt/filler
	sync -f mnt
	"$make_records" -n 8 -r 60 -e 2 -w in >pipe &
	records=$!
	stop_at_end $records
	ok "$fs full: it says so" waits 60 grep -q 'trying again every second: No space left' said
	ok "$fs full: it does not exit" lives $pid
	[ ! -s names ] || ok "$fs full: what was printed is whole" names_equal names mnt/d in
	rm mnt/filler
	ok "$fs with room again: the others come" waits 60 lines names 9
	end "$fs with room again" 9
	umount mnt
done

rm -f disk && truncate -s 48M disk
if mkfs.ext4 -q -N 24 disk && mount -o loop disk mnt 2>/dev/null; then
	begin -N -f 0
	i=0
	while touch "mnt/filler$i" 2>/dev/null; do i=$((i + 1)); done
	rm mnt/filler0 mnt/filler1
	"$make_records" -n 4 -w in >pipe
	ok "no inodes: it says so" waits 60 grep -q 'cannot be created, trying again every second: No space left' said
	rm mnt/filler*
	ok "with inodes again: the others come" waits 60 lines names 4
	end "with inodes again" 4
	umount mnt
fi

# --- a device that gives errors for writes, and works again ---
if command -v nbdkit >/dev/null && command -v nbdfuse >/dev/null && [ -e /dev/fuse ]; then
	for fs in ext4 xfs; do
		size=$([ $fs = xfs ] && echo 320M || echo 48M)
		mkdir -p nbd && rm -f flag
		nbdfuse nbd/disk --command nbdkit -s --exit-with-parent --filter=error memory $size error-pwrite=EIO error-pwrite-rate=100% \
			error-pwrite-file="$T/flag" >nbd.said 2>&1 &
		nbd=$!
		stop_at_end $nbd
		waits 60 test -e nbd/disk
		loop=$(losetup -f --show nbd/disk)
		if ! mkfs.$fs -q $loop || ! mount $loop mnt; then
			ok "$fs on a device" false
			break
		fi
		begin -S 100
		"$make_records" -n 3 -w in >pipe
		ok "$fs on a device: three names" waits 60 lines names 3
		touch flag
		"$make_records" -n 3 -r 100 -e 2 -w in >pipe
		ok "$fs, errors for all writes: it says so" waits 60 grep -qE 'trying again every second' said
		ok "$fs, errors: it does not exit" lives $pid
		is "$fs, errors: no more names" "$(wc -l <names)" 3
		kill -TERM $pid
		wait $pid
		is "$fs, errors: stopped, exit 111" $? 111
		rm flag
		umount mnt && mount $loop mnt
		ok "$fs works again: what was printed is there" names_equal names mnt/d in
		again -S 100
		"$make_records" -n 2 -e 3 -w in >pipe
		ok "$fs works again: recording goes on from the same pipe" waits 60 grep -q '^0000000003-0000000001' names
		exec 8>&-
		wait $pid
		ok "$fs works again: what was printed is there, as far as it was written" names_begin names mnt/d in
		is "$fs works again: what is left unfinished has no header, and is told" "$(count mnt/d .part)" \
			"$(grep -c 'part: left alone: does not begin' said)"
		umount mnt
		losetup -d $loop
		loop=''
		# which may not let go of it at once when others look at the machine's block devices
		waits 60 umount nbd || kill $nbd
		wait $nbd
	done
else
	echo "# no nbdkit, nbdfuse or /dev/fuse: no device with errors"
fi
tap_done
