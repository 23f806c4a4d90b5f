#!/bin/sh
# Arguments and input that cam-capture refuses, and how it says so.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

# wrong REGEX ARGUMENT...: a usage error that says so.
wrong() {
	want=$1; shift
	exits 100 "cam-capture $*" timeout 60 cam-capture "$@"
	says "  says: $want" "^cam-capture: .*$want"
}
# refuses CODE REGEX NAME: in.y4m is refused.
refuses() {
	exits "$1" "$3" timeout 60 cam-capture -i in.y4m -F
	says "  says: $2" "^cam-capture: .*$2"
}
header() { printf '%s\n' "YUV4MPEG2 $1" >in.y4m; }

# On a machine without a camera.
if ! ls /dev/media* >/dev/null 2>&1; then
	for a in "" "-s 640x480 -r 25" "-c 0" "-C brightness=1 -R 180"; do
		# shellcheck disable=SC2086
		exits 111 "no camera: cam-capture $a" timeout 60 cam-capture $a
		says "  says so" '^cam-capture: no camera: there is no /dev/media device: no driver has found one$'
		is "  and no more" "$(wc -l <tap.err)" 1
	done
fi
wrong 'unknown option' -x
wrong 'needs an argument' -s
wrong 'given twice' -T -T
wrong 'unexpected operand' -T file
wrong '-i and -T contradict' -T -i file
wrong '-i and -s contradict' -i file -s 640x480
wrong '-i and -r contradict' -i file -r 25
for o in "-c 0" "-R 180" "-C gain=1" "-w 1"; do
	# shellcheck disable=SC2086
	wrong '-i and .* contradict' -i file $o
	# shellcheck disable=SC2086
	wrong '-T and .* contradict' -T $o
done
wrong '-F: a camera is not faster' -F
wrong '-F and -c contradict' -F -c 0
for t in 1 45 -90 360 hv H ''; do wrong 'not one of 0 90 180 270 h v' -R "$t"; done
for w in 0 601 1.5 x ''; do wrong 'not a time from 1 to 600' -w "$w"; done
wrong '-C sharpnes=1: not a control: there are exposure gain .* sharpness$' -C sharpnes=1
wrong '-C white-balance=moon: not one of auto .* cloudy$' -C white-balance=moon
wrong '-C gain: needs =VALUE' -C gain
wrong '-C gain=x: needs a number' -C gain=x
wrong '-C gain: given twice' -C gain=1 -C gain=2
wrong '-e x265: not an encoder: there are: .*x264' -e x265
for o in "-s 64x64" "-r 25" "-b 1M" "-g 1" "-i file" -T -F "-c 0" "-R 0" "-C gain=1" "-e x264"; do
	# shellcheck disable=SC2086
	wrong '-l and .* contradict' -l $o
done
for s in 640 640x x480 640x480x 640x-480 0x0 14x64 64x14 4098x64 64x4098 65x64 64x65 640X480 ' 640x480' 99999999999x64; do
	wrong 'not WIDTHxHEIGHT' -T -s "$s"
done
for r in 0 121 -1 25.0 30000/1001 ''; do wrong 'not a number from 1 to 120' -T -r "$r"; done
for b in 0 99999 99k 26M 25000001 1G 1.5M M k '' -1 18446744073709551616 18446744073709551617k 999999999999999999; do
	wrong 'not a bitrate' -T -b "$b"
done
for g in 0 61 1.5 ''; do wrong 'not a number from 1 to 60' -T -g "$g"; done
wrong 'a GOP of more than 4 MiB' -T -g 17
wrong 'a GOP of more than 4 MiB' -T -g 2 -b 25M
for d in 2 1024 x 9; do wrong '-D' -T -D $d; done

exits 100 "stdout is a terminal" script -qec "timeout 60 cam-capture -T 2>$T/said" /dev/null
ok "says so" grep -q 'stdout: a terminal' said
exits 100 "stdout is closed" sh -c 'timeout 60 cam-capture -T >&-'
says "says so" 'stdout: is closed'
exits 111 "a file that is not there" cam-capture -i nothing.y4m
says "says so" 'nothing.y4m: cannot open: No such file'
exits 111 "a directory" cam-capture -i /
says "says so" '/: cannot read: Is a directory'

