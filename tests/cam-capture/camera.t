#!/bin/sh
# The camera source in the real program, with a camera that is made up in the place of libcamera (fake.c): what is asked for and
# what becomes of it, times, numbers, and every way in which a camera fails. The real one is in tests/guest.
# shellcheck disable=SC2317
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
stream=$top/tests/cam-capture/stream.py
fake=$O/tests/cam-capture/fake

decodes() { ffmpeg -v warning -xerror -probesize 100M -i "$1" -f null - 2>"$T/ff" >/dev/null && ! [ -s "$T/ff" ]; }
probe() { ffprobe -v error -count_frames -select_streams v -show_entries "stream=$2" -of csv=p=0 "$1"; }
at_least() { [ "${1:-0}" -ge "$2" ]; }
# frames FAKE N ARGUMENT...: records until the camera has given N frames and is gone, into out.h264, its lines in out.txt
frames() {
	f=$1 n=$2; shift 2
	FAKE="$f gone=$n" timeout 60 "$fake" "$@" >out.h264 2>said
	code=$?
	$stream -t <out.h264 >out.txt
	[ $code = 111 ]
}
# fails CODE FAKE REGEX ARGUMENT...: and says no more than one line, within the time that -w sets and not by being killed.
fails() {
	code=$1 f=$2 want=$3; shift 3
	exits "$code" "${f:-a camera} $*" env FAKE="$f" timeout 60 "$fake" "$@"
	says "  says: $want" "^cam-capture: $want"
	is "  and no more than that" "$(grep -cvE '^cam-capture: (encoder|camera [^ ]*: [0-9]+x|.* frames lost)' tap.err)" 1
}

# --- a camera that says nothing more: 10 s each, while the rest of this is tried ---

# late N FAKE ARGUMENT...
late() {
	n=$1 f=$2; shift 2
	{ FAKE="$f" timeout 120 "$fake" -w 10 "$@" >/dev/null 2>"late$n"; echo $? >"late$n.code"; } &
}
late 1 silent=0
late 2 "rate silent=10" -s 64x64
late 3 "fps=40 silent=9" -s 64x64
late 4 "rate bad=5 silent=7" -s 64x64
# failed N NAME: that one did, and said no more than that.
failed() {
	waits 120 test -s "late$1.code"
	is "$2 (exit 111)" "$(cat "late$1.code")" 111
	ok "  says so" grep -q '^cam-capture: camera fake0: no frame for 10 s' "late$1"
	is "  and no more than that" "$(grep -cvE '^cam-capture: (encoder|camera [^ ]*: [0-9]+x|.* frames lost)' "late$1")" 1
}

# --- what comes out ---

for format in NV12 YU12 YUYV UYVY RG24 BG24 XR24 XB24 AR24 AB24; do
	ok "$format" frames "format=$format fps=50 pad=6" 20 -s 320x240 -b 4M
	ok "decodes without a word" decodes out.h264
	is "is 320x240" "$(probe out.h264 width,height)" "320,240"
	case $format in
	?V* | YU* | UYVY) matrix=bt709 want="geq=lum='16+X*219/W':cb=192:cr=64" ;;
	*) matrix=smpte170m want="geq=r='X*255/W':g='Y*255/H':b=128,scale=out_color_matrix=bt601:out_range=tv" ;;
	esac
	is "of that colour" "$(ffprobe -v error -show_entries stream=color_range,color_space -of csv=p=0 out.h264)" "tv,$matrix"
	ffmpeg -v error -f lavfi -i "color=s=320x240,format=$([ $matrix = bt709 ] && echo yuv420p || echo gbrp),$want" \
		-frames:v 1 -pix_fmt yuv420p -f rawvideo -y want.yuv
	ffmpeg -v error -i out.h264 -frames:v 1 -pix_fmt yuv420p -f rawvideo -y is.yuv
	db=$(ffmpeg -v info -f rawvideo -pix_fmt yuv420p -s 320x240 -i is.yuv -f rawvideo -pix_fmt yuv420p -s 320x240 -i want.yuv \
		-lavfi psnr -f null - 2>&1 | sed -n 's/.*PSNR.* min:\([0-9][0-9]*\).*/\1/p; s/.*PSNR.* min:inf.*/100/p' | tail -n 1)
	ok "is the picture that the camera gave: $db dB" at_least "$db" 32
done

ok "a size that the camera changes" frames "format=BG24 step=6 fps=50" 20 -s 640x480
ok "is said" grep -q '^cam-capture: camera fake0: 636x480 instead of 640x480, BGR888 converted' said
is "and is what comes out" "$(probe out.h264 width,height)" "636,480"
for size in 641x480 640x481 641x481; do
	ok "$size" frames "size=$size fps=50 planes pad=2" 20 -s 640x480
	ok "is said, and what is cut" grep -q "^cam-capture: camera fake0: $size instead of 640x480, cut to 640x480, NV12" said
	is "and is even" "$(probe out.h264 width,height)" "640,480"
	ok "decodes without a word" decodes out.h264
done

# --- times and numbers ---

