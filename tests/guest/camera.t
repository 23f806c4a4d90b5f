#!/bin/sh
# A real camera of the kernel (vimc) through libcamera, in the guest: frames, sizes, colours, times, access, busy, unplugged.
# Takes minutes.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
stream=$top/tests/cam-capture/stream.py

at_least() { [ "${1:-0}" -ge "$2" ]; }
decodes() { ffmpeg -v warning -xerror -probesize 100M -i "$1" -f null - 2>"$T/ff" >/dev/null && ! [ -s "$T/ff" ]; }
probe() { ffprobe -v error -count_frames -select_streams v -show_entries "stream=$2" -of csv=p=0 "$1"; }
# left NAME CODE: the program has left with this code; its messages are in tap.err then.
left() {
	is "$1: exit $2" "$(cat "out/$1.code")" "$2"
	cp "out/$1.err" tap.err
}
# line NAME CODE REGEX: one line and that code
line() {
	left "$1" "$2"
	says "  says: $3" "^cam-capture: $3"
	# what libcamera has to say of a device that goes away is its own
	is "  and no more than that" "$(grep -cvE '^cam-capture: (encoder|camera .*: [0-9]+x|.* frames lost|libcamera:)' tap.err)" 1
}
# luma FILE: of its last picture, the mean.
luma() {
	ffmpeg -v error -i "$1" -vf signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=- -f null - |
		sed -n 's/.*YAVG=\([0-9]*\).*/\1/p' | tail -n 1
}
# pixel X Y: its red, green and blue in record.out, each as none, some or much.
pixel() {
	ffmpeg -v error -i out/record.out -frames:v 1 -vf "format=rgb24,crop=1:1:$1:$2" -pix_fmt rgb24 -f rawvideo - |
		od -An -tu1 | awk '{for (i = 1; i < 4; i++) printf "%s", ($i < 60 ? "-" : $i > 130 ? "+" : "?")}'
}

mkdir -p out/door && chmod 777 out
(cd out/door && cam-key -g -n me && cam-key -g -s door) >/dev/null 2>&1
chown -R 2001:2001 out/door
sh "$top/tests/guest/run.sh" -t "${GUEST_SECONDS:-900}" -o "$T/out" 'sh /mnt/src/tests/guest/camera-inside.sh' >guest.out 2>&1
tap_result $? "the guest"
[ -s out/unplugged.code ] || { sed 's/^/# /' guest.out; tap_done; }

line no-device 111 'no camera: there is no /dev/media device: no driver has found one'
line no-access 111 'no camera: /dev/media0: Permission denied'
line no-udev 111 'no camera: libcamera v[0-9.]* knows none of the devices here, or udev has not announced them'

left list 0
ok "lists the camera, its formats and its controls" sh -c 'grep -q "^camera	platform/vimc.0 Sensor B	0 Sensor B$" out/list.out &&
	grep -q "^format	platform/vimc.0 Sensor B	BGR888 .* 640x480" out/list.out &&
	grep -q "^control	platform/vimc.0 Sensor B	brightness -1 to 1$" out/list.out'

left record 0
says "what became of size and format is said" \
	'^cam-capture: camera platform/vimc.0 Sensor B: 636x480 instead of 640x480, (RGB|BGR)888 converted, [0-9.]+ frames a second$'
says "and the encoder" '^cam-capture: encoder x264: software$'
is "size and colour" "$(ffprobe -v error -show_entries stream=width,height,color_range,color_space -of csv=p=0 out/record.out)" \
	"636,480,tv,smpte170m"
ok "decodes without a word" decodes out/record.out
ok "access units are as promised" sh -c "$stream <out/record.out >record.txt"
ok "a frame is written or counted as lost" sh -c "awk '\$3 - \$4 != \$1 {exit 1} END {exit NR < 10}' record.txt"
ok "times grow, by both clocks" sh -c "awk 'NR > 1 && (\$6 <= b || \$5 <= u) {exit 1} {b = \$6; u = \$5}' record.txt"
ok "by the time between frames" sh -c "awk 'NR > 1 && \$6 - b < 1e6 {exit 1} {b = \$6}' record.txt"
ok "UTC and time since boot go alike" sh -c \
	"awk 'NR > 1 && ((\$5 - u) - (\$6 - b) > 2e6 || (\$5 - u) - (\$6 - b) < -2e6) {exit 1} {b = \$6; u = \$5}' record.txt"
is "the bars have their colours, red where it is red" \
	"$(for x in 110 190 270 350 430 510; do printf '%s ' "$(pixel $x 400)"; done)" "++- -++ -+- +-+ +-- --+ "

ok "brightness makes it brighter" at_least "$(luma out/bright.out)" $(($(luma out/dark.out) + 40))
line no-control 100 '-C sharpness: camera platform/vimc.0 Sensor B has no such control: it has brightness contrast saturation$'
line no-range 100 '-C contrast: camera platform/vimc.0 Sensor B takes from 0 to 2'
line no-turn 100 '-R: camera platform/vimc.0 Sensor B cannot turn'
line no-camera 111 'no camera 7: there are: 0 \(platform/vimc.0 Sensor B\)'

is "sealed and spooled: exit" "$(cat out/sealed.code)" 0
ok "opens again" sh -c 'cat out/spool/*.cam | cam-open -k out/door/me.key -s out/door/door.pub >opened.h264'
ok "access units are as promised" sh -c "$stream <opened.h264 >opened.txt && [ \$(wc -l <opened.txt) -ge 10 ]"
ok "decodes without a word" decodes opened.h264

left first 0
line busy 111 '(camera platform/vimc.0 Sensor B|no camera: /dev/media0): busy: another process has it'

line unplug 111 'camera platform/vimc.0 Sensor B: (no frame for 3 s|is gone: unplugged\?)'
ok "ends in the time that was given, and what a busy host takes" \
	at_least 20000000000 $(($(cat out/unplug.ended) - $(cat out/unplug.time)))
ok "what was written before decodes" sh -c "$stream -t <out/unplug.out >unplug.txt && [ -s unplug.txt ]"
left unplugged 111

echo "# 640x480 vimc to x264 in the guest: $(cat out/record.cpu)0 ms of CPU for $(probe out/record.out nb_read_frames) frames," \
	"$(tr -s '\t ' ' ' <out/record.memory), $(wc -l <out/record.threads) threads"
tap_done
