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
install -D -m 755 "$top/tests/guest/hardened-inside.sh" root/sbin/init
for f in cells prepare kernel; do install -D -m 755 "$top/s6-rc/$f" "root/usr/lib/cam/$f"; done
for f in log-hold log capture seal spool ship reap; do
	mkdir -p "root/usr/lib/cam/door/$f"
	sed -e 's,@CAMERA@,door,g; s,@STREAM@,video,g; s,@SPOOL@,door,g; s,@SEAL@,-n 0,g; s,@VARIABLE@,CAM,g; s,@QUOTA@,,g; s,@BELOW@,,g' \
		"$top/s6-rc/run/$f" >"root/usr/lib/cam/door/$f/run"
	chmod 755 "root/usr/lib/cam/door/$f/run"
done
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
find root -exec touch -hd @0 {} +

mkfs.erofs -q --all-root image root >tap.out 2>&1 || mkfs.erofs --all-root image root >tap.out 2>&1
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
/sbin/debugfs -R "rdump / var" var.img >/dev/null 2>&1
chmod -R a+rX var
out=var/out
[ "${GUEST_OUT:-}" ] && cp -r var console "$GUEST_OUT"
ok "the guest ran to its end" grep -qx ended "$out/code"
[ -e "$out/all.json" ] || { sed 's/^/# /' console; tap_done; }

# --- a camera works there ---

is "cells, settings and filter are made" "$(cat "$out/started")" 0
for t in capture seal spool ship reap; do ok "cam-$t says that it is ready" grep -q "^1 .*/ready.$t$" "$out/ready"; done
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
# Each of these is so: what the guest has not got (a TPM, a disk that is encrypted, a policy for SELinux, a signed list of
# contents, somebody who knows the time, hardware of a Pi), what its first stage leaves trusted, what runs here to test (the first process is a script, which feeds the watchdog), and what Debian builds.
cat >expected <<'X'
exec.elf-bindnow
exec.elf-canary
exec.interpreters
exec.probe-script
image.file-contexts
image.sbom
image.sbom-signature
image.selinux-mode
image.selinux-permissive
image.selinux-policy
integrity.clock
integrity.ipe-boot-verified
integrity.selinux-policy
integrity.tpm
mount.data-device
process.domain
watchdog.timeout
X
# process.unknown: the sleep between two feedings, when it is met
is "of the running device fails what is known to" "$(verdicts all FAIL | tr ' ' '\n' | grep -vx process.unknown)" "$(cat expected)"
is "and nothing of what was generated" \
	"$(verdicts all FAIL | tr ' ' '\n' | grep -E '^(disagree|kconfig|cmdline|sysctl|netsysctl|proto|fs|net)\.')" ""
for id in integrity.root-verity integrity.root-signature integrity.verity-signatures integrity.root-opts integrity.ipe-enforcing \
	integrity.ipe-default integrity.lockdown integrity.lsm exec.probe-mounts exec.probe-memfd exec.probe-shm exec.probe-mmap \
	exec.probe-mprotect exec.probe-loader exec.setuid exec.file-caps exec.world-writable watchdog.state watchdog.nowayout \
	process.running process.seccomp process.no-new-privs process.cap-eff net.nft-ip-output net.nft-egress-user; do
	case " $(verdicts all PASS) " in *" $id "*) tap_result 0 "$id passes" ;; *) tap_result 1 "$id passes" ;; esac
done
ok "who may see less says so" test "$(count user INCOMPLETE)" -gt "$(count live INCOMPLETE)"

# --- and the kernel does it ---

refused() { ok "$1: $(grep "^$2 " "$out/tried")" grep -qE "^$2 $3" "$out/tried"; }
refused "a copied program does not run" copied '126 .*Permission denied'
refused "nor where programs may run, by IPE alone" remounted '0 126 .*Permission denied'
refused "nor a script by its name" script '126 .*Permission denied'
refused "the root is not made writable" root '[1-9]'
refused "nor its disk written" disk '1 .*not permitted'
refused "there are no user namespaces" namespace '1 .*Invalid argument'
refused "no memory of the machine" memory '1 .*No such file'
refused "nor of the kernel" kcore '1 .*No such file'
refused "what is set once stays" sysctl '1 '
# Known, and said in cam-harden-check(8): without a policy for SELinux, root can tell IPE to look away.
refused "root switches IPE off, and the audit fails for want of a policy" ipe '0'
tap_done
