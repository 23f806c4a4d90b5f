#!/bin/dash
# The hardware encoder's code on vicodec, which makes FWHT: copied frames of a file, and frames of the camera in the
# camera's memory. What is decoded here is compared outside.
# shellcheck source=tests/tap.sh
. /mnt/src/tests/tap.sh
# shellcheck source=tests/guest/inside.sh
. /mnt/src/tests/guest/inside.sh
capture=/mnt/o/guest/cam-capture-fwht
chmod 777 "$T"

lines() { wc -l <"$1"; }
# fwht NAME ARGUMENT...: NAME.fwht, a line for each frame in NAME.txt, messages in NAME.err.
fwht() {
	name=$1; shift
	as_user "$capture" -e m2m "$@" 9>"$name.txt" >"$name.fwht" 2>"$name.err"
}
decoder() { grep -l '^stateful-decoder$' /sys/class/video4linux/*/name | sed 's,.*\(video[0-9]*\)/name,/dev/\1,'; }
# decode NAME: NAME.raw in the output folder.
decode() { timeout 90 v4l2-ctl -d "$(decoder)" --stream-mmap --stream-out-mmap --stream-from "$1" --stream-to "/mnt/out/${1%.*}.raw"; }

ok "vicodec" modprobe vicodec multiplanar=1
devices
exits 111 "a size that the encoder does not have" as_user "$capture" -e m2m -T -s 320x240
says "is named with what it would make of it" '/dev/video[0-9]+: cannot encode 320x240: it would be 640x'

ok "a file" fwht copied -F -i /mnt/out/in.y4m -g 1
ok "says which device, what it makes, and that frames are copied" \
	grep -q '/dev/video[0-9]*: vicodec: FWHT, of copied frames: they are not DMABUFs' copied.err
is "every frame" "$(lines copied.txt) $(awk '$1 != NR - 1 || $4' copied.txt | wc -l)" "30 0"
is "IDR pictures at the cadence that was asked for" "$(awk '$6 == "I" {printf "%d ", $1}' copied.txt)" "0 10 20 "
is "time stamps come out with their frames" \
	"$(awk 'NR > 1 && $2 - last != 1e8 {bad++} {last = $2} END {print NR, bad + 0}' copied.txt)" "30 0"

as_user sh -c 'cam-key -g -n me; cam-key -g -s door' 2>keys.err
ok "sealed" as_user sh -c 'cam-seal -R -i door.key -r me.pub <copied.fwht >copied.cam'
ok "opened" as_user sh -c 'cam-open -R -k me.key -s door.pub copied.cam >opened.fwht'
ok "the same bytes" cmp copied.fwht opened.fwht
ok "decoded by vicodec's decoder" decode opened.fwht

ok "vimc" modprobe vimc
devices
as_user cam -c1 -s width=720,height=480,pixelformat=RGB888 -C3 -Fref# >/dev/null 2>&1
cp ref*-000002 /mnt/out/ref.raw
as_user sh -c 'exec timeout --preserve-status -s TERM 8 "$0" -e m2m -s 720x480 -g 1 9>camera.txt >camera.fwht 2>camera.err' "$capture"
is "the camera: exit" $? 0
ok "its frames are encoded where they are" grep -q 'FWHT, of the camera.s own memory' camera.err
ok "they are $(lines camera.txt)" test "$(lines camera.txt)" -ge 10
ok "every frame is written or counted" awk '$1 != NR - 1 + $4 {exit 1}' camera.txt
ok "time stamps increase" awk '$2 <= last || $3 <= utc {exit 1} {last = $2; utc = $3}' camera.txt
ok "decoded" decode camera.fwht
cp copied.txt camera.txt camera.err /mnt/out

# The encoder goes away.
mkfifo gone.fwht && chmod 666 gone.fwht
cat gone.fwht >/dev/null &
as_user sh -c 'exec timeout 60 "$0" -e m2m -T -s 640x480 -r 5 9>gone.txt >gone.fwht 2>gone.err' "$capture" &
pid=$!
waits 20 test -s gone.txt
echo vicodec.0 >/sys/bus/platform/drivers/vicodec/unbind
wait $pid
is "an encoder that goes away: exit" $? 111
ok "says so" grep -q 'm2m: .*No such device' gone.err
cp gone.err /mnt/out
tap_done
