#!/bin/bash
# defends: see.leftover enter.program enter.unseen
# Every rule about what runs passes on a device where all is well, and fails when that one thing is broken. Devices are
# trees that stand for /proc and /sys; what the kernel is asked directly comes as lines.
. "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/cam-harden-check/device.sh
. "$top/tests/cam-harden-check/device.sh"
# shellcheck source=tests/cam-harden-check/uboot.sh
. "$top/tests/cam-harden-check/uboot.sh"

facts=$O/tests/cam-harden-check/facts
policy=$top/cam-harden-check/pi3-camera.policy
# rules of which nobody has made a device that passes, or one that fails
todo="
"
# rules about devices that lack something, which a good one has
elsewhere="
integrity.boot-otp-unseen
integrity.rollback-key
"
collectors="mounts verity lsm boot bootloader fuses keyring measured protocols sockets processes programs timesource resolver wifi order feeder"
[ "$(id -u)" = 0 ] || skip_all "the trees need root's files"

# --- a program that is built as it should be, and one that is not ---

cat >p.c <<'X'
#include <string.h>
int main(int argc, char **argv)
{
	char buf[64];
	strcpy(buf, argv[argc - 1]);
	return buf[0];
}
X
gcc -O1 -fPIE -pie -fstack-protector-all -Wl,-z,relro,-z,now,-z,noexecstack -o good_program p.c
gcc -O1 -no-pie -fno-pie -fno-stack-protector -Wl,-z,norelro,-z,lazy,-z,execstack,-rpath,/tmp -o bad_program p.c

