#!/bin/sh
# defends: see.laptop forge.tail forge.owner
# What an owner does over the years: monthly keys, new passphrases, reports, finding an hour, saving a film.
. "$(dirname "$0")/../tap.sh"

stream=$top/tests/cam-seal/stream.py
# N seconds of video with cam-capture's message, from UTC on, by a synchronised clock
video() {
	ffmpeg -v error -f lavfi -i "testsrc=s=64x48:r=30:d=$1" -c:v libx264 -g 30 -bf 0 -x264-params aud=1:repeat-headers=1 -f h264 - </dev/null |
		/usr/bin/python3 "$stream" sei -u "$2"
}
utc() { date -u -d "$1" +%s; }
quiet() { "$@" 2>/dev/null; }

cam-key -g -n me
cam-key -g -s door
cam-key -f me.pub >print

# --- fingerprints ---
ok "a fingerprint has eight groups of five digits" grep -qE '^([0-9]{5} ){8} recipient$' print
is "public and secret key have the same" "$(cam-key -f me.key | cut -c1-47)" "$(cut -c1-47 print)"
pk=$(cut -d' ' -f2 me.pub)
is "it is the one that the manual describes" "$(/usr/bin/python3 - "$pk" <<'P'
import base64, hashlib, struct, sys
h = hashlib.blake2b(b"cam1 fingerprint" + base64.urlsafe_b64decode(sys.argv[1])[:32], digest_size=32).digest()
print(" ".join("%05d" % (v % 100000) for v in struct.unpack("<8I", h)))
P
)" "$(cut -c1-47 print)"

# --- passphrases ---
printf 'one\n' >p1
printf 'one\ntwo words\n' >p12
printf 'two words\n' >p2
ok "a key with a passphrase" sh -c 'cam-key -g -P 3 locked 3<p1'
cp locked.key before.key
ok "the passphrase is changed" sh -c 'cam-key -c -P 3 locked.key 3<p12'
is "the key stays 0600" "$(stat -c %a locked.key)" 600
is "and the same key" "$(cam-key -f locked.key)" "$(cam-key -f before.key)"
video 2 1700000000 >v.264
ok "sealed to it" sh -c 'cam-seal -i door.key -r locked.pub <v.264 >locked.cam'
exits 100 "the old passphrase opens no more" sh -c 'cam-open -k locked.key -P 3 -s door.pub locked.cam 3<p1 >/dev/null'
ok "the new one does" sh -c 'cam-open -k locked.key -P 3 -s door.pub locked.cam 3<p2 | cmp - v.264'
exits 1 "a wrong old passphrase changes nothing" sh -c 'cam-key -c -P 3 locked.key 3<p1'
ok "the new one still opens" sh -c 'cam-open -k locked.key -P 3 -s door.pub locked.cam 3<p2 | cmp - v.264'
ok "the passphrase is taken away" sh -c 'cam-key -c -n -P 3 locked.key 3<p2'
ok "then none is needed" sh -c 'cam-open -k locked.key -s door.pub locked.cam | cmp - v.264'
exits 100 "a camera's key gets no passphrase" sh -c 'cam-key -c -P 3 door.key 3<p12'

# --- calendars ---
today=$(date -u +%Y-%m)
ok "keys for three months" cam-key -g -n -y 3 year
is "a line a month, public and secret" "$(wc -l <year.pub) $(wc -l <year.key)" "3 3"
month1=$(sed -n 1p year.pub | cut -d' ' -f2)
# which may have begun while they were made
[ "$month1" = "$today" ] || today=$(date -u +%Y-%m)
is "from this month on" "$month1" "$today"
month2=$(sed -n 2p year.pub | cut -d' ' -f2)
for n in 1 2 3; do sed -n ${n}p year.key >month$n.key; done

