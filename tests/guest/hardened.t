#!/bin/sh
# A kernel that is configured as cam-harden-check says boots, a camera runs on it, and an audit of it says what is so.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
programs=$top/build/aarch64-linux-gnu
keep=${GUEST_O:-$O/guest}/hardened

kernel=$(sh "$top/tests/guest/kernel.sh" "$keep")
userland=$(sh "$top/tests/guest/device.sh" "$keep")
[ -e "$kernel/Image" ] && [ -d "$userland" ]; tap_result $? "there is a kernel and a userland" || exit 1

# --- the image: programs, run scripts, what -g writes ---

sh "$top/tests/guest/device.sh" "$userland" "$programs" "$T" || exit 1
release=$(sed -n 's/^# Linux.* \([0-9.]*\) Kernel Conf.*/\1/p' "$kernel/config")$(sed -n 's/^CONFIG_LOCALVERSION="\(.*\)"/\1/p' "$kernel/config")
cp "$kernel/config" "root/boot/config-$release"
install -D -m 755 "$top/tests/guest/hardened-first.sh" root/sbin/init
mkdir -p root/usr/lib/cam/image/run root/usr/lib/cam/test
for f in cells prepare kernel gate selinux/load-policy selinux/boot; do install -m 755 "$top/s6-rc/$f" root/usr/lib/cam; done
install -m 755 "$top/tests/guest/hardened-inside.sh" root/usr/lib/cam/test/init
# script TO FROM: one of ours, for the camera called door
script() {
	sed -e 's,@CAMERA@,door,g; s,@STREAM@,video,g; s,@SPOOL@,door,g; s,@SEAL@,-n 0,g; s,@VARIABLE@,CAM,g; s,@QUOTA@,,g; s,@BELOW@,,g' \
		"$top/s6-rc/run/$2" >"root/usr/lib/cam/image/run/$1.cam-$3@door"
}
# fetches SCRIPT SERVICE [READER]: the one that s6-rc writes before ours for a service in a pipe: it fetches its ends,
# that which SERVICE reads from unless it is the first, and that to READER
fetches() {
	at="s6-fdholder-retrieve ../s6rc-fdholder/s pipe:s6rc"
	echo "#!/usr/bin/execlineb -S0"
	case $2 in capture | ship) ;; *) echo "$at-r-cam-$2@door" ;; esac
	[ -z "$3" ] || printf 'fdmove 1 0\n%s\nfdswap 0 1\n' "$at-w-cam-$3@door"
	echo "./$1.user \$@"
}
for f in log log-hold; do
	script run $f $f
	script finish finish $f
