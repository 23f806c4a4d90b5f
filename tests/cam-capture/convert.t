#!/bin/sh
# Conversion to I420, against that of ffmpeg (swscale), which shares no code with it.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
convert=$O/tests/cam-capture/convert

at_least() { [ "${1:-0}" -ge "$2" ]; }
# psnr W H: of out.yuv against theirs.yuv, average in whole dB.
psnr() {
	ffmpeg -v info -f rawvideo -pix_fmt yuv420p -s "$1x$2" -i out.yuv -f rawvideo -pix_fmt yuv420p -s "$1x$2" -i theirs.yuv \
		-lavfi psnr -f null - 2>&1 | sed -n 's/.*PSNR.* average:\([0-9]*\).*/\1/p; s/.* average:inf.*/100/p'
}
# padded WIDTH_BYTES STRIDE: each line of in.raw with bytes after it that are no picture.
padded() { python3 -c '
import sys
n, stride = map(int, sys.argv[1:])
data = open("in.raw", "rb").read()
sys.stdout.buffer.write(b"".join(data[i:i + n] + b"\xa5" * (stride - n) for i in range(0, len(data), n)))' "$@"; }

# converts FOURCC PIX_FMT BYTES W H
converts() {
	ffmpeg -v error -f lavfi -i "testsrc=s=$4x$5" -frames:v 1 -vf "scale=flags=accurate_rnd:out_color_matrix=bt601:out_range=tv" \
		-pix_fmt "$2" -f rawvideo -y in.raw
	ffmpeg -v error -f rawvideo -pix_fmt "$2" -s "$4x$5" -i in.raw \
		-vf "crop=$(($4 & ~1)):$(($5 & ~1)):0:0:exact=1,scale=flags=accurate_rnd+full_chroma_inp+bilinear:in_color_matrix=bt601:out_color_matrix=bt601:out_range=tv" \
		-pix_fmt yuv420p -f rawvideo -y theirs.yuv
	stride=$(($4 * $3 + $6))
	padded $(($4 * $3)) $stride >padded.raw
	ok "$1 $4x$5, $6 bytes after each line" sh -c "$convert $1 $4 $5 $stride <padded.raw >out.yuv"
	db=$(psnr $(($4 & ~1)) $(($5 & ~1)))
	ok "is what swscale makes of it: $db dB" at_least "$db" 38
}

for size in "636 480 0" "636 480 68" "130 98 6" "643 481 1"; do
	# shellcheck disable=SC2086
	set -- $size
	converts BG24 rgb24 3 "$@"
	converts RG24 bgr24 3 "$@"
	converts XR24 bgr0 4 "$@"
	converts XB24 rgb0 4 "$@"
	converts AR24 bgra 4 "$@"
	converts AB24 rgba 4 "$@"
done
converts YUYV yuyv422 2 636 480 8
converts UYVY uyvy422 2 636 480 8

# 4:2:0 is only laid out anew
ffmpeg -v error -f lavfi -i testsrc2=s=320x240 -frames:v 1 -pix_fmt yuv420p -f rawvideo -y theirs.yuv
ffmpeg -v error -f rawvideo -pix_fmt yuv420p -s 320x240 -i theirs.yuv -pix_fmt nv12 -f rawvideo -y in.raw
ok "NV12" sh -c "$convert NV12 320 240 320 <in.raw >out.yuv && cmp out.yuv theirs.yuv"
ok "I420" sh -c "$convert YU12 320 240 320 <theirs.yuv >out.yuv && cmp out.yuv theirs.yuv"
exits 1 "lines that are too short" $convert BG24 320 240 959
exits 1 "a format that is not known" $convert MJPG 320 240 960
tap_done
