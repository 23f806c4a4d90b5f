#!/bin/sh
# Recording from a camera in the guest, and what was recorded there, opened, taken apart and decoded here.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/guest/guest.sh
. "$top/tests/guest/guest.sh"
stream=$top/tests/cam-capture/stream.py

decodes() { ffmpeg -nostdin -v warning -xerror -probesize 100M -i "$1" -f null - 2>"$T/ff" >/dev/null && ! [ -s "$T/ff" ]; }
probe() { ffprobe -v warning -show_entries "stream=$2" -of csv=p=0 "$1" 2>&1; }
frames() { wc -l <"$1"; }

guest camera
cat out/spool/*.cam >all.cam
chmod 600 out/me.key
ok "every segment opens with one key and verifies with another" cam-open -k out/me.key -s out/door.pub -A 100000000 all.cam
cam-open -k out/me.key -s out/door.pub all.cam >all.h264 2>open.err
ok "access units are as promised" sh -c "$stream <all.h264 >all.txt"
ok "frames: $(frames all.txt)" test "$(frames all.txt)" -ge 20
ok "every frame is written or counted" awk '$3 - $4 != $1 {exit 1}' all.txt
is "size and rate by ffprobe, and no warning" "$(probe all.h264 width,height,codec_name)" "h264,720,480"
ok "ffmpeg decodes all without a warning" decodes all.h264
is "as many frames as access units" \
	"$(ffprobe -v error -count_frames -show_entries stream=nb_read_frames -of csv=p=0 all.h264)" "$(frames all.txt)"
ok "times increase, by both clocks alike to a millisecond" awk 'NR > 1 {
	u = $5 - utc; b = $6 - boot; if (u <= 0 || b <= 0 || u - b > 1e6 || b - u > 1e6) exit 1
} {utc = $5; boot = $6}' all.txt
ok "and are of the recording" awk -v begun="$(cat out/begun)" -v ended="$(cat out/ended)" -v up="$(cat out/uptime)" \
	'$5 < begun || $5 > ended || $6 > up * 1e9 || $6 <= 0 {exit 1}' all.txt
ok "sensor times are as many as frames" test "$(cut -d ' ' -f 6 all.txt | sort -u | wc -l)" = "$(frames all.txt)"
for s in out/spool/*.cam; do
	cam-open -k out/me.key -s out/door.pub "$s" >one.h264 2>/dev/null
	ok "${s##*/} decodes alone" decodes one.h264
done
ok "what came before the camera was unplugged is whole" sh -c "$stream <out/gone.h264 >gone.txt"
ok "and decodes" decodes out/gone.h264
tap_done