done
script run.user status status
for f in capture:seal seal:spool spool: ship:reap reap:; do
	for s in run finish; do fetches $s ${f%:*} ${f#*:} >root/usr/lib/cam/image/run/$s.cam-${f%:*}@door; done
	script run.user ${f%:*} ${f%:*}
	script finish.user finish ${f%:*}
done
printf '#!/usr/bin/execlineb -P\ns6-fdholder-daemon -1 -i data/rules -- s\n' >root/usr/lib/cam/image/run/run.s6rc-fdholder
chmod 755 root/usr/lib/cam/image/run/*
install -m 644 "$top/tests/guest/supervise.sh" root/usr/lib/cam/test/supervise
mkdir -p root/etc/cam/door/env root/etc/cam/door/ship
cam-key -g -n me >tap.out 2>&1
cp me.pub root/etc/cam/door/recipients
echo "-T -s 160x120 -r 5 -b 100k" >root/etc/cam/door/env/CAM_CAPTURE_ARGS
echo "-C /etc/cam/door/ca.pem" >root/etc/cam/door/env/CAM_SHIP_ARGS
cp "$kernel/certificate.pem" root/etc/cam/door/ca.pem
echo "https://10.0.2.2/cams/" >root/etc/cam/door/env/CAM_SHIP_URL
{
	echo 'root:x:0:0::/:/usr/sbin/nologin'
	n=900; for u in camcapture camseal camspool camship camreap camlog camstatus; do n=$((n + 1)); echo "$u:x:$n:$n::/nonexistent:/usr/sbin/nologin"; done
} >root/etc/passwd
{
	echo 'root:x:0:'; echo 'tty:x:5:'; echo 'cam:x:900:camspool,camship,camreap,camstatus'
	n=900; for u in camcapture camseal camspool:camship,camstatus camship camreap camlog camstatus; do n=$((n + 1)); case $u in *:*) m=${u#*:} ;; *) m= ;; esac; echo "${u%%:*}:x:$n:$m"; done
} >root/etc/group
cam-harden-check -g sysctl >root/etc/cam/sysctl.conf
install -D -m 644 root/etc/cam/sysctl.conf root/etc/sysctl.d/90-cam.conf
ok "the filter is written" sh -c 'cam-harden-check -g nft server=10.0.2.2 dns=none ntp=none interface=eth0 \
	neighbours=10.0.2.2/52:55:0a:00:02:02 >root/etc/cam/nftables.conf'
cam-harden-check -g fstab /=/dev/mapper/root /var=/dev/vdb >root/etc/fstab
printf 'root:*:1::::::\n' >root/etc/shadow

# --- SELinux: our policy, and what this test needs besides; GUEST_CIL: more of it, to try something ---

selinux=root/etc/selinux/camera
ok "the policy is compiled" make -s -C "$top" O="$T/o" DESTDIR="$T/root" SELINUX_SITE="tests/guest/guest.cil ${GUEST_CIL:-}" install-selinux
cat "$top/tests/guest/guest.contexts" >>$selinux/contexts/files/file_contexts
ok "and what tries in a tool's place" aarch64-linux-gnu-gcc -std=c11 -O2 -Wall -Wextra -Werror -fPIE -pie -fstack-protector-all \
	-Wl,-z,relro,-z,now,-z,noexecstack -o deed "$top/tests/guest/deed.c"
for f in capture seal spool ship reap status log; do install -m 755 deed root/usr/lib/cam/test/$f; done
for f in run run-ship; do printf '#!/bin/sh\nexec "$@"\n' >root/usr/lib/cam/test/$f; chmod 755 root/usr/lib/cam/test/$f; done
find root -exec touch -hd @0 {} +

labels=--file-contexts=$selinux/contexts/files/file_contexts
mkfs.erofs -q $labels --all-root image root >tap.out 2>&1 || mkfs.erofs $labels --all-root image root >tap.out 2>&1
ok "an image is made" test -s image
truncate -s %4096 image
offset=$(stat -c %s image)
/sbin/veritysetup format --hash-offset="$offset" image image 2>tap.err | sed -n 's/^Root hash:[[:space:]]*//p' | tr -d '\n' >"hash"
ok "and signed" openssl smime -sign -nocerts -noattr -binary -in hash -inkey "$kernel/key.pem" -signer "$kernel/certificate.pem" -outform der -out signature
/sbin/mke2fs -q -t ext4 var.img 64M

# --- it runs ---

install -m 755 "$top/tests/guest/hardened-init.sh" first/init
cp hash signature first
echo "$offset" >first/offset
(cd first && find . | cpio -o -H newc -R 0:0 --quiet) >initrd
timeout -k 5 "${GUEST_SECONDS:-400}" nice qemu-system-aarch64 -M virt -cpu cortex-a53 -accel tcg,thread=multi -smp 2 -m 512 -no-reboot \
	-nodefaults -nographic -monitor none -serial "file:$T/console" -kernel "$kernel/Image" -initrd initrd -device i6300esb -device virtio-rng-pci \
	-netdev user,id=n,restrict=on -device virtio-net-pci,netdev=n,romfile= \
	-drive file=image,format=raw,if=virtio,read-only=on -drive file=var.img,format=raw,if=virtio </dev/null >tap.out 2>tap.err
mkdir var
/sbin/e2fsck -fp var.img >/dev/null 2>&1 # nobody unmounted it
/sbin/debugfs -R "rdump / var" var.img >/dev/null 2>&1
chmod -R a+rX var
out=var/out
[ "${GUEST_OUT:-}" ] && cp -r var console "$GUEST_OUT"
ok "the guest ran to its end" grep -qx ended "$out/code"
[ -e "$out/all.json" ] || { sed 's/^/# /' console; tap_done; }

# --- a camera works there ---

is "cells, settings and filter are made" "$(cat "$out/started")" 0
for t in log capture seal spool ship reap; do ok "cam-$t says that it is ready" grep -qx "cam-$t true true" "$out/ready"; done
exits 0 "what it recorded opens, and is proven" sh -c 'cam-open -k me.key -s "$1" var/spool/cam/door/*.cam >film' sh "$out/camera.pub"
ok "$(find var/spool/cam/door -name '*.cam' | wc -l) segments, $(stat -c %s film) bytes" test -s film

# --- what was generated holds ---

# verdicts FILE VERDICT: the ids
verdicts() { /usr/bin/python3 -c 'import json, sys; print(*sorted(f["id"] for f in json.load(open(sys.argv[1]))["findings"] if f["verdict"] == sys.argv[2]))' "$out/$1.json" "$2"; }
count() { verdicts "$1" "$2" | wc -w; }
cam-harden-check -a arm64 -b pi3 -k "$kernel/config" -o json >"$out/config.json"
is "of the kernel's own configuration nothing fails" "$(verdicts config FAIL)" ""
cam-harden-check -a arm64 -b pi3 -k "$kernel/defconfig" -o json >"$out/defconfig.json"
is "merged into the defconfig of arm64, only what its drivers bring back" "$(verdicts defconfig FAIL)" fs.configfs-fs
echo "# live: $(count all PASS) PASS, $(count all FAIL) FAIL, $(count all INCOMPLETE) INCOMPLETE; the audit took $(awk '{print $2 - $1}' "$out/live.time") s of the guest's time"
echo "# fails: $(verdicts all FAIL)"
echo "# incomplete: $(verdicts all INCOMPLETE)"
# Each of these is so: what the guest has not got (a TPM, a disk that is encrypted, a signed list of
# contents, somebody who knows the time, hardware of a Pi), what its first stage leaves trusted, what runs here to test (the first process is a script, which feeds the watchdog), and what Debian builds.
cat >expected <<'X'
exec.elf-bindnow
exec.elf-canary
exec.interpreters
image.sbom
image.sbom-signature
integrity.clock
integrity.ipe-boot-verified
integrity.tpm
mount.data-device
watchdog.timeout
X
# process.unknown: the sleep between two feedings, when it is met
is "of the running device fails what is known to" "$(verdicts all FAIL | tr ' ' '\n' | grep -vx process.unknown)" "$(cat expected)"
is "and nothing of what was generated" \
	"$(verdicts all FAIL | tr ' ' '\n' | grep -E '^(disagree|kconfig|cmdline|sysctl|netsysctl|proto|fs|net)\.')" ""
for id in integrity.root-verity integrity.root-signature integrity.verity-signatures integrity.root-opts integrity.ipe-enforcing \
	integrity.ipe-default integrity.lockdown integrity.lsm exec.probe-mounts exec.probe-memfd exec.probe-shm exec.probe-mmap \
	exec.probe-mprotect exec.probe-loader exec.setuid exec.file-caps exec.world-writable watchdog.state watchdog.nowayout \
	process.running process.seccomp process.no-new-privs process.cap-eff net.nft-ip-output net.nft-egress-user \
	integrity.selinux-enforcing integrity.selinux-policy integrity.selinux-unknown integrity.selinux-permissive process.domain \
	image.selinux-mode image.selinux-policy image.selinux-permissive image.file-contexts exec.probe-script; do
	case " $(verdicts all PASS) " in *" $id "*) tap_result 0 "$id passes" ;; *) tap_result 1 "$id passes" ;; esac
