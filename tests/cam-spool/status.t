#!/bin/sh
# defends: forge.drop
# cam-status: what it says is what is there; segments that became stubs are told once each, wherever their pack is;
# and cam-open believes only signed reports of the same camera.
. "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/cam-spool/spool.sh
. "$top/tests/cam-spool/spool.sh"

for options in "-n me" "-s door" "-s other"; do cam-key -g $options || exit 1; done
mkdir spool
before=$(date +%s)
ok "an empty spool: exit 0" cam-status -1 spool
after=$(date +%s)
cp tap.out said
is "begins and ends" "$(sed -n '1p;$p' said | tr '\n' ' ')" "cam-status 1 end "
is "counts nothing" "$(grep -E '^spool|^evict|^newest' said | tr '\n' ';')" "spool part 0 0;spool cam 0 0;spool sent 0 0;spool gone 0 0;spool foreign 0;evictions 0;"
now=$(date -d "$(sed -n 's/^time \([^ ]*\) .*/\1/p' said)" +%s)
ok "the time is now" [ "$now" -ge $before -a "$now" -le $after ]
for odd in "" "-s 0 spool" "-s x spool" "spool spool" "-a" "-1 -1 spool"; do exits 100 "cam-status $odd" cam-status $odd; done
exits 111 "no such directory" cam-status -1 nowhere
echo x >spool/stranger

# An eighth of a megabyte a second for twenty seconds into one of two: what is not stored has to go.
cam-capture -T -F -s 320x240 -r 30 -b 1M 2>/dev/null | head -c 4000000 | cam-seal -i door.key -r me.pub -t 1 2>/dev/null >film
cam-spool -q 2M -f 0 spool <film >/dev/null 2>told
name=$(cd spool && find . -name "*.gone*" | sed "s,^\./,,")
[ "$name" ] || { cat told; ls -l spool; exit 1; }
cam-status -1 spool >said
went=$(grep -c '^evicted ' said)
ok "evictions are told ($went)" [ "$went" -gt 3 ]
is "those whose stubs are in the pack" "$(sed -n 's/^evicted //p' said)" "$(cam-open -V -s door.pub "spool/$name" 2>/dev/null | awk -F '\t' '$2 == "stub" { print $1 }')"
is "and how many" "$(sed -n 's/^evictions //p' said)" "$went"
is "files are counted" "$(sed -n 's/^spool cam \([0-9]*\) \([0-9]*\)/\1 \2/p' said)" "$(ls spool/*.cam | wc -l) $(cat spool/*.cam | wc -c)"
is "strangers too" "$(grep foreign said)" "spool foreign 1"
newest=$(cd spool && find . -name "*.cam" | sed "s,^\./,," | sort | tail -n 1)
is "the newest segment" "$(sed -n 's/^newest \([^ ]*\) .*/\1/p' said)" "${newest%.cam}"
is "its last mark" "$(sed -n 's/^newest .* //p' said)" "$(tail -c 224 "spool/$newest" | b2sum -l 256 | cut -d' ' -f1)"
is "its frames" "$(sed -n 's/^frames //p' said)" "$(cam-open -j "spool/$newest" 2>/dev/null | sed -n 's/.*"frames":\([0-9]*\).*/\1/p')"