: >in.y4m
refuses 1 'in.y4m: not a YUV4MPEG2 stream: it is empty' "an empty file"
printf 'YUV4MPEG2 W64 H64 F25:1' >in.y4m
refuses 1 'it has no header line' "a header without an end"
head -c 100000 /dev/zero >in.y4m
refuses 1 'it has no header line' "zeros"
head -c 5000 /dev/zero | tr '\0' '\n' >in.y4m
refuses 1 'not a YUV4MPEG2 stream' "newlines"
header 'W64 H64 F25:1 C444'; refuses 1 'in.y4m: C444: only 4:2:0' "4:4:4"
header 'W64 H64 F25:1 It C420jpeg'; refuses 1 'in.y4m: It: interlaced' "interlaced video"
header 'W63 H64 F25:1'; refuses 1 'in.y4m: W63: odd' "an odd width"
header 'W64 H65 F25:1'; refuses 1 'in.y4m: H65: odd' "an odd height"
header 'W100000 H64 F25:1'; refuses 1 'in.y4m: W100000: sizes' "a giant"
header 'W64 H64'; refuses 1 'frame rate is missing' "no frame rate"

ffmpeg -v error -f lavfi -i testsrc=s=64x64:r=25:d=1 -pix_fmt yuv420p whole.y4m
frames() { ffprobe -v error -count_frames -show_entries stream=nb_read_frames -of csv=p=0 "$1"; }
head -c 40000 whole.y4m >in.y4m
refuses 1 'in.y4m: frame 6: truncated: [0-9]+ of 6144 bytes' "a truncated frame"
cp tap.out part.h264
is "the whole ones are delivered" "$(frames part.h264)" 6
{ cat whole.y4m; printf 'FRA'; } >in.y4m
refuses 1 'in.y4m: frame 25: its FRAME line is missing or broken' "a truncated frame line"
cp tap.out part.h264
is "the whole ones are delivered" "$(frames part.h264)" 25
{ cat whole.y4m; printf 'FRAME Ippp Xany\n'; head -c 6144 /dev/zero; } >in.y4m
ok "a frame line with parameters" cam-capture -i in.y4m -F
cp tap.out part.h264
is "is a frame" "$(frames part.h264)" 26
{ cat whole.y4m; echo 'frame'; head -c 6144 /dev/zero; } >in.y4m
refuses 1 'its FRAME line is missing or broken' "another line"
head -n 1 whole.y4m >in.y4m
ok "a header and no frame: exit 0" cam-capture -i in.y4m
is "and no byte" "$(wc -c <tap.out)" 0

ok "-l" cam-capture -l
cp tap.out list
is "lists sources and encoders" "$(grep -E '^(source|encoder)' list | cut -f 1,2 | tr '\t\n' ' ,')" "source y4m,source pattern,source camera,encoder m2m,encoder x264,"
ok "the camera is built in" grep -q '^source	camera	libcamera (-c)$' list
exits 111 "-l to a full disk" sh -c 'cam-capture -l >/dev/full'

# Without libcamera.
ok "make LIBCAMERA=0" make -s -C "$top" SAN= O="$T/no-camera" LIBCAMERA=0 WERROR=1 "$T/no-camera/cam-capture"
ok "does without its library" sh -c '! ldd no-camera/cam-capture | grep -qE "camera|yuv|stdc"'
ok "-l" no-camera/cam-capture -l
cp tap.out list
ok "says so" grep -q '^source	camera	not built in (LIBCAMERA=0)$' list
exits 100 "has no camera" timeout 60 no-camera/cam-capture
says "says so" 'no camera: not built in.*-T.*-i FILE'

# Without x264.
ok "make X264=0" make -s -C "$top" SAN= O="$T/none" X264=0 WERROR=1 "$T/none/cam-capture"
ok "does without its library" sh -c '! ldd none/cam-capture | grep -q x264'
ok "-l" none/cam-capture -l
cp tap.out list
ok "says so" grep -q '^encoder	x264	not built in (X264=0)$' list
exits 100 "has no encoder" timeout 60 none/cam-capture -T
says "says so" 'no encoder: x264: not built in'
# a service has a ceiling for its memory (cam-services(8))
if [ ! "${SAN:-}" ]; then
	exits 111 "less memory than it takes" prlimit --data=$((20 << 20)) cam-capture -T -s 1920x1080
	says "which is said" 'Cannot allocate memory'
fi
tap_done
