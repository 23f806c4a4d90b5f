#!/bin/sh
# bench.sh: figures of capturing in the guest, 720x480 for twenty seconds each. An emulated machine is slow, and slower still
# on a busy host, so only the ratios say something. GUEST_ARCH chooses the machine.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
trap 'exit 1' INT TERM HUP
sh "$top/tests/guest/run.sh" -o "$out" /mnt/src/tests/guest/bench-inside.sh
for how in vimc-x264 vimc-vicodec pattern-x264 pattern-vicodec; do
	if [ -s "$out/$how.txt" ]; then
		frames=$(($(wc -l <"$out/$how.txt") - $(cat "$out/$how.lines")))
	else
		frames=$(tail -c +$(($(cat "$out/$how.skip") + 1)) "$out/$how.out" | LC_ALL=C grep -aoP '\x00\x00\x00\x01\x09' | wc -l)
	fi
	read -r cpu seconds memory <"$out/$how.cost"
	awk -v how="$how" -v frames="$frames" -v cpu="$cpu" -v s="$seconds" -v kb="$memory" 'BEGIN {
		printf "%-16s %6.2f frames/s %8.1f ms of CPU a frame %6.1f MB\n", how, frames / s, frames ? cpu * 1000 / frames : 0, kb / 1024
	}'
done
