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
# the folders of the host are another computer's, whose files nobody walks
cp "$(command -v cam-harden-check)" /run/
alone() { unshare -m /bin/dash -c 'umount -l /mnt/src /mnt/o /mnt/out && exec "$@"' alone "$@"; }
exits 1 "the files are looked at" alone /run/cam-harden-check -w -o json
cp tap.out /mnt/out/walked.json
(mkdir -p /var/lib/left && cd /var/lib/left && cam-key -g -n me && cp /bin/true su && chmod 4755 su) >/dev/null 2>&1
exits 1 "and somebody's key and set-uid program among them" alone /run/cam-harden-check -w -o json
cp tap.out /mnt/out/left.json
exits 1 "which another user, who cannot look everywhere, has not seen" alone setpriv --reuid 2001 --regid 2001 --groups 44 --no-new-privs /run/cam-harden-check -w -o json
cp tap.out /mnt/out/walked-user.json
rm -r /var/lib/left
is "and nothing is left behind" "$(find /tmp/noexec /dev/shm -type f)" ""

# --- a root under dm-verity: the static audit is all that is on it ---
modprobe loop && modprobe dm_verity
cp /mnt/out/verity.img image
hash=$(veritysetup format image tree | sed -n 's/^Root hash:[[:space:]]*//p')
# root_audit NAME DEVICE: an audit whose root is this device, as NAME.json in the output folder.
root_audit() {
	mkdir -p v
	mount -t ext4 -o ro,noload "$2" v || return 111
	mount -t proc none v/proc && mount -t sysfs none v/sys && mount -o bind /dev v/dev &&
		chroot v /cam-harden-check -o json >"/mnt/out/$1.json"
	root_code=$?
	for m in dev sys proc .; do umount "v/$m"; done
	return $root_code
}
# active NAME OPTION...: the same on the image under dm-verity
active() {
	verity=$1; shift
	veritysetup open image "$verity" tree "$hash" "$@" || return 111
	root_audit "$verity" "/dev/mapper/$verity"
	active_code=$?
	veritysetup close "$verity"
	return $active_code
}
exits 1 "a root under dm-verity that panics on corruption" active strict --panic-on-corruption
exits 1 "one that only reports it" active lax
losetup -r /dev/loop7 image
exits 1 "the same image without dm-verity" root_audit bare /dev/loop7
tap_done
