#!/bin/sh
# shellcheck disable=SC2012
# kill -9 at random moments while the pipe survives, as under supervision. CAM_KILLS sets how many.
. "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/cam-spool/spool.sh
. "$top/tests/cam-spool/spool.sh"

kills=${CAM_KILLS:-25}
mkdir in d
mkfifo pipe
exec 8<>pipe
: >names
"$make_records" -n $((kills * 40)) -r 12 -m 4 -p 150 -w in >pipe &
records=$!
stop_at_end $records
n=0
while [ $n -lt "$kills" ] && ! gone $records; do
	cam-spool d <pipe >>names 2>>said &
	spool=$!
	stop_at_end $spool
	sleep "0.$(od -An -N1 -tu1 /dev/urandom | awk '{ printf "%03d", 20 + $1 / 2 }')"
	kill -KILL $spool
	wait $spool 2>/dev/null
	n=$((n + 1))
done
cam-spool d <pipe >>names 2>>said &
spool=$!
stop_at_end $spool
wait $records
last=$(ls in | tail -n 1)
ok "after $n kills the rest of the stream is recorded" waits 20 test -e "d/$last"
kill -TERM $spool
wait $spool
is "exit 0" $? 0
is "every file has a segment's name and is durable" "$(find d -type f ! -name '*.cam' | wc -l)" 0
ok "no file has anything but whole records of its segment, in order" "$O/tests/cam-spool/check-records" in d
"$O/tests/cam-spool/check-records" in d >result
echo "# $(cat result), $n kills"
# A process takes with it the one record that it had in its hands; with a header, that segment.
is "no kill loses more than one record" \
	"$(awk -v kills=$n '{ print ($8 <= 4096 && $4 + $6 <= kills) ? "fits" : $0 }' result)" fits
missing=0
while read -r name; do [ -s "d/$name" ] || missing=$((missing + 1)); done <names
is "every printed name is there" $missing 0
sort -u names >printed
ls d >there
ok "and every file was printed, or is hinted at by the next start" sh -c 'cam-spool d </dev/null 2>/dev/null | cmp - there'
tap_done