ok "the rate that was asked for" frames "rate" 40 -s 64x64 -r 25
ok "is said" grep -q 'NV12, 25 frames a second$' said
is "is in the stream" "$(probe out.h264 r_frame_rate)" "25/1"
is "an IDR picture each second" "$(awk '$2 == "I" && $1 <= 25 {printf "%s ", $1}' out.txt)" "0 25 "
ok "a rate that the camera cannot give" frames "rate" 10 -s 64x64 -r 100
ok "is said" grep -q '50 frames a second instead of what was asked for$' said
ok "a camera that cannot be told" frames "fps=20" 15 -s 64x64
ok "is measured" grep -qE 'NV12, [0-9.]+ frames a second$' said
ok "those that were measured are not counted" sh -c "awk 'NR == 1 && (\$3 || \$4) || \$3 - \$4 != \$1 {exit 1} END {exit !NR}' out.txt"
for clock in monotonic boot odd; do
	date +%s%N >t0
	ok "$clock clock" frames "rate clock=$clock" 20 -s 64x64 -r 40
	date +%s%N >t1
	ok "stamps lie between start and end, by both clocks" sh -c "awk -v a=\$(cat t0) -v b=\$(cat t1) '\$5 < a || \$5 > b {exit 1}' out.txt"
	ok "and grow" sh -c "awk 'NR > 1 && (\$6 <= b || \$5 < u) {exit 1} {b = \$6; u = \$5}' out.txt"
	is "what is of no clock is said once" "$(grep -c 'timestamps are of no clock' said)" "$([ $clock = odd ] && echo 1 || echo 0)"
done
ok "frames that the driver loses" frames "rate lose=5" 20 -s 64x64 -r 40
ok "are counted" sh -c "awk '\$3 - \$4 != \$1 {exit 1} END {exit \$4 < 3}' out.txt"
ok "a frame that is broken" frames "rate bad=6" 20 -s 64x64 -r 40
ok "is left out and counted" sh -c "awk '\$3 == 6 || \$3 == 7 || \$3 - \$4 != \$1 {exit 1} END {exit \$4 < 2}' out.txt"
# 2000 frames a second are too many for any encoder: it takes what it can, in order, and the rest is counted.
ok "an encoder that is too slow" frames "rate fps=2000" 600 -s 1920x1080
ok "drops and counts" sh -c "awk '\$3 - \$4 != \$1 {exit 1} END {exit \$4 < 10}' out.txt"
ok "decodes without a word" decodes out.h264
fresh out.h264 said
FAKE="rate fps=50" "$fake" -s 64x64 >out.h264 2>said &
pid=$!
stop_at_end $pid
waits 60 test -s out.h264
kill $pid
wait $pid
is "SIGTERM ends it: exit 0" $? 0
ok "what it has written is whole" sh -c "$stream <out.h264 >out.txt && [ -s out.txt ]"
mkfifo ready
FAKE="rate silent=1" "$fake" -s 64x64 -D 3 -w 600 >/dev/null 2>&1 3>ready &
pid=$!
stop_at_end $pid
ok "-D" sh -c 'timeout 60 head -c 1 <ready | grep -q "^$"'
kill $pid
wait $pid

# --- failures ---

fails 111 "rate gone=5" 'camera fake0: is gone: unplugged?' -s 64x64
fails 111 gone=5 'camera fake0: is gone: unplugged?' -s 64x64
fails 111 "rate abort=5" 'camera: libcamera aborted' -s 64x64
fails 111 busy 'camera fake0: busy: another process has it'
fails 111 novideo 'camera fake0: gives no video'
fails 111 noconfigure 'camera fake0: cannot be configured: Input/output error'
fails 111 nostart 'camera fake0: cannot start: Broken pipe'
fails 111 slow-open 'camera: opening it takes too long' -w 1
fails 111 small 'camera fake0: buffer 0 of 1280x720 NV12: Bad message'
fails 111 "small planes" 'camera fake0: buffer 0 of 1280x720 NV12: Bad message'
fails 111 "pad=-4" 'camera fake0: gives 1280x720 NV12, lines of 1276 bytes: cannot be encoded'
fails 111 buffers=1 'camera fake0: 1 buffers: Invalid argument'
fails 111 buffers=17 'camera fake0: 17 buffers'
fails 111 format=MJPG 'camera fake0: no format that can be encoded: it has MJPG'
fails 111 size=8x8 'camera fake0: gives 8x8: sizes are from 16 to 4096'
fails 111 size=5000x64 'camera fake0: gives 5000x64: sizes'
fails 111 cameras=0 'no camera: '
fails 111 cameras=2 'no camera fake2: there are: 0 \(fake0\) 1 \(fake1\)' -c fake2
fails 111 cameras=2 'no camera 2: there are: 0' -c 2
fails 100 noflip '-R: camera fake0 cannot turn or mirror' -R 180
fails 100 "" '-C sharpness: camera fake0 has no such control: it has brightness$' -C sharpness=1
fails 100 "" '-C brightness: camera fake0 takes from -1 to 1' -C brightness=2
fails 100 "" '-C brightness: camera fake0 takes from -1 to 1' -C brightness=-1.01
failed 1 "no frame at all"
failed 2 "ten frames"
failed 3 "nine, of a camera that cannot be told a rate"
failed 4 "seven, two of them broken"

ok "a camera by its id" frames "cameras=2 rate" 5 -s 64x64 -c fake1
ok "is that one" grep -q '^cam-capture: camera fake1: 64x64' said
ok "a camera by its number" frames "cameras=2 rate" 5 -s 64x64 -c 1
ok "is that one" grep -q '^cam-capture: camera fake1: 64x64' said
ok "-R" frames rate 5 -s 64x64 -R 180
ok "what libcamera says" frames "rate log" 5 -s 64x64
ok "is one of our lines" grep -q '^cam-capture: libcamera: V4L2 v4l2_device.cpp:1 made up$' said

FAKE=cameras=2 "$fake" -l >list 2>said
is "-l" "$(grep -vE '^(source|encoder)' list | tr '\t\n' ' ,')" \
	"camera fake0 0 imx000,format fake0 NV12 64x48 1920x1080,control fake0 brightness -1 to 1,camera fake1 1,format fake1 NV12 64x48 1920x1080,control fake1 brightness -1 to 1,"
tap_done