done
ok "who may see less says so" test "$(count user INCOMPLETE)" -gt "$(count live INCOMPLETE)"

# --- the kernel does it, as root and without a policy for SELinux ---

# refused FILE NAME WORD REASON
refused() { ok "$2: $(grep "^$3 " "$out/$1")" grep -qE "^$3 $4" "$out/$1"; }
refused before "a copied program does not run" copied '126 .*Permission denied'
refused before "nor where programs may run, by IPE alone" remounted '0 126 .*Permission denied'
refused before "the root is not made writable" root '[1-9]'
refused before "nor its disk written" disk '1 .*not permitted'
refused before "there are no user namespaces" namespace '1 .*Invalid argument'
refused before "no memory of the machine" memory '1 .*No such file'
refused before "nor of the kernel" kcore '1 .*No such file'
# said in cam-harden-check(8)
refused before "without a policy root switches IPE off" ipe '0'

# --- with it, root in the supervisor's domain does not either ---

denied='.*Permission denied'
refused tried "a copied program does not run" copied "126 $denied"
refused tried "nor a script by its name" script "126 $denied"
refused tried "nor one through the loader" loader "126 $denied"
refused tried "nor a tool, but from its run script" tool "127 $denied"
refused tried "nothing is made to hold programs" remounted '[1-9]'
refused tried "nothing is mounted" mounted '[1-9]'
refused tried "the root is not made writable" root '[1-9]'
refused tried "no namespace is made" namespaces '[1-9]'
refused tried "a disk is not read" disk "1 $denied"
refused tried "IPE stays on" ipe "2 $denied"
refused tried "lockdown stays as it is" lockdown "2 $denied"
refused tried "SELinux stays enforcing" enforce "2 $denied"
refused tried "another policy is not loaded" policy "1 $denied"
refused tried "the signing key is not read" key "1 $denied"
refused tried "what is set once stays" sysctl '1 .*permission denied'
refused tried "the filter stays" filter "127 $denied"

