#!/bin/sh
# hardened-inside: a camera whose kernel, command line, settings, filter and mounts are what cam-harden-check -g writes, and
# whose domains are those of s6-rc/selinux. In the supervisor's domain this starts the run scripts of s6-rc/ with their
# cells, lets them record, audits the device while they do, and leaves everything in /var/out.
out=/var/out
lib=/usr/lib/cam
umask 022
# shellcheck source=tests/guest/supervise.sh
. $lib/test/supervise

mkdir -p $out
exec >$out/log 2>&1 </dev/null
cat /proc/cmdline /proc/version /sys/kernel/security/lsm >$out/kernel
cat /run/before >$out/before
# Somebody feeds it as long as this lasts.
feed() { exec 9>/dev/watchdog0; while :; do echo >&9; sleep 2; done; }
feed &

$lib/cells && $lib/prepare door && $lib/kernel
echo $? >$out/started
services_start door
($lib/image/run/run.user.cam-status@door 3>/run/cam/door/ready.status >/dev/null) &
made() { ls /var/spool/cam/door/*.cam >/dev/null 2>&1; }
until_so 120 made
for t in log capture seal spool ship reap; do
	until_so 60 service_is cam-$t@door ready
	echo "cam-$t $(s6-svstat -o up,ready $scan/cam-$t@door)"
done >$out/ready
pids() { for p in /proc/[0-9]*; do read -r name <"$p/comm" && [ "$name" = "$1" ] && echo "${p#/proc/}"; done 2>/dev/null; }

# s6 starts what dies; finish, which it runs then, says when that is in vain
another() { [ "$(s6-svstat -o pid $scan/$1)" != "$2" ] && service_is "$1" ready; }
for t in log reap; do
	was=$(s6-svstat -o pid $scan/cam-$t@door)
	kill -KILL "$was"
	until_so 60 another cam-$t@door "$was"
	echo "$t another $?"
	(cd $scan/cam-$t@door && ./finish 256 9 cam-$t@door && ./finish 100 0 cam-$t@door)
	echo "finish $?"
done >$out/svstat

$lib/gate door
cat /run/cam/door/audit >$out/gate
dmesg -S >$out/dmesg.running
for p in /proc/[0-9]*; do
	{ read -r name <"$p/comm" && echo "$name $(tr -d '\0\n' <"$p/attr/current")"; } 2>/dev/null
done | sort -u >$out/domains

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

# What root in the supervisor's domain may not, though it is root: the code and the reason.
tries() {
	"$@" >/dev/null 2>$out/try
	echo "$? $(tail -n 1 $out/try)"
}
key=/var/lib/cam/door/sign.key
{
	cp /bin/cat /run/cam/service.cat; chmod 755 /run/cam/service.cat
	echo "copied $(tries /run/cam/service.cat /proc/version)"
	echo "remounted $(tries mount -o remount,exec /run)"
	printf '#!/bin/sh\nexit 0\n' >$out/script; chmod 755 $out/script
	echo "script $(tries $out/script)"
	echo "mounted $(tries mount -t tmpfs tmpfs /tmp)"
	echo "root $(tries mount -o remount,rw /)"
	echo "disk $(tries cat /dev/vdb)"
	echo "ipe $(tries sh -c 'echo 0 >/sys/kernel/security/ipe/enforce')"
	echo "lockdown $(tries sh -c 'echo none >/sys/kernel/security/lockdown')"
	echo "enforce $(tries sh -c 'echo 0 >/sys/fs/selinux/enforce')"
	echo "policy $(tries dd if=/etc/selinux/camera/policy/policy.33 of=/sys/fs/selinux/load bs=4M)"
	echo "key $(tries cat $key)"
	echo "namespaces $(tries unshare --mount true)"
	echo "sysctl $(tries sysctl -w kernel.yama.ptrace_scope=0)"
	echo "loader $(tries sh -c '/lib/ld-linux-aarch64.so.1 /bin/cat /proc/version')"
	echo "tool $(tries cam-ship -h)"
	echo "filter $(tries nft flush ruleset)"
} >$out/tried 2>>$out/log

# What each tool, taken over, may and may not: tests/guest/deed.c under the label of the tool, as the user of the tool.
deeds=$lib/test
as() {
	as=$1 user=$2; shift 2
	start=$deeds/run
	[ "$as" != ship ] || start=$deeds/run-ship
	echo "$as $1 $($start setpriv --reuid "$user" --regid "$user" --init-groups --no-new-privs --inh-caps -all --bounding-set -all "$deeds/$as" "$@" 2>&1)"
}
first() { echo "$1"; }
segment=$(first /var/spool/cam/door/*.cam)
for recording in $(pids cam-capture); do :; done
{
	for t in capture seal spool ship reap status log; do
		as $t cam$t nothing
		as $t cam$t execute /bin/cat /proc/version
		as $t cam$t page
		as $t cam$t mount /tmp
		as $t cam$t become system_u:system_r:cam_super_t
		as $t cam$t set /proc/sys/kernel/printk_ratelimit 1
		as $t cam$t listen
		as $t cam$t tcp
		as $t cam$t udp
		# as the key's own user, and as cam-ship's group: only the label differs
		echo "key $(as $t camseal read $key)"
		echo "footage $(as $t camspool read "$segment")"
		echo "footage $(as $t camspool write "$segment")"
		echo "footage $(as $t camspool create "$segment.$t")"
		echo "credentials $(as $t root read /etc/cam/door/ship/NOTHING)"
		echo "capture $(as $t camcapture trace "$recording")"
		echo "capture $(as $t camcapture signal "$recording")"
	done
	echo "away $(as reap camspool unlink "$segment")"
	echo "away $(as ship camspool unlink "$segment")"
	echo "aside $(as ship camspool rename "$segment" "$segment.x")"
	echo "aside $(as reap camspool rename "$segment" "$segment.x")"
	echo "aside $(as reap camspool rename "$segment.x" "$segment")"
} >$out/deeds 2>>$out/log

# an orderly end
services_stop cam-capture@door cam-seal@door cam-spool@door cam-ship@door cam-reap@door
cp /run/cam/door/camera.pub $out
dmesg -S >$out/dmesg 2>&1
cp -r /var/log/cam $out/said
echo ended >$out/code
sync
exit 0 # the kernel panics without its first process, and starts anew: the guest ends
