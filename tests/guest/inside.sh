# shellcheck shell=sh
# inside.sh: what tests inside the guest share.

# devices: says of each camera device that it is ready, as udev would: libcamera takes no other. And its group may use it.
devices() {
	mkdir -p /run/udev/data
	for d in /sys/class/video4linux/* /sys/bus/media/devices/*; do
		[ -e "$d/dev" ] || continue
		echo I:1 >"/run/udev/data/c$(cat "$d/dev")"
		chgrp 44 "/dev/${d##*/}" && chmod 660 "/dev/${d##*/}"
	done
}

# as_user COMMAND...: as a user who is nobody but a member of the group video.
as_user() { setpriv --reuid 2001 --regid 2001 --groups 44 --no-new-privs "$@"; }