in_month() { video 1 "$(utc "$1")" | quiet cam-seal -i door.key -r year.pub -e "$2.epoch" >"$2.cam"; }
opens() { quiet cam-open -k "$1" -s door.pub "$2" | grep -q .; }
in_month "2000-01-15" early
ok "before the first month, its key is used" opens month1.key early.cam
in_month "$month1-15" m1
ok "in the first month too" opens month1.key m1.cam
exits 1 "and not the second" opens month2.key m1.cam
in_month "$month2-15" m2
ok "in the second month the second" opens month2.key m2.cam
exits 1 "and not the first" opens month1.key m2.cam
ok "the whole calendar opens both" sh -c 'cam-open -k year.key -s door.pub m1.cam | grep -q . && cam-open -k year.key -s door.pub m2.cam | grep -q .'
video 1 "$(utc "$month1-15")" | cam-seal -i door.key -r year.pub -e m2.epoch 2>back.err >back.cam
ok "the month never goes back, over restarts too" opens month2.key back.cam
in_month "2090-01-01" late
ok "past the end the last key stays" opens month3.key late.cam
video 1 "$(utc 2090-01-01)" | cam-seal -i door.key -r year.pub -e late2.epoch 2>late.err >/dev/null
ok "which is warned of" grep -q 'calendars of recipients have ended' late.err
{ video 1 "$(utc "$month1-15")"; video 1 "$(utc "$month2-15")"; } | quiet cam-seal -i door.key -r year.pub -e both.epoch >both.cam
ok "a segment says that its keys are others" sh -c 'cam-open -V -s door.pub both.cam | grep -q "recipients changed"'
cat me.pub year.pub locked.pub >all.pub
ok "a calendar among others" sh -c 'cam-seal -i door.key -r all.pub -e all.epoch <v.264 2>/dev/null >all.cam'
for k in me.key year.key locked.key; do ok "$k opens" sh -c "cam-open -k $k -s door.pub all.cam | cmp - v.264"; done
ok "a month is destroyed" cam-key -D "$month1" year.key
exits 1 "then it opens no more" opens year.key m1.cam
ok "the others do" opens year.key m2.cam
exits 1 "a month that is not there" cam-key -D "$month1" year.key
exits 100 "no month" cam-key -D 2026-13 year.key
ok "a calendar under one passphrase" sh -c 'cam-key -g -P 3 -y 4 lockedyear 3<p1'
video 1 "$(utc "$month1-15")" | quiet cam-seal -i door.key -r lockedyear.pub -e ly.epoch >ly.cam
ok "opens with it" sh -c 'cam-open -k lockedyear.key -P 3 -s door.pub ly.cam 3<p1 | grep -q .'

# --- recipients from several files; channels; reports ---
ok "-r more than once" sh -c 'cam-seal -i door.key -r me.pub -r locked.pub -e two.epoch <v.264 2>/dev/null >two.cam'
for k in me.key locked.key; do ok "$k opens" sh -c "cam-open -k $k -s door.pub two.cam | cmp - v.264"; done
exits 100 "one recipient in two files" cam-seal -i door.key -r me.pub -r me.pub -e two.epoch </dev/null
says "is refused by name" 'the same key twice'
head -c 300000 /dev/urandom >report
ok "any bytes are sealed as a report" sh -c 'cam-seal -R -n 7 -e report.epoch -i door.key -r me.pub <report 2>/dev/null >report.cam'
ok "and come back" sh -c 'cam-open -R -k me.key -s door.pub report.cam | cmp - report'
is "channel and kind are told" "$(cam-open -j -s door.pub report.cam | tr ',' '\n' | grep -E '"(channel|kind)"' | tr '\n' ' ')" '"channel":7 "kind":"report" '
ok "a report never mixes into video" sh -c 'cat report.cam two.cam report.cam | cam-open -k me.key -s door.pub | cmp - v.264'
ok "nor video into a report" sh -c 'cat two.cam report.cam | cam-open -R -k me.key -s door.pub | cmp - report'
exits 1 "nothing to open" cam-open -V -s door.pub /dev/null
(sleep 2; printf late; sleep 1) | quiet cam-seal -R -n 7 -e slow.epoch -i door.key -r me.pub -t 1 >slow.cam
is "a slow report" "$(cam-open -R -k me.key -s door.pub slow.cam)" late