# --- each in its domain, and nothing that the camera does is refused ---

domain() { is "$1 runs in $2" "$(grep "^$1 " "$out/domains")" "$1 system_u:system_r:$2"; }
for t in capture seal spool ship reap status; do domain cam-$t cam_${t}_t; done
domain s6-log cam_log_t
ok "sleep, which holds the log's FIFO, in cam_hold_t" grep -qx 'sleep system_u:system_r:cam_hold_t' "$out/domains"
domain s6-supervise cam_super_t
domain s6-fdholderd cam_super_t
domain init cam_super_t
is "the policy knows every class and permission of this kernel" "$(grep -E 'SELinux: .*not defined' "$out/dmesg.running")" ""
is "until something is tried, nothing is refused" "$(grep -E 'avc: +denied' "$out/dmesg.running")" ""
ok "the gate has its audit: $(cat "$out/gate")" grep -qE '^exit 1: [0-9]+ PASS' "$out/gate"
is "what is killed is started again, and finish knows what is in vain" "$(tr '\n' ' ' <"$out/svstat")" "log another 0 finish 125 reap another 0 finish 125 "
for t in log reap; do ok "which is said: cam-$t" sh -c 'cat "$1"/said/door/* | grep -q "cam-$2@door: exit 100: stays down"' sh "$out" $t; done

# --- of what a broken-into tool might try, only this is done; everything else is refused ---

for t in capture seal spool ship reap status log; do echo "$t nothing"; done >wanted
cat >>wanted <<'X'
capture capture signal
key seal read
footage spool read
footage spool write
footage spool create
footage ship read
footage status read
ship tcp
ship udp
aside reap rename
aside reap rename
X
is "of $(wc -l <"$out/deeds") deeds" "$(sed -n 's/ done$//p' "$out/deeds" | sort)" "$(sort wanted)"
# The folder of its credentials is open to cam-ship: there is no such file in it.
is "the others are refused" "$(grep -vE ' (done|Permission denied|Operation not permitted)$' "$out/deeds")" \
	"credentials ship read No such file or directory"
tap_done
