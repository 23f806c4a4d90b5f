#!/bin/sh
# hardened-first: the first process of the hardened guest. Tries what a break-in would try first, as root and without a
# policy for SELinux, so that each refusal is that of the kernel, the mounts and IPE alone; then starts as a closed image does.
export PATH=/usr/bin:/usr/sbin:/bin:/sbin:/usr/lib/execline/bin
mount /proc # as fstab says, before the others need it
mount /sys
mount /run
mount -t securityfs -o nosuid,nodev,noexec security /sys/kernel/security
echo 0 >/proc/sys/kernel/printk_ratelimit # every refusal is shown, until the settings are made also on the console
echo 7 >/proc/sys/kernel/printk

# the code and the reason
tries() {
	"$@" >/dev/null 2>/run/try
	echo "$? $(tail -n 1 /run/try)"
}
{
	cp /bin/cat /run/cat; chmod 755 /run/cat
	echo "copied $(tries /run/cat /proc/version)"
	mount -o remount,exec /run
	echo "remounted $? $(tries /run/cat /proc/version)"
	echo "root $(tries mount -o remount,rw /)"
	echo "disk $(tries cp /bin/cat /dev/vda)"
	echo "namespace $(tries unshare --user true)"
	echo "memory $(tries cat /dev/mem)"
	echo "kcore $(tries cat /proc/kcore)"
	echo "ipe $(tries sh -c 'echo 0 >/sys/kernel/security/ipe/enforce && /run/cat /proc/version')"
	echo 1 >/sys/kernel/security/ipe/enforce
	mount -o remount,noexec /run
	rm /run/cat /run/try
} >/run/before 2>&1
exec /usr/lib/cam/load-policy /usr/lib/cam/boot /usr/lib/cam/test/init
