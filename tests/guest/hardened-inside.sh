#!/bin/sh
# hardened-inside: the first process of a camera whose kernel, command line, settings, filter and mounts are what
# cam-harden-check -g writes. It starts the run scripts of s6-rc/ with their cells, lets them record, audits the device
# while they do, and leaves everything in /var/out.
export PATH=/usr/bin:/usr/sbin:/bin:/sbin:/usr/lib/execline/bin
out=/var/out
lib=/usr/lib/cam
umask 022

mount /proc # as fstab says, before the others need it
mount -a
mount -t securityfs -o nosuid,nodev,noexec security /sys/kernel/security
mount -t selinuxfs -o nosuid,noexec selinux /sys/fs/selinux
mount -t cgroup2 -o nosuid,nodev,noexec cgroup /sys/fs/cgroup
mkdir -p $out /var/tmp /var/log
exec >$out/log 2>&1 </dev/null
cat /proc/cmdline /proc/version /sys/kernel/security/lsm >$out/kernel
# Somebody feeds it as long as this lasts.
exec 9>/dev/watchdog0
feed() { while :; do echo >&9; sleep 2; done; }
feed &

$lib/cells && $lib/prepare door && $lib/kernel
echo $? >$out/started
# s6-rc would hold the pipes; here a shell does
run() { cd "$lib/door/$1" && exec ./run 3>"/run/cam/door/ready.$1" 9>&-; }
(run log-hold) &
(run log) &
(run capture | run seal | run spool) &
recorder=$!
(run ship | run reap) &
n=0
until ls /var/spool/cam/door/*.cam >/dev/null 2>&1 || [ $n -gt 120 ]; do sleep 1; n=$((n + 1)); done
wc -c /run/cam/door/ready.* >$out/ready

# audit NAME ARGUMENT...: as JSON and for people
audit() {
	name=$1; shift
	cam-harden-check -b pi3 "$@" -o json >$out/$name.json 2>$out/$name.err
	echo $? >$out/$name.code
}
began=$(cut -d' ' -f1 /proc/uptime)
audit live
echo "$began $(cut -d' ' -f1 /proc/uptime)" >$out/live.time
audit all -w -x
cam-harden-check -b pi3 -w -x -v >$out/all.txt 2>&1
cam-harden-check -o json >$out/virt.json 2>$out/virt.err
setpriv --reuid camlog --regid camlog --clear-groups --no-new-privs cam-harden-check -b pi3 -o json >$out/user.json 2>$out/user.err

# what a break-in would try first, each of which has to fail: the code and the reason
tries() {
	"$@" >/dev/null 2>$out/try
	echo "$? $(tail -n 1 $out/try)"
}
{
	cp /bin/cat /run/cat; chmod 755 /run/cat
	echo "copied $(tries /run/cat /proc/version)"
	mount -o remount,exec /run
	echo "remounted $? $(tries /run/cat /proc/version)"
	printf '#!/bin/sh\nexit 0\n' >/var/script; chmod 755 /var/script
	echo "script $(tries /var/script)"
	echo "root $(tries mount -o remount,rw /)"
	echo "disk $(tries cp /bin/cat /dev/vda)"
	echo "namespace $(tries unshare --user true)"
	echo "memory $(tries cat /dev/mem)"
	echo "kcore $(tries cat /proc/kcore)"
	echo "ipe $(tries sh -c 'echo 0 >/sys/kernel/security/ipe/enforce && /run/cat /proc/version')"
	echo 1 >/sys/kernel/security/ipe/enforce
	mount -o remount,noexec /run
	echo "sysctl $(tries sysctl -w kernel.yama.ptrace_scope=0)"
} >$out/tried 2>>$out/log

# an orderly end
for p in /proc/[0-9]*; do
	read -r name <"$p/comm" 2>/dev/null || continue
	case $name in cam-capture | cam-ship) kill "${p#/proc/}" ;; esac
done
n=0
while kill -0 $recorder 2>/dev/null && [ $n -lt 60 ]; do sleep 1; n=$((n + 1)); done
cp /run/cam/door/camera.pub $out
dmesg >$out/dmesg 2>&1
cp -r /var/log/cam $out/said
echo ended >$out/code
sync
mount -o remount,ro /var
exit 0 # the kernel panics without its first process, and starts anew: the guest ends
