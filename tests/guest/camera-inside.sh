# shellcheck shell=dash
# camera-inside.sh: what camera.t runs in the guest. Everything is left in /mnt/out, exit codes in NAME.code, messages in
# NAME.err.
# shellcheck source=tests/guest/inside.sh
. /mnt/src/tests/guest/inside.sh
cd /mnt/out || exit 1

# runs NAME COMMAND...: as a user, its output in NAME.out
runs() {
	name=$1; shift
	as_user timeout -s KILL 60 "$@" >"$name.out" 2>"$name.err"
	echo $? >"$name.code"
}
# records NAME BYTES ARGUMENT...: until there is so much, and the file $until; a busy host makes a slow guest. Then SIGTERM.
until=
records() {
	name=$1 enough=$2 n=0; shift 2
	# not as_user, whose process would be a shell
	setpriv --reuid 2001 --regid 2001 --groups 44 --no-new-privs cam-capture "$@" >"$name.out" 2>"$name.err" &
	p=$!
	while [ "$(stat -c %s "$name.out")" -lt "$enough" ] && [ $n -lt 120 ] && kill -0 $p; do sleep 1; n=$((n + 1)); done
	while [ "$until" ] && [ ! -e "$until" ] && kill -0 $p; do sleep 1; done
	awk '{print $14 + $15}' /proc/$p/stat >"$name.cpu"
	grep VmHWM /proc/$p/status >"$name.memory"
	ls /proc/$p/task >"$name.threads"
	kill $p
	wait $p
	echo $? >"$name.code"
}

runs no-device cam-capture
modprobe vimc
runs no-access cam-capture
chgrp 44 /dev/media* /dev/video* /dev/v4l-subdev* && chmod 660 /dev/media* /dev/video* /dev/v4l-subdev*
runs no-udev cam-capture
devices

runs list cam-capture -l
records record 300000 -s 640x480 -b 4M
records dark 20000 -c 0 -s 320x240 -C brightness=-0.5
records bright 20000 -c "platform/vimc.0 Sensor B" -s 320x240 -C brightness=0.5
runs no-control cam-capture -C sharpness=1
runs no-range cam-capture -C contrast=3
runs no-turn cam-capture -R 180
runs no-camera cam-capture -c 7

# the camera's part of the pipeline
mkdir -p spool && chown 2001 spool door
as_user sh -c 'timeout -s TERM 15 cam-capture -s 640x480 | cam-seal -i door/door.key -r door/me.pub | cam-spool spool' \
	>sealed.out 2>sealed.err
echo $? >sealed.code

(
	while [ ! -s first.out ]; do sleep 1; done
	runs busy cam-capture -s 320x240
) &
until=busy.code
records first 20000 -s 320x240

(
	while [ "$(stat -c %s unplug.out)" -lt 20000 ]; do sleep 1; done
	date +%s%N >unplug.time
	echo vimc.0 >/sys/bus/platform/drivers/vimc/unbind
) &
runs unplug cam-capture -s 320x240 -w 3
date +%s%N >unplug.ended
ls /dev/media* >unplug.devices 2>&1
runs unplugged cam-capture
exit 0