# --- finding it again ---
mkdir -p cams/2023-11-14 cams/2023-11-15
{ video 12 1700000000; } | quiet cam-seal -i door.key -r me.pub -e cams.epoch -t 2 >run.cam
/usr/bin/python3 - <<'P'
import re
data = open("run.cam", "rb").read()
at = [m.start() for m in re.finditer(rb"\xc5CAM\x01\x01", data)] + [len(data)]
for i, (a, b) in enumerate(zip(at, at[1:])):
    open(f"cams/2023-11-1{4 + i % 2}/00000{i}.cam", "wb").write(data[a:b])
P
ok "a folder is read in the order of names" sh -c 'cam-open -k me.key -s door.pub cams >from-folder && cam-open -k me.key -s door.pub run.cam | cmp - from-folder'
segments=$(cam-open -j -s door.pub cams | wc -l)
ok "six segments ($segments)" [ "$segments" = 6 ]
start=$(cam-open -j -s door.pub run.cam | head -n 1 | tr ',' '\n' | grep '"start"')
is "times are UTC" "$start" '"start":"2023-11-14T22:13:20.000Z"'
ok "the table has local time with its offset" sh -c 'TZ=Asia/Kolkata cam-open -l -s door.pub run.cam | grep -q "^2023-11-15 03:43:20+0530"'
is "-f and -t choose" "$(cam-open -j -s door.pub -f @1700000003 -t @1700000005 cams | wc -l)" 2
is "from a time on" "$(cam-open -j -s door.pub -f 2023-11-14T22:13:30Z cams | wc -l)" 1
is "in local time" "$(TZ=Asia/Kolkata cam-open -j -s door.pub -f 2023-11-15T03:43:30 cams | wc -l)" 1
is "up to a time" "$(cam-open -j -s door.pub -t 2023-11-14T22:13:21Z cams | wc -l)" 1
exits 1 "another day" cam-open -l -s door.pub -f 2024-01-01 cams
exits 100 "a time that is none" cam-open -l -f yesterday cams
exits 100 "an end before the beginning" cam-open -l -f 2024-01-01 -t 2023-01-01 cams
exits 100 "-f without files" sh -c 'cam-open -l -f 2024-01-01 <run.cam'
ok "every line is JSON" sh -c 'cat run.cam report | cam-open -j -s door.pub | /usr/bin/python3 -c "import json,sys; [json.loads(l) for l in sys.stdin]"'
script -qec "cam-open -k me.key -s door.pub cams >shown.264" /dev/null </dev/null >typed 2>&1
ok "on a terminal it shows how far it is" grep -q 'of 6 files, [0-9]* MB' typed
ok "and writes the same" cmp shown.264 from-folder
exits 1 "the camera is silent" cam-open -A 60 -s door.pub cams
says "and for how long" 'silent: the newest item is [0-9]+ s old'
ok "or is not" cam-open -A $(($(date +%s) - 1700000000 + 3600)) -s door.pub cams
exits 1 "nothing is silence too" cam-open -A 60 -s door.pub /dev/null

