#!/bin/sh
# shellcheck disable=SC2012
# Stubs: packed by the day, whole before their segment goes, capped, and recovered after a crash.
. "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/cam-spool/spool.sh
. "$top/tests/cam-spool/spool.sh"

ASAN_OPTIONS=detect_leaks=0
export ASAN_OPTIONS

# --- a pack for each day of the names ---
mkdir d in
# 100 segments 10 s apart, from 500 s before midnight: half of them belong to the next day
"$make_records" -n 100 -r 40 -t $((1767225600 - 500)) -w in | cam-spool -q 1M -f 0 d >names 2>said
is "a pack for each of two days" "$(ls d/*.gone | wc -l)" 2
stubs d/*.gone >stubbed
ls d/*.cam | sed 's,.*/,,; s/\.cam$//' >left
is "stubs and segments together are all there was" "$(cat stubbed left)" "$(ls in | sed 's/\.cam$//')"
for pack in d/*.gone; do
	is "a pack is named for its first stub, and has one day only" \
		"$(basename "$pack" .gone) $(stubs "$pack" | cut -d - -f 3 | cut -c 1-8 | sort -u | wc -l)" "$(stubs "$pack" | sed -n 1p) 1"
done
is "their names are printed, once each" "$(grep 'gone$' names | sort)" "$(cd d && ls ./*.gone | sed 's,./,,')"
told "how many stubs they have is said" "gone: stubs of $(stubs "$(ls d/*.gone | head -n 1)" | wc -l | tr -d ' ') segments that were removed"
sed 's/$/.gone/' <<-E | cam-reap d
$(ls d/*.gone | sed 's,.*/,,; s/\.gone$//')
E
is "and they are marked like segments" "$(ls d/*.gone 2>/dev/null | wc -l) $(ls d/*.sent | wc -l)" "0 2"

# --- a stub is on the disk before its segment goes ---
if strace -o /dev/null true 2>/dev/null; then
	rm -rf d && mkdir d
	"$make_records" -n 30 -r 40 | strace -f -y -s 200 -e trace=pwrite64,fdatasync,unlinkat,fsync -o trace cam-spool -q 1M -f 0 d >names 2>said
	is "each removal comes after a write to a pack and its sync" "$(awk '
		/pwrite64\(.*gone\.part>/ { dirty = 1; fresh++ }
		/fdatasync\(.*gone\.part>/ { if (/unfinished/) half[$1] = 1; else dirty = 0 }
		/fdatasync resumed.*= 0/ && half[$1] { dirty = half[$1] = 0 }
		/unlinkat\(.*\.cam"/ { n++; bad += dirty || fresh != n }
		END { print (n > 5), bad + 0 }' trace)" "1 0"
	for err in ENOSPC EIO; do
		rm -rf d in && mkdir d in
		"$make_records" -n 30 -r 40 -w in >stream
		timeout 60 strace -f -o trace2 -e trace=fdatasync -P "$T/d/$(ls in | head -n 1 | sed 's/cam$/gone.part/')" -e inject=fdatasync:error=$err:when=1 cam-spool -q 1M -f 0 d <stream >names 2>said
		is "a stub that cannot be synced ($err): exit 0, all were recorded" "$? $(grep -c 'cam$' names)" "0 30"
		{ stubs d/*.gone; ls d/*.cam | sed 's,.*/,,; s/\.cam$//'; } | sort -u >have
		ls in | sed 's/\.cam$//' >want
		if [ $err = ENOSPC ]; then
			told "its segment may go without one, which is said" 'no stub: no space to write it|1 without a stub: no space'
			is "that one and no other" "$(comm -13 have want | wc -l | tr -d ' ')" 1
		else
			told "its segment stays" 'cam: its stub cannot be written: Input/output error'
			is "until it can" "$(comm -13 have want)" ""
		fi
	done
fi

# --- the cap: with a quota of 4 MiB packs take at most 1 MiB, each a quarter of that ---
rm -rf d in && mkdir d in
"$make_records" -n 2500 -r 4 -k 4 -w in | cam-spool -q 4M -f 0 d >names 2>said
is "many stubs: exit 0" $? 0
is "packs take no more than their cap" "$([ "$(cat d/*.gone | wc -c)" -le 1048576 ] && echo capped)" capped
is "nor is the quota passed" "$([ "$(du -s -B1 d | cut -f 1)" -le 4194304 ] && echo kept)" kept
ls d/*.cam | sed 's,.*/,,; s/\.cam$//' >left
stubs d/*.gone >stubbed
ls in | sed 's/\.cam$//' >want
lost=$(awk '/stubs are lost/ { n += $(NF - 3) } END { print n + 0 }' said)
ok "the oldest packs went ($lost stubs), which is told" test "$lost" -gt 0
is "to the number" "$(($(wc -l <want) - $(cat stubbed left | wc -l)))" "$lost"
is "the newest stubs are left" "$(cat stubbed left)" "$(tail -n +$((lost + 1)) want)"

# --- after a crash ---
rm -rf d in && mkdir d in
"$make_records" -n 3 -r 10 -w in >stream
set -- in/*.cam
first=$(basename "$1" .cam)
# the pack that has stubs of the first two: headers of 456 bytes, end records of 224
stub() { head -c 456 "$1"; tail -c 224 "$1"; }
{ stub "$1"; stub "$2"; stub "$3" | head -c 300; } >"d/$first.gone.part"
cp "$2" "$3" d/
cam-spool d </dev/null >names 2>said
is "a stub whose segment is still there is not needed, a torn one is cut off" "$(stubs d/*.gone)" "$first"
told "said" '1 stubs are not needed: their segments are there'
is "the pack is named, and the segments" "$(sort -u names)" "$(ls d)"
rm -rf d && mkdir d
stub "$1" | head -c 100 >"d/$first.gone.part"
cam-spool d </dev/null >names 2>said
is "a pack without a whole stub is removed" "$(ls d)" ""
mkdir "d/$first.gone.part"
exits 0 "a directory in place of a pack" cam-spool d </dev/null
says "is left alone" 'left alone: not a file'

# --- killed again and again: every segment is there, or its stub ---
rm -rf d in && mkdir d in
mkfifo pipe
exec 8<>pipe
"$make_records" -n 150 -r 20 -p 300 -w in >pipe 8>&- &
records=$!
stop_at_end $records
n=0
while ! gone $records; do
	cam-spool -q 1M -f 0 d <pipe >>names 2>>said2 8>&- &
	pid=$!
	stop_at_end $pid
	# longer each time, or on a slow machine it would never come to anything
	sleep "$(od -An -N1 -tu1 /dev/urandom | awk -v n=$n '{ print (50 + $1) * 1.1 ^ n / 1000 }')"
	kill -KILL $pid
	wait $pid 2>/dev/null
	n=$((n + 1))
done
# what the last of them left in the pipe stays there while somebody has it open
exec 9<pipe 8>&-
timeout 60 cam-spool -q 1M -f 0 d <&9 >>names 2>>said2
exec 9<&-
{ stubs d/*.gone; ls d/*.cam | sed 's,.*/,,; s/\.cam$//'; } | sort -u >have
is "after $n kills every segment or its stub is there" "$(ls in | sed 's/\.cam$//' | comm -13 have - | wc -l | tr -d ' ')" 0
tap_done
