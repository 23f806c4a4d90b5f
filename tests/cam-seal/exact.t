#!/bin/sh
# open(seal(x)) == x, byte for byte, for what real encoders write, for what comes out of other tools, and for bytes
# that are no H.264 at all; and each segment plays alone.
. "$(dirname "$0")/../tap.sh"
command -v ffmpeg >/dev/null || skip_all "no ffmpeg"
py=$top/tests/cam-seal

cam-key -g -n me && cam-key -g -n you && cam-key -g -s door && cat me.pub you.pub >both || exit 1

encode() { # FRAMES SIZE OPTIONS...: to stdout
	frames=$1 size=$2; shift 2
	ffmpeg -nostdin -v error -f lavfi -i "testsrc2=s=$size:r=30" -frames:v "$frames" "$@" -f h264 -
}
x264() { # FRAMES X264-PARAMETERS OPTIONS...
	frames=$1 params=$2; shift 2
	encode "$frames" 160x120 -c:v libx264 -preset veryfast -x264-params "$params" "$@"
}

# exact NAME FILE [CAM-SEAL OPTION...]: through both tools and back, and the records are as the format says
exact() {
	name=$1 in=$2; shift 2
	cam-seal -i door.key -r both "$@" <"$in" >sealed 2>tap.err && cam-open -k you.key -s door.pub <sealed >opened 2>>tap.err
	code=$?
	if [ -s "$in" ]; then [ $code = 0 ]; else [ $code = 1 ]; fi && cmp "$in" opened >tap.out 2>&1
	tap_result $? "$name: $(wc -c <"$in") bytes"
}

# --- encoders ---
x264 60 keyint=30 -profile:v baseline >base.h264; exact "baseline" base.h264
x264 60 keyint=30:bframes=3:aud=1 -profile:v high >high.h264; exact "high, B-frames, delimiters" high.h264
x264 60 keyint=15:slices=4 >slices.h264; exact "four slices" slices.h264
x264 60 keyint=15:slices=4:aud=1:scenecut=0 >aud.h264; exact "four slices, delimiters" aud.h264
x264 60 keyint=60:intra-refresh=1 >refresh.h264; exact "intra refresh" refresh.h264
x264 30 keyint=10:interlaced=1 >interlaced.h264; exact "interlaced" interlaced.h264
x264 30 keyint=10 -pix_fmt yuv444p >444.h264; exact "4:4:4" 444.h264
x264 30 keyint=10:8x8dct=1:cabac=1:ref=4:weightp=2:nal-hrd=cbr:vbv-maxrate=500:vbv-bufsize=500:bitrate=500:filler=1 >hrd.h264
exact "HRD and filler" hrd.h264
x264 90 keyint=15:aud=1:scenecut=0 | "$py/stream.py" once >once.h264; exact "parameter sets only once" once.h264
x264 1 keyint=1 >one.h264; exact "one frame" one.h264
encode 2 3200x2400 -vf noise=alls=100:allf=t -c:v libx264 -preset ultrafast -qp 0 -x264-params keyint=2 >large.h264
largest=$(ffprobe -v error -show_entries packet=size -of csv=p=0 large.h264 | sort -n | tail -n 1)
ok "an access unit of more than 8 MiB ($largest)" [ "${largest%,}" -gt 8388608 ]
exact "which is lossless" large.h264
if ffmpeg -v error -encoders 2>/dev/null | grep -q libopenh264; then
	encode 30 160x120 -c:v libopenh264 >open.h264; exact "openh264" open.h264
fi

