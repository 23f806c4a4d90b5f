#!/bin/sh
# What is recorded when only motion is: scenes whose truth is known, through the real program, by the scores in
# its SEI messages and by what is left of the frames.
. "$(dirname "$0")/../tap.sh"
scenes=$O/tests/cam-capture/scenes
case $(cam-capture -l | grep -c '^encoder') in 0) skip_all "no encoder is built in" ;; esac

units() { /usr/bin/python3 "$top/tests/cam-capture/stream.py"; }
scores() { units <"$1" | cut -d' ' -f8; }

# scene NAME ARGUMENT...: 12 s of it, whole, as NAME.264 and NAME.truth
scene() {
	name=$1
	shift
	"$scenes" 7 320x180 360 "$name.truth" "$@" >"$name.y4m" && cam-capture -F -g 1 -i "$name.y4m" >"$name.264"
}

scene quiet noise=40 light=gain && scene thing noise=40 size=12 speed=25 && scene rain noise=30 rain=40 || exit 1
is "nothing moves: no score in 360 frames of noise with a change of light" "$(scores quiet.264 | sort -n | tail -1)" 0
is "nor in rain" "$(scores rain.264 | awk '$1 >= 30' | wc -l)" 0
scores thing.264 >scored
fold -w 1 thing.truth | paste - scored >both
is "something moves: it is seen in at least nine of ten frames" "$(awk '$1 == "1" { all++; seen += ($2 >= 30) } END { print (seen >= all * 9 / 10 && all > 100) }' both)" 1
is "and before it there was nothing" "$(awk '$1 == "1" || $1 == "-" { exit } $2 { n++ } END { print n + 0 }' both)" 0

cam-capture -F -g 1 -i quiet.y4m -m 30 >nothing.264 2>err
is "-m: where nothing moves nothing is recorded" "$(wc -c <nothing.264) $(cat err)" "0 "
cam-capture -F -g 1 -i thing.y4m -m 30 -B 2 -A 1 >some.264 2>err
is "-m says nothing of frames that it left out" "$(cat err)" ""
units <some.264 >recorded
units <thing.264 >all
is "every access unit is as promised, and they are numbered on" "$(awk '{ print $3 }' recorded | tr '\n' ' ')" "$(seq 0 $(($(wc -l <recorded) - 1)) | tr '\n' ' ')"
is "none is called lost" "$(awk '{ n += $4 } END { print n }' recorded)" 0
# by the rule, from the scores of all: groups that reach into a time from 2 s before to 1 s after
# times from the first one on, in milliseconds: each run has its own beginning
awk '{ time[NR] = $6 + 0; type[NR] = $2; score[NR] = $8 }
END {
	for (n = 1; n <= NR; n++) if (score[n] >= 30) for (k = 1; k <= NR; k++) if (time[k] >= time[n] - 2e9 && time[k] <= time[n] + 1e9) want[k] = 1
	for (k = 1; k <= NR; k++) { if (type[k] == "I") start = k; if (want[k]) for (i = start; i <= k; i++) want[i] = 1 }
	for (k = 2; k <= NR; k++) if (want[k - 1] && type[k] != "I") want[k] = 1
	for (k = 1; k <= NR; k++) if (want[k]) { first = first ? first : time[k]; printf "%d\n", (time[k] - first) / 1e6 }
}' all >wanted
awk '{ first = first ? first : $6; printf "%d\n", ($6 - first) / 1e6 }' recorded >got
cmp -s wanted got
is "recorded are the groups of pictures from 2 s before to 1 s after, and no others" "$? $(wc -l <got)" "0 $(wc -l <wanted)"
[ "$(wc -l <got)" -gt 100 ] && [ "$(wc -l <got)" -lt 360 ]
is "which is some of them" $? 0
is "the first is an IDR picture" "$(head -1 recorded | cut -d' ' -f2)" I
ok "and all of it decodes" sh -c 'ffmpeg -v warning -i some.264 -f null - 2>&1 | { ! grep . ; }'
is "every recorded frame is the picture it would have been" "$(ffmpeg -v error -i some.264 -f framemd5 - | grep -c '^0')" "$(wc -l <got)"

exits 100 "-m 0" cam-capture -T -m 0
exits 100 "-m 1001" cam-capture -T -m 1001
exits 100 "-B without -m" cam-capture -T -B 5
says "is told" '^cam-capture: -B: only with -m'
exits 100 "-A without -m" cam-capture -T -A 5
exits 100 "more before than there is room for" cam-capture -T -m 30 -b 8M -B 5
says "is told" 'more than 4 MiB before something moves'
tap_done