# --- a film ---
rate() { ffprobe -v error -show_entries packet=pts_time -of csv=p=0 "$1" | tr -d ,; }
quiet cam-open -k me.key -s door.pub run.cam >run.264
ok "-m writes Matroska" sh -c 'cam-open -m -k me.key -s door.pub run.cam >run.mkv'
# the last frame, at 11.967 s, has no length of its own
is "as long as it took" "$(ffprobe -v error -show_entries format=duration -of csv=p=0 run.mkv | cut -c1-4)" 11.9
md5() { ffmpeg -v error -xerror -i "$1" -f framemd5 - </dev/null | grep -v '^#' | awk '{print $NF}'; }
is "the same pictures" "$(md5 run.mkv | md5sum)" "$(md5 run.264 | md5sum)"
ok "seeking works" sh -c 'ffmpeg -v error -xerror -ss 7 -i run.mkv -frames:v 1 -f null - </dev/null && ffprobe -v error -read_intervals 7%+0.1 -show_entries packet=pts_time -of csv=p=0 run.mkv | grep -q ^7'
ok "through a pipe too" sh -c 'cam-open -m -k me.key -s door.pub run.cam | ffprobe -v error -count_packets -show_entries stream=nb_read_packets -of csv=p=0 - | grep -q ^360'
rm cams/2023-11-15/000003.cam
quiet cam-open -m -k me.key -s door.pub cams >gap.mkv
is "a missing segment takes its time" "$(ffprobe -v error -show_entries format=duration -of csv=p=0 gap.mkv | cut -c1-4)" 11.9
is "and is missing" "$(rate gap.mkv | wc -l)" 300
# 15 frames a second from elsewhere, without any times: those of arrival
t0=$(date +%s%N)
ffmpeg -v error -f lavfi -i testsrc=s=64x48:r=15:d=4 -c:v libx264 -g 15 -bf 0 -x264-params aud=1 -f h264 - </dev/null |
	/usr/bin/python3 "$stream" drip 15 | quiet cam-seal -i door.key -r me.pub -e slow15.epoch >15.cam
t1=$(date +%s%N)
quiet cam-open -m -k me.key -s door.pub 15.cam >15.mkv
# from the first one to the last, as their segments say: about 4 s, and whatever this machine took longer
came=$("$top/tests/cam-seal/segment.py" <15.cam | sed -n 's/^\(header\|end\).* boot=\([0-9]*\).*/\2/p' | sed -n '1p;$p' | tr '\n' ' ')
length=$(ffprobe -v error -show_entries format=duration -of csv=p=0 15.mkv)
ok "15 frames a second from elsewhere play as they came ($length s)" [ "$(echo "$length $came" | awk '{ d = $1 - ($3 - $2) / 1e9; print (d > -.1 && d < .2) }')" = 1 ]
is "which was neither sooner nor later than this" "$(echo "$came $t0 $t1" | awk '{ d = ($2 - $1) / 1e9; print (d > 2.6 && d <= ($4 - $3) / 1e9) }')" 1
is "all of them" "$(rate 15.mkv | wc -l)" 60
# far more than the pipe to cam-mux holds
ffmpeg -v error -f lavfi -i testsrc2=s=640x480:r=30:d=6 -c:v libx264 -preset ultrafast -qp 3 -g 30 -bf 0 -f h264 long.264 </dev/null
quiet cam-seal -i door.key -r me.pub -e long.epoch <long.264 >long.cam
exits 111 "a full disk is not hidden by -m" sh -c 'cam-open -m -k me.key -s door.pub long.cam >/dev/full'
exits 100 "-m needs a key" cam-open -m -s door.pub run.cam
exits 111 "-m without cam-mux" env PATH=/nonexistent "$(command -v cam-open)" -m -k me.key -s door.pub run.cam
exits 1 "cam-mux without video" sh -c 'cam-mux <report >/dev/null'
mkfifo slow
cam-mux <slow >term.mkv &
mux=$!
stop_at_end $mux
exec 7>slow
cat v.264 >&7
waits 60 drained 7
kill $mux
wait $mux
is "SIGTERM ends the file: exit 0" $? 0
exec 7>&-
is "and it is whole" "$(ffprobe -v error -show_entries format=duration -of csv=p=0 term.mkv | cut -c1-3)" 1.9
ok "cam-mux alone" sh -c 'cam-mux <v.264 | ffprobe -v error -show_entries stream=width -of csv=p=0 - | grep -q ^64'
tap_done