# --- other tools ---
ffmpeg -nostdin -v error -i high.h264 -c copy -bsf:v 'setts=ts=N' x.mp4 2>/dev/null || ffmpeg -nostdin -v error -r 30 -i high.h264 -c copy x.mp4 2>/dev/null
ffmpeg -nostdin -v error -i x.mp4 -c copy -bsf:v h264_mp4toannexb -f h264 mp4.h264
exact "out of an mp4" mp4.h264
"$py/stream.py" short <aud.h264 >short.h264; exact "short start codes" short.h264
{ head -c 5000 /dev/urandom; cat base.h264; } >garbage.h264; exact "garbage before" garbage.h264
{ cat base.h264; head -c 3000 /dev/zero; cat base.h264; head -c 70000 /dev/zero; } >zeros.h264; exact "zeros between and behind" zeros.h264
tail -c +3000 high.h264 >middle.h264; exact "joined in the middle" middle.h264
printf '\0\0\0\1\147\102\0\12\370\0\0\0\1\145\210\1\2\3' >sps.h264; exact "a picture parameter set is missing" sps.h264
printf '\0\0\0\1\150\316\70\200\0\0\0\1\145\210\1\2\3' >pps.h264; exact "the other one is missing" pps.h264
: >empty; exact "nothing" empty
head -c 3000000 /dev/urandom >random; exact "random bytes" random
head -c 1 random >byte; exact "one byte" byte
"$py/stream.py" sei <aud.h264 >sei.h264; exact "with cam-capture's message" sei.h264 -t 1
ffmpeg -nostdin -v error -r 30 -i sei.h264 -c copy -bsf:v h264_metadata=aud=remove,filter_units=remove_types=12 -f h264 remux.h264
exact "the same without delimiters" remux.h264 -t 1
ffmpeg -nostdin -v error -r 30 -i sei.h264 -c copy -bsf:v h264_metadata=level=5.1 -f h264 level.h264
exact "the same rewritten by another tool" level.h264 -t 1

# --- how it comes ---
"$py/stream.py" pieces 900 2 <slices.h264 | cam-seal -i door.key -r both >sealed 2>/dev/null
cam-open -k me.key -s door.pub <sealed 2>tap.err | cmp - slices.h264 >tap.out 2>&1
tap_result $? "in pieces of 900 bytes"
{ head -c 2000; sleep 0.25; head -c 3333; sleep 0.25; head -c 7; sleep 0.25; cat; } <slices.h264 | cam-seal -i door.key -r both >sealed 2>/dev/null
cam-open -k me.key -s door.pub <sealed 2>tap.err | cmp - slices.h264 >tap.out 2>&1
tap_result $? "with pauses in the middle of slices"
ok "whose records are as the format says" "$py/segment.py" -k you.key -s door.pub <sealed

# --- no IDR: cut at about 64 MiB ---
encode 30 640x360 -vf noise=alls=60:allf=t -c:v libx264 -preset ultrafast -qp 20 -x264-params keyint=1000:aud=1:scenecut=0 >few.h264
"$py/stream.py" endless 100 <few.h264 >endless.h264
cam-seal -i door.key -r both <endless.h264 2>/dev/null >sealed
cam-open -k me.key -s door.pub <sealed 2>tap.err | cmp - endless.h264 >tap.out 2>&1
tap_result $? "100 MB without IDR: $(wc -c <endless.h264) bytes"
cam-open -l -s door.pub <sealed >list 2>tap.err
is "in two segments, no longer than 64 MiB" "$(awk 'NR > 1 { n++; if ($7 > 67108864 || /not ok|,/) bad++ } END { print n, bad + 0 }' list)" "2 0"
rm -f sealed endless.h264 opened

# --- each segment plays alone ---
mkdir parts
x264 120 keyint=15:scenecut=0:aud=1 | "$py/stream.py" once | "$py/stream.py" sei >timed.h264
cam-seal -i door.key -r both -t 1 <timed.h264 >sealed 2>/dev/null
is "120 frames at 30 a second, -t 1" "$(cam-open -V -s door.pub <sealed | grep -c '	ok	')" 4
/usr/bin/python3 - sealed <<'END'
import struct, sys
data, at, part = open(sys.argv[1], "rb").read(), 0, None
while at < len(data):
    kind, length = struct.unpack_from("<BH", data, at + 5)
    if kind == 1:
        part = open("parts/%03d.cam" % struct.unpack_from("<I", data, at + 16), "wb")
    part.write(data[at:at + length])
    at += length
END
frames() { ffmpeg -nostdin -v error -f h264 -i "$1" -f framemd5 - 2>tap.err | awk -F, '!/^#/ { print $6 }'; }
frames timed.h264 >whole.md5
: >alone.md5
quiet=0
for p in parts/*.cam; do
	cam-open -k me.key -s door.pub "$p" >alone.h264 2>>open.err || quiet=1
	frames alone.h264 >>alone.md5
	[ -s tap.err ] && quiet=1
done
is "each segment opened alone shows the frames of the whole" "$(md5sum <alone.md5)" "$(md5sum <whole.md5)"
is "all of them" "$(wc -l <alone.md5)" 120
is "and the decoder says nothing" $quiet 0
cat parts/*.cam | cam-open -k me.key -s door.pub 2>tap.err | cmp - timed.h264 >tap.out 2>&1
tap_result $? "joined again there are no copies in it"
tap_done
