#!/bin/busybox sh
# shellcheck shell=dash
# hardened-init: the first stage of the hardened guest. The root is the device under dm-verity whose hash somebody signed
# whom the kernel knows; the filter is there before the network is. Whatever fails ends this process, and the kernel starts
# anew.
set -e
bb=/bin/busybox
$bb mkdir -p /proc /sys /dev /root /run
$bb mount -t proc proc /proc
$bb mount -t sysfs sys /sys
$bb mount -t devtmpfs dev /dev
/sbin/veritysetup open /dev/vda root /dev/vda "$($bb cat /hash)" --hash-offset="$($bb cat /offset)" \
	--root-hash-signature=/signature --panic-on-corruption
$bb blockdev --setro /dev/vda
$bb mount -t erofs -o ro /dev/mapper/root /root
$bb mount -t devtmpfs -o nosuid,noexec dev /root/dev
$bb mkdir -p /root/dev/pts /root/dev/shm
$bb chroot /root /usr/sbin/nft -f /etc/cam/nftables.conf
$bb ip address add 127.0.0.1/8 dev lo
$bb ip link set lo up
$bb ip address add 10.0.2.15/24 dev eth0
$bb ip link set eth0 up
$bb umount /proc
$bb umount /sys
exec $bb switch_root /root /sbin/init
