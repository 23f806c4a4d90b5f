#!/bin/dash
# Recording from vimc by libcamera, as a user who is in the group video and nothing else, into the sealed pipeline; and
# what cam-capture says when the camera is busy, goes away, or is not there.
# shellcheck source=tests/tap.sh
. /mnt/src/tests/tap.sh
# shellcheck source=tests/guest/inside/devices.sh
. /mnt/src/tests/guest/inside/devices.sh
chmod 777 "$T"

one_line() { [ "$(grep -c . "$1")" = 1 ]; }

exits 111 "no camera" timeout 60 $as_user cam-capture
says "says so" 'cam-capture: .*camera'
sed "s/^/# /" tap.err
ok "in one line" one_line tap.err

modprobe vimc
devices
camera="platform/vimc.0 Sensor B"
exits 111 "a user outside the group video" timeout 60 setpriv --reuid 2001 --regid 2001 --clear-groups cam-capture
ok "the list has the camera" sh -c "$as_user cam-capture -l | grep -q '^camera	$camera	'"

# The chain.
date +%s%N >/mnt/out/begun
$as_user sh -c '
	cam-key -g -n me && cam-key -g -s door && mkdir spool &&
	{ timeout --preserve-status -s TERM 15 cam-capture -e x264 -s 720x480 2>capture.err; echo $? >capture.code; } |
	cam-seal -i door.key -r me.pub -t 3 2>seal.err | cam-spool spool >names 2>spool.err'
is "recorded: exit of the chain" $? 0
is "and of cam-capture" "$(cat capture.code)" 0
date +%s%N >/mnt/out/ended
awk '{print $1}' /proc/uptime >/mnt/out/uptime
ok "the adjusted format is said" grep -q "camera $camera: 720x480, RGB888 converted" capture.err
ok "the encoder is said" grep -q 'encoder x264: software' capture.err
ok "segments: $(grep -c 'cam$' names)" test "$(grep -c 'cam$' names)" -ge 2
ok "nothing is left over" sh -c '! ls spool/*.part 2>/dev/null'
cp -r me.key door.pub spool capture.err /mnt/out
cat seal.err spool.err

# The camera is busy: another program streams from it.
$as_user cam -c1 -s width=720,height=480 -C >cam.log 2>&1 &
cam=$!
stop_at_end $cam
waits 20 grep -q 'bytesused' cam.log
exits 111 "a camera that is busy" timeout 60 $as_user cam-capture -e x264
says "says so" 'busy: another process has it'
kill $cam
wait $cam 2>/dev/null

# Unplugged while it streams.
$as_user timeout 60 cam-capture -e x264 -s 720x480 >gone.h264 2>gone.err &
pid=$!
waits 30 test -s gone.h264
echo vimc.0 >/sys/bus/platform/drivers/vimc/unbind
wait $pid
is "a camera that is unplugged: exit" $? 111
ok "says so" grep -qE "cam-capture: camera .*: (is gone|no frame for)" gone.err
cat gone.err
cp gone.h264 /mnt/out
tap_done
