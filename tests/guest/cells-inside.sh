#!/bin/dash
# The filters on this architecture's own kernel: what each profile is judged to answer is what it answers, call by call;
# and the audit of a device that is as Debian's kernel comes.
# shellcheck source=tests/tap.sh
. /mnt/src/tests/tap.sh
# shellcheck source=tests/guest/inside.sh
. /mnt/src/tests/guest/inside.sh
matrix=/mnt/o/tests/sandbox/matrix
machine=$(uname -m)
chmod 777 "$T"

"$matrix" "$machine" >now
ok "the filters of $machine allow what is listed" cmp now "/mnt/src/tests/sandbox/golden.$machine"
"$matrix" -l >profiles
while IFS='	' read -r tool phase; do
	"$matrix" -r "$tool" "$phase" </dev/null >tried
	is "$tool, $phase: what was judged is what is enforced: $(tail -n 1 tried)" \
		"$(grep -v ' tried, ' tried; grep -c '^[1-9][0-9]* calls tried, 0 wrong' tried)" 1
done <profiles

exits 1 "an audit by root finds what is missing" cam-harden-check -o json
cp tap.out /mnt/out/root.json
exits 1 "one by another user, too" as_user cam-harden-check -o json
cp tap.out /mnt/out/user.json
exits 1 "and shows it to people" cam-harden-check
cp tap.out shown
ok "with a summary" grep -qE '^[0-9]+ PASS, [0-9]+ FAIL' shown
mkdir /tmp/noexec && mount -t tmpfs -o noexec none /tmp/noexec
exits 1 "programs are tried where they could be put" cam-harden-check -x -o json
cp tap.out /mnt/out/tried.json
is "and nothing is left behind" "$(find /tmp/noexec /dev/shm -type f)" ""
tap_done