# Each is told once, also when the pack is stored and renamed between two reports; after that nothing more.
fresh said
cam-status -s 1 spool >said & pid=$!
stop_at_end $pid
ok "a second report comes" waits 60 sh -c '[ "$(grep -c "^end" said)" -ge 2 ]'
is "and tells none again" "$(grep -c '^evicted ' said)" "$went"
mv "spool/$name" "spool/$(echo "$name" | sed 's/\.gone.*/.sent/')"
seen=$(grep -c '^end' said)
ok "the pack is stored: reports go on" waits 60 sh -c "[ \$(grep -c '^end' said) -ge $((seen + 2)) ]"
is "none is told again" "$(grep -c '^evicted ' said)" "$went"
kill -TERM $pid
wait $pid; is "SIGTERM: exit 0" $? 0
mv spool/*.sent "spool/$name"
rm spool/*.cam

# A reader that stands still: reports are left out, and it still ends when told to, or when the reader does.
mkfifo pipe
exec 7<>pipe
fresh err
cam-status -s 1 spool >pipe 2>err 7>&- & pid=$!
stop_at_end $pid
ok "a pipe that is not read: left out, and said" waits 60 grep -q 'stdout is not read' err
sleep 2
kill -TERM $pid
wait $pid; is "and it ends: exit 0" $? 0
is "what was written is one report, whole" "$(echo over >&7; sed '/^over$/q' <&7 | sed -n '1p;/^cam-status/p;/^end/p;$p' | tr '\n' ' ')" "cam-status 1 cam-status 1 end over "
echo "not read" >pipe
timeout 60 cam-status -1 spool >pipe 7>&-
is "-1 is never left out" "$(sed '/^end$/q' <&7 | tail -n 1)" end
fresh err
cam-status -s 1 spool >pipe 2>err 7>&- & pid=$!
stop_at_end $pid
waits 60 grep -q 'stdout is not read' err
exec 7<&-
ok "the reader ends without reading: it ends too" waits 60 gone $pid
wait $pid; is "exit 0" $? 0

# More evictions than fit into a report: the next one has the others, and each of them fits a pipe.
mkdir many
"$make_records" -n 1300 -r 4 -k 4 | cam-spool -q 4M -f 0 many >/dev/null 2>told
all=$(for pack in many/*.gone; do stubs "$pack"; done | wc -l)
ok "more than fit ($all)" [ "$all" -gt 900 ]
fresh said
cam-status -s 1 many >said & pid=$!
stop_at_end $pid
ok "two reports come" waits 60 sh -c '[ "$(grep -c "^end" said)" -ge 2 ]'
kill -TERM $pid
wait $pid
sed '/^end$/q' said >first
is "the first tells of 900" "$(grep -c '^evicted ' first)" 900
ok "and fits a pipe with all recipients there may be" [ "$(($(wc -c <first) + 32 * 27))" -le 65536 ]
is "each is told once" "$(sed -n 's/^evicted //p' said | sort | uniq | wc -l) $(grep -c '^evicted ' said)" "$all $all"

# --- what cam-open makes of it ---
seal() { cam-seal -R -n 1 -i "$1.key" -e "$1-status.epoch" -r me.pub 2>/dev/null; }
opens() { cam-open -R -k me.key -s door.pub "$@" >opened 2>err; }
cam-status -1 spool >said
seal door <said >report.cam
opens report.cam
is "a report is opened, whole: exit 0" "$? $(cmp said opened && echo same)" "0 same"
cp "spool/$name" stubs.cam
opens stubs.cam report.cam
is "stubs and a report that names them (exit 1: they are no footage)" "$?" 1
told_of() { sed -n 's/^cam-open: \([0-9]* segments are stubs.*\)/\1/p' err; }
is "it says so" "$(told_of)" "$went segments are stubs; of $went a signed report says that the camera evicted them"
opens report.cam stubs.cam
is "in any order" "$(told_of)" "$went segments are stubs; of $went a signed report says that the camera evicted them"
some=$(((went + 1) / 2))
grep -v "^evicted" said >less && sed -n '/^evicted/p' said | head -n $some >>less
seal door <less >less.cam
opens less.cam stubs.cam
is "a report that names some of them" "$(told_of)" "$went segments are stubs; of $some a signed report says that the camera evicted them; of the others none that is here"
seal other <said >other.cam
cam-open -R -k me.key -s door.pub -s other.pub other.cam stubs.cam >opened 2>err
is "a report of another camera counts for nothing" "$(told_of)" "$went segments are stubs; of 0 a signed report says that the camera evicted them; of the others none that is here"
# without its marks a report is a tail that nothing proves: header, data
header=$(od -An -tu2 -j6 -N2 report.cam | tr -d ' ')
data=$(od -An -tu2 -j$((header + 6)) -N2 report.cam | tr -d ' ')
head -c $((header + data)) report.cam >tail.cam
opens tail.cam stubs.cam
ok "an unproven tail comes out" grep -q '^evicted' opened
is "and counts for nothing" "$(told_of)" "$went segments are stubs; of 0 a signed report says that the camera evicted them; of the others none that is here"
cam-open -k me.key -s door.pub stubs.cam report.cam >opened 2>err
is "without -R only their number is said" "$(told_of)" "$went segments are stubs: their footage is not in them"
tap_done
