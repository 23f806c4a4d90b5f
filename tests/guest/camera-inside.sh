# shellcheck shell=dash
# camera-inside.sh: what camera.sh runs in the guest. Everything is left in /mnt/out, exit codes in NAME.code, messages in
# NAME.err.
. /mnt/src/tests/guest/inside.sh
cd /mnt/out || exit 1

# runs NAME COMMAND...: as a user, its output in NAME.out
runs() {
	name=$1; shift
	as_user timeout -s KILL 60 "$@" >"$name.out" 2>"$name.err"
	echo $? >"$name.code"
}
# after SECONDS COMMAND...: in the background
after() { (sleep "$1"; shift; "$@") & }

runs no-device cam-capture
modprobe vimc
runs no-access cam-capture
chgrp 44 /dev/media* /dev/video* /dev/v4l-subdev* && chmod 660 /dev/media* /dev/video* /dev/v4l-subdev*
runs no-udev cam-capture
devices

runs list cam-capture -l
runs record timeout -s TERM 10 cam-capture -s 640x480 -b 4M
runs dark timeout -s TERM 4 cam-capture -c 0 -s 320x240 -C brightness=-0.5
runs bright timeout -s TERM 4 cam-capture -c "platform/vimc.0 Sensor B" -s 320x240 -C brightness=0.5
runs no-control cam-capture -C sharpness=1
runs no-range cam-capture -C contrast=3
runs no-turn cam-capture -R 180
runs no-camera cam-capture -c 7

# the camera's part of the pipeline
mkdir -p spool && chown 2001 spool door
as_user sh -c 'timeout -s TERM 8 cam-capture -s 640x480 | cam-seal -i door/door.key -r door/me.pub | cam-spool spool' \
	>sealed.out 2>sealed.err
echo $? >sealed.code

as_user timeout -s TERM 8 cam-capture -s 320x240 >first.out 2>first.err &
sleep 4
runs busy cam-capture -s 320x240
wait

# what it costs: user and system time, in hundredths of a second, and the largest memory
as_user cam-capture -s 640x480 >cost.out 2>cost.err &
sleep 3
p=$(pgrep -x cam-capture) && awk '{print $14 + $15}' "/proc/$p/stat" >cost.before && sleep 8 && awk '{print $14 + $15}' "/proc/$p/stat" >cost.after
grep VmHWM "/proc/$p/status" >cost.memory
ls -l "/proc/$p/fd" >cost.fd
ls "/proc/$p/task" | wc -l >cost.threads
kill "$p"
wait

after 4 sh -c 'date +%s%N >unplug.time; echo vimc.0 >/sys/bus/platform/drivers/vimc/unbind'
runs unplug cam-capture -s 320x240 -w 3
date +%s%N >unplug.ended
ls /dev/media* >unplug.devices 2>&1
runs unplugged cam-capture
exit 0
