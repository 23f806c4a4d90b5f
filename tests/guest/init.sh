#!/bin/busybox sh
# shellcheck shell=dash
# init: the first process of the guest, first in its initrd, then in its root. It runs the program that run.sh gave,
# connected to its standard output, and turns the guest off.
bb=/bin/busybox
export PATH=/mnt/o:/usr/sbin:/usr/bin:/sbin:/bin:/opt

if [ -e /modules ]; then
	$bb mkdir -p /dev /proc /sys /root
	$bb mount -t proc proc /proc
	$bb mount -t devtmpfs dev /dev
	while read -r m; do $bb insmod "$m"; done </modules
	$bb mount -t ext4 /dev/vda /root || $bb poweroff -f
	$bb cp /init /root/run/init
	$bb mount -t devtmpfs dev /root/dev
	exec $bb switch_root /root /bin/busybox sh /run/init
fi

$bb mount -t proc proc /proc
$bb mount -t sysfs sys /sys
$bb mount -t tmpfs -o mode=1777 tmp /tmp
$bb mount -t tmpfs -o mode=755 run /run
$bb mkdir -p /opt /dev/shm /mnt/src /mnt/o /mnt/out
mount -t tmpfs -o mode=1777 shm /dev/shm
for share in src o out; do
	mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,access=any,cache=loose $share /mnt/$share
done
$bb --install -s /opt
exec >"$(echo /dev/vport*p1)" 2>&1 </dev/null
# shellcheck disable=SC2046
cd /tmp && /bin/dash /mnt/out/command
echo $? >/mnt/out/code
sync
$bb poweroff -f
