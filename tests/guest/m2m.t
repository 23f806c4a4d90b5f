#!/bin/sh
# The encoder of m2m.c on a real driver, in the guest. What went in is compared with what came out by ffmpeg.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/guest/guest.sh
. "$top/tests/guest/guest.sh"

# psnr FORMAT SIZE FILE REFERENCE...: least PSNR of a frame, in dB, rounded down.
psnr() {
	format=$1 size=$2 file=$3; shift 3
	ffmpeg -nostdin -v error -r 25 -f rawvideo -pix_fmt "$format" -s "$size" -i "$file" -r 25 "$@" \
		-lavfi "[0:v][1:v]psnr=shortest=1:stats_file=$T/psnr" -f null - &&
		sed -n 's/.*psnr_avg:\([0-9.inf]*\).*/\1/p' "$T/psnr" | sed 's/inf/99/' | sort -n | head -n 1 | cut -d . -f 1
}
above() { echo "$1 dB, wanted more than $2"; [ "${1:-0}" -gt "$2" ]; }

mkdir out
ffmpeg -v error -f lavfi -i testsrc2=s=640x480:r=10:d=3 -pix_fmt yuv420p out/in.y4m
guest m2m
is "as many decoded frames as encoded ones" "$(wc -c <out/opened.raw)" $((30 * 640 * 480 * 3 / 2))
ok "they look like those of the file" above "$(psnr yuv420p 640x480 out/opened.raw -i out/in.y4m)" 28
is "of the camera as well" "$(wc -c <out/camera.raw)" "$(($(wc -l <out/camera.txt) * 720 * 480 * 3))"
ok "they look like what another program gets from it" above "$(psnr bgr24 720x480 out/camera.raw \
	-stream_loop -1 -f rawvideo -pix_fmt bgr24 -s 720x480 -i out/ref.raw)" 25
tap_done
