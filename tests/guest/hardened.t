#!/bin/sh
# defends: enter.kernel enter.program
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
release=$(sed -n 's/^# Linux.* \([0-9.]*\) Kernel Conf.*/\1/p' "$kernel/config")-cam
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
cam-harden-check -g nft server=10.0.2.2 dns=none ntp=none >root/etc/cam/nftables.conf
cam-harden-check -g fstab /=/dev/mapper/root /var=/dev/vdb >root/etc/fstab
printf 'root:*:1::::::\n' >root/etc/shadow
find root -exec touch -hd @0 {} +

mkfs.erofs -q --all-root image root >tap.out 2>&1 || mkfs.erofs --all-root image root >tap.out 2>&1
ok "an image is made" test -s image
truncate -s %4096 image
offset=$(stat -c %s image)
/sbin/veritysetup format --hash-offset="$offset" image image 2>tap.err | sed -n 's/^Root hash:[[:space:]]*//p' | tr -d '\n' >hash
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
cat console
mkdir var
/sbin/debugfs -R "rdump / var" var.img >/dev/null 2>&1
out=var/out
[ "${GUEST_OUT:-}" ] && cp -r var console "$GUEST_OUT"
ok "the guest ran to its end" grep -qx done $out/code
tap_done
