#!/bin/sh
# What cam-capture writes, looked at by ffmpeg, ffprobe and stream.py.
# shellcheck disable=SC2317
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
stream=$top/tests/cam-capture/stream.py

decodes() { ffmpeg -v warning -xerror -probesize 100M -i "$1" -f null - 2>"$T/ff" >/dev/null && ! [ -s "$T/ff" ]; }
probe() { ffprobe -v error -count_frames -select_streams v -show_entries "stream=$2" -of csv=p=0 "$1"; }
# psnr FILE1 FILE2: average in whole dB.
psnr() {
	ffmpeg -v info -i "$1" -i "$2" -lavfi psnr -f null - 2>&1 |
		sed -n 's/.*PSNR.* average:\([0-9]*\).*/\1/p; s/.* average:inf.*/100/p'
}
at_least() { [ "${1:-0}" -ge "$2" ]; }
column() { awk -v c="$1" '{printf "%s ", $c}' "$2"; }
idrs() { awk '$2 == "I" {printf "%s ", $1}' "$1"; }
counted() { awk '$3 - $4 != $1 {bad = 1} END {exit bad || !NR}' "$1"; }

ffmpeg -v error -f lavfi -i testsrc=s=320x240:r=25:d=4 -pix_fmt yuv420p in.y4m

ok "a file as fast as possible" sh -c 'cam-capture -i in.y4m -F -b 1M >file.h264 2>err && ! [ -s err ]'
is "size, rate and number of frames" \
	"$(probe file.h264 width,height,r_frame_rate,has_b_frames,nb_read_frames)" "320,240,0,25/1,100"
ok "decodes without a word" decodes file.h264
ok "access units are as promised" sh -c "$stream <file.h264 >file.txt"
is "an IDR picture each second" "$(idrs file.txt)" "0 25 50 75 "
is "no frame is missing" "$(column 3 file.txt)" "$(seq -s ' ' 0 99) "
is "none is counted as dropped" "$(awk '$4 != 0' file.txt | wc -l)" 0
ok "PSNR is above 30 dB" at_least "$(psnr file.h264 in.y4m)" 30
is "times advance by the frame interval" "$(awk 'NR > 1 {d = $6 - b; if (d != 40000000) print d} {b = $6}' file.txt)" ""
is "UTC as well, but for the rounding of awk" "$(awk 'NR > 1 {d = $5 - u - 4e7; if (d * d > 1e6) print d} {u = $5}' file.txt)" ""
ok "and it is no time long ago" sh -c "awk 'NR == 1 {exit !(\$5 > 1.6e18)}' file.txt"
is "each has a score of motion" "$(awk '$8 > 1000 { print }' file.txt)" ""
ok "the clock's state is one of three" sh -c "awk '\$7 !~ /^[012]\$/ {exit 1}' file.txt"
ok "the pictures are those that x264 makes by itself" sh -c 'ffmpeg -v error -i in.y4m -c:v libx264 -preset ultrafast \
	-tune zerolatency -threads 1 -b:v 1M -maxrate 1M -bufsize 1M -g 25 -sc_threshold 0 -f h264 theirs.h264 &&
	ffmpeg -v error -i file.h264 -f md5 - >a && ffmpeg -v error -i theirs.h264 -f md5 - >b && cmp a b'

ok "from stdin" sh -c 'ffmpeg -v error -i in.y4m -f yuv4mpegpipe - | cam-capture -i - -F -g 2 >stdin.h264'
is "all frames" "$(probe stdin.h264 nb_read_frames)" 100
ok "access units are as promised" sh -c "$stream <stdin.h264 >stdin.txt"
is "an IDR picture each two seconds" "$(idrs stdin.txt)" "0 50 "
ok "decodes without a word" decodes stdin.h264

for rate in 30000/1001 5 1/2; do
	ffmpeg -v error -f lavfi -i "testsrc2=s=66x34:r=$rate" -frames:v 12 -pix_fmt yuv420p -y rate.y4m
	ok "$rate frames a second" cam-capture -i rate.y4m -F
	cp tap.out rate.h264
	case $rate in */*) want=$rate ;; *) want=$rate/1 ;; esac
	is "as ffprobe sees it" "$(probe rate.h264 width,height,r_frame_rate,nb_read_frames)" "66,34,$want,12"
	ok "decodes without a word" decodes rate.h264
done

ffmpeg -v error -f lavfi -i testsrc2=s=64x64:r=10:d=1 -pix_fmt yuvj420p -vf setsar=4/3 -strict -1 -y full.y4m
ok "full range and aspect ratio" cam-capture -i full.y4m -F
cp tap.out full.h264
is "are passed on" "$(probe full.h264 sample_aspect_ratio,color_range)" "4:3,pc"

# Bitrate: noise takes all that it gets.
ffmpeg -v error -f lavfi -i "nullsrc=s=320x240:r=25:d=4,geq=random(1)*255:128:128" -pix_fmt yuv420p noise.y4m
for k in 500 2000; do
	cam-capture -i noise.y4m -F -b ${k}k >noise.h264
	got=$(($(wc -c <noise.h264) * 8 / 4 / 1000))
	ok "$k kbit/s of noise take $got" [ $got -gt $((k * 7 / 10)) -a $got -lt $((k * 125 / 100)) ]
done

# The test pattern, without pacing: as many frames as head lets through.
ok "a fast pattern" sh -c 'cam-capture -T -F -s 642x362 -r 50 | head -c 1500000 >pattern.h264'
ok "access units are as promised" sh -c "$stream -t <pattern.h264 >pattern.txt"
ok "no frame is missing" counted pattern.txt
is "none is dropped" "$(awk '$4 != 0' pattern.txt | wc -l)" 0
is "size and rate" "$(ffprobe -v error -show_entries stream=width,height,r_frame_rate -of csv=p=0 pattern.h264)" "642,362,50/1"
is "IDR pictures a second apart" "$(idrs pattern.txt | cut -d ' ' -f 1-3)" "0 50 100"

# In real time: a file of one second takes one (and not half), whatever the machine does; frames are stamped as they come.
ffmpeg -v error -f lavfi -i testsrc=s=64x64:r=25:d=1 -pix_fmt yuv420p second.y4m
ok "a file in real time" sh -c 'date +%s%N >t0; cam-capture -i second.y4m >second.h264; date +%s%N >t1'
ok "takes as long as it should" at_least $(($(cat t1) - $(cat t0))) 960000000
$stream <second.h264 >second.txt
is "no frame is missing" "$(column 3 second.txt)" "$(seq -s ' ' 0 24) "
ok "frames are stamped no sooner than they are due" \
	sh -c "awk 'NR == 1 {b = \$6} \$6 - b < (NR - 1) * 40000000 - 1000000 {exit 1}' second.txt"
ok "stamps lie between start and end" sh -c "awk -v a=\$(cat t0) -v b=\$(cat t1) '\$5 < a || \$5 > b {exit 1}' second.txt"
tap_done