cat >lines <<'X'
device arch = arm64
device board = pi3
device kernel = 6.18.0
device running = y
kconfig CONFIG_MODULES = y
integrity root-verity = active
integrity root-status = V
integrity root-hash = 00
integrity root-verity-digest = sha256
integrity root-verity-opts = panic_on_corruption
integrity root-verity-sig = signed
integrity rollback = current
integrity tpm.unowned none
proto families + UNIX
proto families + INET
proto transports + TCP
net iptables-legacy none
integrity clock = synchronised
exec securebits + exec-restrict-file
exec securebits + exec-deny-interactive
exec probe:exec-each-writable-mount none
exec probe:memfd-exec none
exec probe:dev-shm-exec none
exec probe:mmap-prot-exec-file none
exec probe:mprotect-wx none
exec probe:ld.so-direct none
exec probe:script-interp none
X
ruleset() { echo "{\"nftables\":[{\"metainfo\":{}},{\"table\":{\"family\":\"inet\",\"name\":\"t\"}},$1]}"; }
base() { echo "{\"chain\":{\"family\":\"inet\",\"table\":\"t\",\"name\":\"$1\",\"type\":\"filter\",\"hook\":\"$1\",\"prio\":0,\"policy\":\"$2\"}}"; }
rule() { echo "{\"rule\":{\"family\":\"inet\",\"table\":\"t\",\"chain\":\"$1\",\"handle\":$2,\"expr\":[$3]}}"; }
m() { echo "{\"match\":{\"op\":\"${3:-==}\",\"left\":$1,\"right\":$2}}"; }
state() { m '{"ct":{"key":"state"}}' "$1" in; }
server=$(rule output 6 "$(m '{"meta":{"key":"skuid"}}' 904),$(m '{"payload":{"protocol":"ip","field":"daddr"}}' '"203.0.113.7"'),$(m '{"payload":{"protocol":"tcp","field":"dport"}}' 443),{\"accept\":null}")
good_rules="$(base input drop),$(base forward drop),$(base output drop),$(rule input 1 "$(state '"invalid"'),{\"drop\":null}"),$(rule input 2 "$(state '["established","related"]'),{\"accept\":null}"),$(rule input 3 "$(m '{"payload":{"protocol":"ip","field":"saddr"}}' '{"prefix":{"addr":"127.0.0.0","len":8}}'),{\"drop\":null}"),$(rule output 4 "$(state '"established"'),{\"accept\":null}"),$(rule output 5 '{"limit":{"rate":1,"per":"second"}},{"log":null}'),$server,{\"chain\":{\"family\":\"netdev\",\"table\":\"t\",\"name\":\"i\",\"type\":\"filter\",\"hook\":\"ingress\",\"dev\":\"eth0\",\"prio\":0,\"policy\":\"drop\"}},{\"chain\":{\"family\":\"arp\",\"table\":\"t\",\"name\":\"a\",\"type\":\"filter\",\"hook\":\"input\",\"prio\":0,\"policy\":\"drop\"}}"
ruleset "$good_rules" >rules.json

device dev
logs="/usr/bin/python3 $top/tests/cam-harden-check/measured.py dev"
$logs
trees trees
uboot trees/conf.dtb >dev/boot/kernel8.img
image img good_program

# verdicts: of dev with the lines instead of what was collected under their keys, img, and rules.json; by the policy and
# what a person has judged, in layer
verdicts() {
	"$facts" dev $collectors >collected 2>err || cat err
	{ grep -vFf <(cut -d' ' -f1,2 lines | sed 's/$/ /' | sort -u) collected; cat lines; } >merged
	[ "$1" = files ] && "$facts" -o img files >walked
	cat walked >>merged
	judge layer >verdicts
}
judge() { "$facts" -p "$policy" -l "$1" -f merged -j rules.json 2>err | grep -E ' (proto|fs|mount|integrity|exec|process|net|watchdog)\.' | sort -u; }
# sign: what is to be judged, as somebody has judged it
sign() { "$facts" -p "$policy" -l layer -r -f merged -j rules.json 2>err | sed -nE 's/^# (reviewed [^ ]+) \| OWNER \| UNTIL (.*) REASON$/\1 | tester | 2099-12-31 \2 seen/p'; }

awk -F' [|] ' '$2 ~ /^(proto|mount|integrity|exec|process|net|watchdog)$/ && $3 !~ /^CONFIG_/ { print $1 }' "$policy" >ids
awk -F' [|] ' '$4 ~ /(^| )review( |$)/ { print $1 }' "$policy" | grep -xFf ids >ids_review
awk -F' [|] ' '$4 ~ /(^| )attested( |$)/ { print $1 }' "$policy" | grep -xFf ids >ids_attested
[ "$(wc -l <ids)" -gt 150 ]; tap_result $? "the policy has rules about what runs"

# --- all is well ---

echo '# nobody has judged anything' >layer
verdicts files
while read -r id; do
	grep -qxE "(INCOMPLETE|SKIP) $id" verdicts || { grep -q "^$id .* or review |" "$policy" && grep -qx "PASS $id" verdicts; } || grep " $id\$" verdicts
done <ids_review >tap.out
grep -E "^(PASS|FAIL|WAIVED) ($(paste -sd'|' ids_attested))\$" verdicts >>tap.out; : >tap.err
[ ! -s tap.out ]; tap_result $? "nothing that a person has to judge passes by itself"

# where an alternative holds nobody asked for a judgement; there is one of another value, so that it has to be seen to
sign >signed
while read -r id; do
	grep -qx "PASS $id" verdicts && echo "reviewed $id | tester | 2099-12-31 | what no device has | seen"
done <ids_review >>signed
mv signed layer
verdicts files
cp verdicts good
cp walked walked_good
cp -al dev dev_good
cp -a img img_good
cp lines lines_good
cp rules.json rules_good
grep -vxFf <(sed -n 's/^PASS //p' good) ids >not_passed
cp not_passed tap.out; : >tap.err
! grep -qvxFf <(echo "$todo$elsewhere") not_passed; tap_result $? "on a good device every rule passes, what a person has judged too"
: >failed

# breaks NAME RULES COMMAND...: after the command these rules fail, and no other; what a person had judged passes again when
# he has judged what is there now.
breaks() {
	name=$1 rules=$2; shift 2
	"$@"
	cmp -s rules.json rules_good || rules="$rules net.nft-hash" # whatever is changed in them
	what=
	[ "${rules#exec.}" = "$rules" ] && [ "${rules#net.[sd]}" = "$rules" ] || what=files
	verdicts $what
	comm -13 good verdicts | grep -E '^(FAIL|INCOMPLETE)' | sort >got
	for id in $rules; do
		[ "$id" = "${id#INCOMPLETE:}" ] || { echo "INCOMPLETE ${id#*:}"; continue; }
		# fails now, and again when somebody has judged it
		[ "$id" = "${id#never:}" ] || { echo "FAIL ${id#*:}"; echo "FAIL ${id#*:}"; continue; }
		# of a process of root it cannot be told whether it may be dumped
		[ $id = process.dumpable ] && [ "${name#root}" != "$name" ] && echo "INCOMPLETE $id" || echo "FAIL $id"
	done | sort >want
	if grep -qxFf ids_review <(cut -d' ' -f2 got); then
		{ cat layer; sign; } >again
		judge again | grep -xFf <(sed 's/^/FAIL /' ids_review) >>got
	fi
	diff got want >tap.out; : >tap.err
	cmp -s got want; tap_result $? "$name: $rules"
	sed -n 's/^FAIL //p' got >>failed
	rm -rf dev && cp -al dev_good dev
	[ ! "$what" ] || { rm -rf img && cp -a img_good img && cp walked_good walked; }
	cp lines_good lines
	cp rules_good rules.json
}
# vouched ID: what no device shows, as it stands with a value, until yesterday, and by nobody
vouched() {
	sed "s/^\(reviewed $1 .* | \)- | seen/\1yes | seen/" layer >other
	sed "s/^\(reviewed $1 | tester | \)2099/\12025/" layer >late
	sed "/^reviewed $1 /d" layer >none
	{ judge other; judge late; judge none; } | grep " $1\$" | cut -d' ' -f1 | paste -sd' ' >tap.out; : >tap.err
	[ "$(cat tap.out)" = "FAIL FAIL INCOMPLETE" ] && echo "$1" >>failed
	[ "$(cat tap.out)" = "FAIL FAIL INCOMPLETE" ]; tap_result $? "$1: vouched for with a value, until yesterday, and by nobody"
}
# lacks NAME RULE COMMAND...: after the command the device lacks something, and the rule about that passes once vouched for
: >passed
lacks() {
	name=$1 rule=$2; shift 2
	"$@"
	cp layer layer_good
	verdicts
	sign >>layer
	judge layer >tap.out; : >tap.err
	grep -qx "PASS $rule" tap.out && echo "$rule" >>passed
	grep -qx "PASS $rule" tap.out; tap_result $? "$name: $rule: vouched for"
	vouched "$rule"
	mv layer_good layer
	rm -rf dev && cp -al dev_good dev
}
edit() { sed -i "$2" "dev/$1"; }
line() { sed -i "s|^$1 .*|$2|" lines; }
mi=proc/self/mountinfo
st() { edit "proc/$1/status" "$2"; for t in $1 $(($1 + 1)); do cp --remove-destination "dev/proc/$1/status" "dev/proc/$1/task/$t/status"; done; }
# trees share their files: what is appended to is copied first
append() { sh -c "$2" >extra; cp --remove-destination "dev_good/$1" "dev/$1"; cat extra >>"dev/$1"; }
mount_add() { append $mi "echo '$1'"; }

# mounts
breaks "root writable" "mount.root mount.tmp mount.home mount.writable-and-executable" edit $mi '1s/ ro/ rw/g'
breaks "boot mounted writable" "mount.boot mount.writable-and-executable" mount_add '30 20 179:1 / /boot rw - vfat /dev/mmcblk0p1 rw'
breaks "boot firmware mounted without nosuid" mount.boot-firmware mount_add '30 20 179:1 / /boot/firmware ro - vfat /dev/mmcblk0p1 ro'
breaks "programs in /dev" "mount.dev mount.writable-and-executable" edit $mi '/devtmpfs/s/,noexec//'
breaks "programs in shared memory" "mount.dev-shm mount.writable-and-executable" edit $mi '/shm/s/,noexec//'
breaks "setuid in /dev/pts" mount.dev-pts edit $mi '/devpts/s/nosuid,//'
breaks "processes of others" mount.proc edit $mi 's/,hidepid=invisible//'
breaks "/sys" mount.sys edit $mi '/ sysfs/s/,nodev//'
breaks "securityfs" mount.securityfs edit $mi '/securityfs/s/,nosuid//'
breaks "debugfs" mount.debugfs mount_add '30 25 0:20 / /sys/kernel/debug rw,nosuid,nodev,noexec - debugfs d rw'
breaks "tracefs" mount.tracefs mount_add '30 25 0:20 / /sys/kernel/tracing rw,nosuid,nodev,noexec - tracefs d rw'
breaks "bpffs" mount.bpffs mount_add '30 25 0:20 / /sys/fs/bpf rw,nosuid,nodev,noexec - bpf d rw'
breaks "/run" "mount.run mount.writable-and-executable" edit $mi '/ \/run/s/,noexec//'
breaks "/var" "mount.var mount.var-tmp mount.var-log mount.data" edit $mi '/ \/var/s/,nosuid/,suid/'
breaks "a /tmp of its own" "mount.tmp mount.tmpfs-unbounded" mount_add '30 20 0:21 / /tmp rw,nosuid,noexec - tmpfs t rw'
breaks "/var/tmp" mount.var-tmp mount_add '30 28 254:1 /t /var/tmp rw,nosuid,noexec - ext4 /dev/dm-1 rw'
breaks "/var/log" mount.var-log mount_add '30 28 254:1 /l /var/log rw,nosuid,noexec - ext4 /dev/dm-1 rw'
breaks "/home" mount.home mount_add '30 20 254:1 /h /home rw,noexec - ext4 /dev/dm-1 rw'
breaks "data not encrypted" mount.data-device edit sys/dev/block/254:1/dm/uuid 's/LUKS2.*//;s/CRYPT/LVM/'
breaks "a mount over /usr/bin" mount.over-root mount_add '30 20 254:1 /b /usr/bin ro,nosuid,nodev - ext4 /dev/dm-1 rw'
breaks "swap" mount.swap append proc/swaps 'echo "/dev/mmcblk0p3 partition 1 0 -2"'

# integrity
breaks "no verity" integrity.root-verity line "integrity root-verity =" "integrity root-verity = no: dm target linear"
breaks "corruption met" integrity.root-status line "integrity root-status" "integrity root-status = C"
breaks "another root" integrity.root-hash line "integrity root-hash" "integrity root-hash = 01"
breaks "a weak digest" integrity.root-digest line "integrity root-verity-digest" "integrity root-verity-digest = sha1"
breaks "corruption only reported" integrity.root-opts line "integrity root-verity-opts" "integrity root-verity-opts = ignore_zero_blocks"
breaks "corruption ignored" "integrity.root-opts integrity.root-opts-weak" line "integrity root-verity-opts" "integrity root-verity-opts = ignore_corruption"
not_signed() { line "integrity root-verity-sig" "integrity root-verity-sig none"; echo "cmdline dm-mod.create none" >>lines; }
breaks "not signed" integrity.root-signature not_signed
signatures_free() { edit sys/module/dm_verity/parameters/require_signatures s/Y/N/; echo "cmdline dm-mod.create none" >>lines; }
breaks "signatures not required" integrity.verity-signatures signatures_free
breaks "root's device writable" integrity.root-read-only edit sys/dev/block/254:0/ro s/1/0/
breaks "no lockdown among the modules" "integrity.lsm integrity.lockdown" edit sys/kernel/security/lsm s/lockdown,//
breaks "lockdown of integrity only" integrity.lockdown put dev/sys/kernel/security/lockdown 'none [integrity] confidentiality\n'
breaks "SELinux permissive" integrity.selinux-enforcing edit sys/fs/selinux/enforce s/1/0/
breaks "SELinux without a policy" integrity.selinux-policy rm -r dev/sys/fs/selinux/class
breaks "unknown permissions allowed" integrity.selinux-unknown edit sys/fs/selinux/deny_unknown s/1/0/
breaks "protection as asked for" integrity.selinux-checkreqprot edit sys/fs/selinux/checkreqprot s/0/1/
domain_permissive() { put dev/sys/fs/selinux/policy '\0214\0377\0174\0371\0010\0000\0000\0000SE Linux\0041\0000\0000\0000\0001\0000\0000\0000\0010\0000\0000\0000\0007\0000\0000\0000\0100\0000\0000\0000\0000\0000\0000\0000\0000\0000\0000\0000\0100\0000\0000\0000\0100\0000\0000\0000\0001\0000\0000\0000\0000\0000\0000\0000\0006\0000\0000\0000\0000\0000\0000\0000'; }
breaks "two domains permissive" "integrity.selinux-permissive integrity.selinux-policy-hash" domain_permissive
breaks "another policy of SELinux" integrity.selinux-policy-hash append sys/fs/selinux/policy "printf x"
breaks "IPE not enforcing" integrity.ipe-enforcing edit sys/kernel/security/ipe/enforce s/1/0/
breaks "no IPE policy active" "integrity.ipe-policy integrity.ipe-default" edit sys/kernel/security/ipe/policies/boot/active s/1/0/
breaks "IPE allows by default" integrity.ipe-default edit sys/kernel/security/ipe/policies/boot/policy s/action=DENY/action=ALLOW/
breaks "what ran before the root is still trusted" integrity.ipe-boot-verified edit sys/kernel/security/ipe/policies/boot/policy 's/dmverity_signature/boot_verified/'
breaks "IMA before the TPM" integrity.ima-aggregate edit sys/kernel/security/ima/ascii_runtime_measurements s/00cd/0000/
breaks "IMA violations" integrity.ima-violations edit sys/kernel/security/ima/violations s/0/3/
breaks "IMA dead" integrity.ima-count edit sys/kernel/security/ima/runtime_measurements_count s/2/0/
breaks "a TPM of the first version" integrity.tpm edit sys/class/tpm/tpm0/tpm_version_major s/2/1/
breaks "a bank of SHA-1" integrity.tpm-banks mkdir dev/sys/class/tpm/tpm0/pcr-sha1
breaks "a register never extended" "integrity.tpm-pcrs integrity.tpm-replay" put dev/sys/class/tpm/tpm0/pcr-sha256/4 "$(printf '0%.0s' $(seq 64))\n"
breaks "no boot log" integrity.tpm-log rm dev/sys/kernel/security/tpm0/binary_bios_measurements
breaks "no seed" integrity.boot-kaslr-seed rm dev/proc/device-tree/chosen/kaslr-seed
breaks "another kernel" integrity.boot-config-txt append boot/config.txt 'echo "kernel=evil.img"'
programs_of() { { uboot "$@"; } >x; rm dev/boot/kernel8.img; mv x dev/boot/kernel8.img; }
breaks "a kernel without a signature is started" integrity.boot-fit programs_of trees/optional.dtb
breaks "images that can be put together anew" integrity.boot-fit programs_of trees/image.dtb
breaks "a key stops U-Boot" integrity.boot-uboot-shell programs_of trees/conf.dtb "${settings/=-2/=2}"
breaks "U-Boot's settings on the card" integrity.boot-uboot-env put dev/boot/uboot.env 'x\n'
breaks "U-Boot runs scripts" integrity.boot-uboot-env put dev/boot/boot.scr 'x\n'
breaks "starts that fail are not counted" watchdog.reboot-loop programs_of trees/conf.dtb "$settings" "$verifies"
fuses() { put "dev/$otp" "$(fuse_rows "$@")"; }
breaks "starts from USB disks" integrity.boot-otp fuses 060
breaks "starts as GPIO says" integrity.boot-otp fuses 020 050
rot_other() { sed -i '/ integrity.boot-rot /s/| none |/| another |/' layer; }
cp layer layer_kept
breaks "another board was judged" integrity.boot-rot rot_other
mv layer_kept layer
certificate='26c6ab6d I------     1 perm 1f030000     0     0 asymmetri Other: 77: X509.rsa 1c5c []'
breaks "another certificate" "integrity.keyring integrity.keyring-count" append proc/keys "echo '$certificate'"
breaks "the vendor's certificate replaced" integrity.keyring edit proc/keys 's/Vendor: 6cce/Vendor: 6ccf/'
breaks "a certificate of the firmware's" integrity.keyring-added edit proc/keys 's/platform: empty/platform: 1/'
breaks "a certificate added later" integrity.keyring-added edit proc/keys 's/secondary_trusted_keys: 1/secondary_trusted_keys: 2/'
breaks "a boot log that was written by somebody else" integrity.tpm-replay $logs changed-log
breaks "a measurement that IMA's log does not have" integrity.ima-replay $logs ima-hidden
breaks "a TPM that nobody owns" integrity.tpm-owner line "integrity tpm.unowned" "integrity tpm.unowned + the owner has no password"
breaks "an older image" integrity.rollback line "integrity rollback" "integrity rollback = older: 6, and the counter is 7"
modules_some() { put dev/proc/modules 'snd 1 0 - Live 0\n'; put dev/proc/sys/kernel/modules_disabled '0\n'; put dev/sys/module/module/parameters/sig_enforce 'N\n'; }
breaks "modules" "integrity.modules-loaded integrity.modules-loading integrity.modules-signed" modules_some

# network
sl='   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 99 1 0'
for t in tcp:0A:listen-tcp udp:07:listen-udp raw:07:listen-raw; do
	IFS=: read -r one state rule <<<"$t"
	set -- $one $state $rule
	breaks "a listener of $1" "net.$3" append proc/net/$1 "echo '$sl' | sed 's/ 0A / $2 /'"
	breaks "a listener of ${1}6" "net.${3}6" append proc/net/${1}6 "echo '$sl' | sed 's/ 0A / $2 /;s/ 00000000:/ 00000000000000000000000000000000:/g;s/ 00000000000000000000000000000000:00000000 00/ 00000000:00000000 00/'"
done
breaks "another peer" net.established append proc/net/tcp 'echo "   0: 0200000A:9AC4 077100CC:01BB 01 00000000:00000000 00:00000000 00000000   904        0 53 1 0 100 0 0 10 0"'
breaks "a program that talks to the kernel" net.netlink append proc/net/netlink "echo '0000 15 199 00000001 0 0 0 2 0 99'"
breaks "a listener on loopback" net.listen-loopback append proc/net/tcp "echo '$sl' | sed 's/: 00000000:/: 0100007F:/'"
breaks "a sniffer" net.listen-packet append proc/net/packet "echo '0000 3 3 0003 2 1 0 0 88'"
breaks "SCTP" net.listen-sctp sh -c "mkdir dev/proc/net/sctp; printf 'ENDPT\n 0 0 2 10 1 7000 0 5 0.0.0.0\n' >dev/proc/net/sctp/eps"
breaks "an abstract socket" net.listen-unix-abstract append proc/net/unix "echo '0000: 00000002 00000000 00010000 0001 01 78 @x'"
breaks "promiscuous" net.promisc put dev/sys/class/net/eth0/flags '0x1103\n'
breaks "two ways out" net.uplinks put dev/sys/class/net/tun0/flags '0x1091\n'
# connections: of another user, to another port, of IPv6 that is IPv4, of another network
peer() { append "$1" "echo '   1: 0200000A:9AC4 $2 01 00000000:00000000 00:00000000 00000000   $3        0 53 1'"; }
breaks "the server, but another user" net.established peer proc/net/tcp 077100CB:01BB 0
breaks "the server, but another port" net.established peer proc/net/tcp 077100CB:01BC 904
breaks "a peer in another network" net.established peer proc/111/net/tcp 087100CB:01BB 904
mapped() { append proc/net/tcp6 "echo '   1: 0000000000000000FFFF00000200000A:9AC4 0000000000000000FFFF0000077100CB:01BB 01 00000000:00000000 00:00000000 00000000   904        0 53 1'"; }
breaks "the server, by IPv6's way to write it" "" mapped
breaks "a network that cannot be read" INCOMPLETE:net.established rm dev/proc/111/net/tcp
radio() { put dev/sys/class/net/wlan0/flags '0x1002\n'; mkdir dev/sys/class/net/wlan0/phy80211; helper dev 172 1 wpa_supplicant -i wlan0 -c /etc/wpa.conf; put dev/etc/wpa.conf "$1"; }
aes='network={\n ssid="a"\n key_mgmt=WPA-PSK\n proto=RSN\n pairwise=CCMP\n group=CCMP\n}\n'
breaks "a network of neighbours with AES" process.unknown radio "$aes"
breaks "an open network" "net.wifi process.unknown" radio "${aes}network={\n key_mgmt=NONE\n}\n"
breaks "half a configuration" "INCOMPLETE:net.wifi process.unknown" radio 'network={\n ssid="a"\n'
breaks "nobody who loads rules" net.nft-loaded-before-net edit usr/local/lib/cam/kernel s/nft/true/
breaks "the uploader does not wait for them" net.nft-loaded-before-net rm dev/var/lib/cam-services/db-1/source/cam-ship@door/dependencies.d/cam-kernel
breaks "the kernel sets the network up" net.nft-loaded-before-net edit proc/cmdline 's/quiet/quiet ip=dhcp/'
breaks "no rules to load" net.nft-loaded-before-net rm dev/etc/cam/nftables.conf
breaks "names in the clear, from a server that is not known" net.dns edit proc/131/cmdline s/sha256/sha1/
breaks "time from anybody" net.ntp edit etc/chrony/chrony.conf s/nts//
breaks "a configuration that is not there" INCOMPLETE:net.ntp rm dev/etc/chrony/chrony.conf
breaks "older filter" net.iptables-legacy line "net iptables-legacy" "net iptables-legacy + filter"
breaks "a server of SSH" net.ssh cp good_program img/bin/sshd
breaks "an announcer" net.discovery cp good_program img/bin/avahi-daemon
rules() { ruleset "$1" >rules.json; }
nothing="net.established net.nft-accept-everything net.nft-ip-forward net.nft-ip-input net.nft-ip-output net.nft-ip6-forward net.nft-ip6-input net.nft-ip6-output net.nft-arp net.nft-ingress"
breaks "no rules" "$nothing net.nft-ct-invalid net.nft-established net.nft-lo-spoofed net.nft-log" rules '{"counter":{}}'
breaks "ports for anybody" net.nft-accept-rules rules "$good_rules,$(rule input 9 "$(m '{"payload":{"protocol":"tcp","field":"dport"}}' 22),{\"accept\":null}")"
breaks "egress for anybody" net.nft-egress-user rules "$good_rules,$(rule output 9 "$(m '{"payload":{"protocol":"tcp","field":"dport"}}' 443),$(m '{"payload":{"protocol":"ip","field":"daddr"}}' '"203.0.113.7"'),{\"accept\":null}")"
breaks "egress to anywhere" net.nft-egress-peer rules "$good_rules,$(rule output 9 "$(m '{"meta":{"key":"skuid"}}' 904),{\"accept\":null}")"
breaks "forwarding" net.nft-forwarded rules "$good_rules,$(rule forward 9 "$(m '{"meta":{"key":"iifname"}}' '"eth1"'),{\"accept\":null}")"
breaks "all ICMP" net.nft-icmp rules "$good_rules,$(rule input 9 "$(m '{"meta":{"key":"l4proto"}}' '"icmp"'),{\"accept\":null}")"
# reorder A B: two of the ruleset's objects change places
reorder() { python3 -c 'import json, sys; r = json.load(open("rules_good")); a, b = map(int, sys.argv[1:]); n = r["nftables"]; n[a], n[b] = n[b], n[a]; json.dump(r, open("rules.json", "w"))' $1 $2; }
breaks "rules in another order" "" reorder 5 7
breaks "NAT" net.nft-nat rules "$good_rules,{\"chain\":{\"family\":\"ip\",\"table\":\"t\",\"name\":\"n\",\"type\":\"nat\",\"hook\":\"output\",\"prio\":0,\"policy\":\"accept\"}}"
breaks "neighbours that are believed" net.nft-arp sed -i '/"name":"a"/s/"policy":"drop"}}]/"policy":"accept"}}]/' rules.json
breaks "frames that are neither IP nor ARP" net.nft-ingress sed -i 's/\("dev":"eth0","prio":0,"policy":\)"drop"/\1"accept"/' rules.json
bridge_open() { echo 'net nft:bridge = accept' >>lines; }
breaks "a bridge that passes everything on" net.nft-bridge bridge_open

# protocols
breaks "DCCP registered" proto.registered append proc/net/protocols "echo 'DCCP 1 0 0 NI 0 yes dccp y'"
breaks "a strange family" proto.families sh -c "echo 'proto families + VSOCK' >>lines"
breaks "a strange transport" proto.transports sh -c "echo 'proto transports + SCTP' >>lines"
breaks "a family to be loaded" proto.loadable put dev/lib/modules/6.12.0/modules.alias 'alias net-pf-30 tipc\n'

# watchdog
breaks "watchdog idle" watchdog.state put dev/sys/class/watchdog/watchdog0/state 'inactive\n'
breaks "watchdog can be stopped" watchdog.nowayout put dev/sys/class/watchdog/watchdog0/nowayout '0\n'
breaks "watchdog slow" watchdog.timeout put dev/sys/class/watchdog/watchdog0/timeout '60\n'
breaks "a crash not collected" watchdog.pstore put dev/sys/fs/pstore/dmesg-ramoops-0 x

breaks "nobody feeds it" never:watchdog.supervisor rm dev/proc/161/fd/3
breaks "somebody else feeds it" watchdog.supervisor put dev/proc/160/comm 'runsv\n'

# the clock
breaks "a clock that was never set" integrity.clock line "integrity clock" "integrity clock = unsynchronised"
breaks "nobody who keeps it" integrity.clock rm -r dev/proc/151

# processes
breaks "cam-reap is not there" process.running rm -r dev/proc/141
breaks "root" "process.uid process.dumpable" st 111 's/^Uid:.*/Uid:\t0\t0\t0\t0/'
breaks "root's effective user" "process.uid process.dumpable" st 111 's/^Uid:.*/Uid:\t902\t0\t902\t902/'
breaks "two tools, one user" process.uid-shared st 121 's/^Uid:.*/Uid:\t902\t902\t902\t902/'
breaks "root's group" process.gid st 111 's/^Gid:.*/Gid:\t0\t0\t0\t0/'
breaks "a group too many" process.groups st 111 's/^Groups:.*/Groups:\t44 /'
breaks "new privileges" process.no-new-privs st 111 's/NoNewPrivs:\t1/NoNewPrivs:\t0/'
breaks "no filter" process.seccomp st 111 's/Seccomp:\t2/Seccomp:\t0/'
breaks "no filter attached" process.seccomp-filters st 111 's/Seccomp_filters:\t1/Seccomp_filters:\t0/'
for c in Inh Prm Eff Bnd Amb; do
	breaks "capability: $c" "process.cap-$(echo $c | tr IPEBA ipeba)" st 111 "s/Cap$c:\t0/Cap$c:\t1/"
done
breaks "one thread without a filter" process.threads edit proc/111/task/112/status 's/Seccomp:\t2/Seccomp:\t0/'
breaks "unconfined" process.domain put dev/proc/111/attr/current 'u:r:unconfined_t:s0'
breaks "traced" process.tracer st 111 's/TracerPid:\t0/TracerPid:\t7/'
breaks "dumping" process.core-dumping st 111 's/CoreDumping:\t0/CoreDumping:\t1/'
owned() { cp --remove-destination dev_good/proc/111/stat dev/proc/111/stat; chown 902 dev/proc/111/stat; }
breaks "dumpable" process.dumpable owned
breaks "core files" process.limit-core edit proc/111/limits '/core/s/0   /unlimited/g'
breaks "as many processes as it likes" process.limit-nproc edit proc/111/limits '/processes/s/64  /99999/g'
breaks "as many descriptors as it likes" process.limit-nofile edit proc/111/limits '/open/s/32   /65536/g'
breaks "as much locked memory as it likes" process.limit-memlock edit proc/111/limits '/locked/s/65536    /unlimited/g'
breaks "recording ended like anything else" process.oom put dev/proc/101/oom_score_adj '0\n'
breaks "the uploader as the last" process.oom put dev/proc/131/oom_score_adj '-500\n'
for n in net mnt pid ipc uts; do
	breaks "the $n namespace of init" "process.ns-$n" ln -sfn "$n:[1]" "dev/proc/111/ns/$n"
done
shares_pids() { ln -sfn 'pid:[1]' dev/proc/111/ns/pid; put dev/proc/111/mountinfo "24 20 0:8 / /proc rw - proc proc rw\n30 20 0:9 / /proc rw - proc proc rw,$1\n"; }
breaks "sees others' processes, as numbers" process.ns-pid shares_pids hidepid=noaccess
breaks "or as one of a group" process.ns-pid shares_pids gid=7,hidepid=invisible
for hides in 2 invisible ptraceable; do breaks "a /proc that hides them ($hides)" "" shares_pids hidepid=$hides; done
breaks "and whether it does cannot be seen" INCOMPLETE:process.ns-pid sh -c 'ln -sfn "pid:[1]" dev/proc/111/ns/pid; echo x >dev/proc/111/mountinfo'
group=dev/sys/fs/cgroup/cam/cam-seal
breaks "no ceiling for memory" process.ceiling put $group/memory.max 'max\n'
no_group() { put dev/proc/111/cgroup '1:name=x:/\n'; edit proc/111/limits "$1"; }
breaks "no control group" process.ceiling no_group ''
breaks "a limit of its own" "" no_group '/data/s/unlimited /33554432  /g'
breaks "one that is none" process.ceiling no_group '/data/s/unlimited /9993554432/g'
breaks "no ceiling for processes" "process.ceiling process.limit-nproc" sh -c "echo max >$group/pids.max; sed -i '/processes/s/64  /9999/g' dev/proc/111/limits"
breaks "a socket" process.fd ln -s 'socket:[9]' dev/proc/111/fd/9
breaks "a camera" process.devices ln -s /dev/video0 dev/proc/111/fd/9
breaks "a secret in the environment" process.environ put dev/proc/111/environ 'AWS_SECRET_ACCESS_KEY=x\0'
breaks "a password as an argument" process.cmdline put dev/proc/131/cmdline 'cam-ship\0-p\0sha256//A=\0https://u:p@example.org/\0'
breaks "speculation" process.store-bypass st 111 's/thread force mitigated/thread vulnerable/'
breaks "writable code" "process.memory-wx exec.anon-exec" edit proc/111/maps '/rw-p 00000000 00:00/s/rw-p/rwxp/'
stranger() { mkdir dev/proc/199; put dev/proc/199/stat '199 (nc) S 1 1 1 0 -1 0 0\n'; put dev/proc/199/status 'Name:\tnc\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n'; }
breaks "a stranger" process.unknown stranger
breaks "the log's holder as root" process.unknown edit proc/171/status 's/^Uid:.*/Uid:\t0\t0\t0\t0/'
breaks "the log's holder with new privileges" process.unknown edit proc/171/status 's/NoNewPrivs:\t1/NoNewPrivs:\t0/'

# what may run
unasked() { sed -i '/exec securebits/d' lines; echo 'exec securebits none' >>lines; cp good_program img/bin/sh; }
breaks "a shell that asks nobody" "exec.securebits exec.shells" unasked
for probe in mounts:exec-each-writable-mount memfd:memfd-exec shm:dev-shm-exec mmap:mmap-prot-exec-file mprotect:mprotect-wx loader:ld.so-direct script:script-interp; do
	breaks "ran: ${probe#*:}" "exec.probe-${probe%:*}" line "exec probe:${probe#*:}" "exec probe:${probe#*:} + /var: ran"
done
breaks "a program from elsewhere" exec.exe-device edit proc/111/maps '1,2s/fe:00/fe:01/'
breaks "a library from elsewhere" exec.maps-device edit proc/111/maps '3s/fe:00/fe:01/'
breaks "a program that is gone" exec.deleted-exe ln -sfn '/bin/cam-seal (deleted)' dev/proc/111/exe
breaks "a library pushed in" "exec.preload-env process.environ" put dev/proc/111/environ 'LD_PRELOAD=/x\0'

# files
breaks "an interpreter" exec.interpreters cp good_program img/bin/python3.11
breaks "a shell" exec.shells cp good_program img/bin/sh
breaks "an applet" exec.busybox-applets ln -s busybox img/bin/wget
breaks "a setuid program" exec.setuid sh -c 'cp good_program img/bin/x && chmod 4755 img/bin/x'
breaks "a capability of a file" exec.file-caps sh -c 'cp good_program img/bin/x && setcap cap_net_raw+ep img/bin/x'
breaks "a file for everybody" exec.world-writable sh -c 'touch img/etc/x && chmod 666 img/etc/x'
breaks "a folder for everybody" exec.world-writable sh -c 'mkdir img/etc/x && chmod 777 img/etc/x'
k43=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
breaks "the key of a recipient" exec.secret-recipient-key put img/etc/me.key "# mine\ncam-recipient-secret1 2026-01 $k43 argon2id 3 65536 $k43 $k43\n"
breaks "the camera's key for everybody" exec.exposed-signing-key chmod 644 img/etc/cam/door/door.key
breaks "a preloaded library" exec.preload put img/etc/ld.so.preload '/lib/evil.so\n'
breaks "a program built badly" "exec.elf-bindnow exec.elf-canary exec.elf-nx exec.elf-pie exec.elf-relro exec.elf-rpath" cp bad_program img/bin/x
breaks "half a program" exec.elf-broken sh -c 'head -c 200 good_program >img/bin/x'
# the flags of its code's segment: read, write and execute
wx_make() {
	python3 - good_program img/bin/x <<'X'
import struct, sys
b = bytearray(open(sys.argv[1], 'rb').read())
at, size, n = struct.unpack_from('<Q', b, 32)[0], *struct.unpack_from('<HH', b, 54)
for i in range(n):
    kind, flags = struct.unpack_from('<II', b, at + i * size)
    if kind == 1 and flags == 5:
        struct.pack_into('<I', b, at + i * size + 4, 7)
open(sys.argv[2], 'wb').write(b)
X
}
breaks "a segment that is written and executed" exec.elf-wx wx_make

# --- what no device shows ---

while read -r id; do
	vouched "$id"
done < <(grep -vxFf <(echo "$elsewhere") ids_attested)
lacks "no driver for the fuses" integrity.boot-otp-unseen rm -r dev/sys/bus/nvmem
lacks "no TPM" integrity.rollback-key rm -r dev/sys/class/tpm

# --- the hash of the filter's rules ---

# what changes by itself, and the order of what has none, are no rules
cat >hash.py <<'X'
import json, sys
r = json.load(open(sys.argv[1]))
def walk(x):
    if isinstance(x, dict):
        x.pop("handle", None)
        if "packets" in x:
            x.update(packets=77, bytes=99)
        if "used" in x:
            x["used"] = 5
        if x.get("flags") == ["dynamic", "timeout"]:
            x["elem"] = [{"elem": {"val": "192.0.2.99", "expires": 3}}]
        for k, v in list(x.items()):
            if k in ("elem", "set") and isinstance(v, list):
                v.reverse()
            walk(v)
    elif isinstance(x, list):
        for y in x:
            walk(y)
if sys.argv[2] == "same":
    walk(r)
elif sys.argv[2] == "limit":
    r["nftables"][-1]["quota"]["bytes"] += 1
elif sys.argv[2] == "element":
    r["nftables"][-2]["set"]["elem"].append("192.0.2.3")
json.dump(r, sys.stdout, indent=1)
X
ruleset "$good_rules,$(rule input 6 '{"counter":{"packets":3,"bytes":4}},{"log":null}'),{\"set\":{\"family\":\"inet\",\"name\":\"seen\",\"table\":\"t\",\"handle\":8,\"type\":\"ipv4_addr\",\"flags\":[\"dynamic\",\"timeout\"],\"elem\":[\"192.0.2.7\"]}},{\"set\":{\"family\":\"inet\",\"name\":\"s\",\"table\":\"t\",\"handle\":9,\"type\":\"ipv4_addr\",\"elem\":[\"192.0.2.2\",\"192.0.2.1\"]}},{\"quota\":{\"family\":\"inet\",\"name\":\"q\",\"table\":\"t\",\"handle\":10,\"bytes\":100,\"used\":1,\"inv\":false}}" >hashed.json
hash_of() { "$facts" -j "$1" | grep '^net nft:hash = [0-9a-f]\{64\}$'; }
was=$(hash_of hashed.json)
for way in same limit element; do
	python3 hash.py hashed.json $way >changed.json
	is=$(hash_of changed.json)
	[ "$was" ] && [ "$is" ] && if [ $way = same ]; then [ "$was" = "$is" ]; else [ "$was" != "$is" ]; fi
	tap_result $? "the hash of the rules: $way"
done

# --- a layer that names the peers itself ---

peer proc/net/tcp 087100CB:01BB 904
echo 'override net.established | net:tcp-peers only 203.0.113.7:443,203.0.113.8:443 | alice | 2099-12-31 | two servers' >>layer
verdicts
ok "peers that a layer names" grep -qx 'PASS net.established' verdicts
sed -i 's/,203.0.113.8:443//' layer
verdicts
ok "and one that it does not" grep -qx 'FAIL net.established' verdicts

# --- nothing is left out ---

grep -vxFf failed ids >never
grep -vxFf passed not_passed >left
sort -u left never >missing
grep -vxFf <(echo "$todo") missing >tap.out; : >tap.err
[ ! -s tap.out ]; tap_result $? "every rule was seen to pass and to fail"
grep . <<<"$todo" | grep -vxFf missing >tap.out
[ ! -s tap.out ]; tap_result $? "and what is said to be left to do is"

tap_done
