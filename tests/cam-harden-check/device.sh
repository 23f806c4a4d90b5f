# shellcheck shell=sh
# device.sh: builds in the folder $1 a tree that stands for a running camera on which every rule about what runs is
# satisfied. A test then breaks one thing at a time.
put() { mkdir -p "${1%/*}" && rm -f "$1" && printf '%b' "$2" >"$1"; }

# fuse_rows HIGH [MODE]: rows of fuses as put() writes them, with these bytes of the two copies of row 17, in octal
fuse_rows() {
	row="\\0012\\0000\\0${2-040}\\0$1"
	printf '\\0000%.0s' $(seq 68)
	printf '%s' "$row$row"
	printf '\\0000%.0s' $(seq 36)
	printf '%s' '\0021\0042\0063\0000\0356\0335\0314\0377'
	printf '\\0000%.0s' $(seq 648)
}
otp=sys/bus/nvmem/devices/nvmem_otp0/nvmem

# process DIR PID NAME UID: one tool of the camera, with one thread besides
process() {
	p=$1/proc/$2
	mkdir -p "$p/fd" "$p/ns" "$p/attr" "$p/task/$2" "$p/task/$(($2 + 1))"
	put "$p/status" "Name:\t$3\nUmask:\t0022\nState:\tS (sleeping)\nPid:\t$2\nTracerPid:\t0\nUid:\t$4\t$4\t$4\t$4\nGid:\t$4\t$4\t$4\t$4\nGroups:\t$5 \nCoreDumping:\t0\nCapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapBnd:\t0000000000000000\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t1\nSpeculation_Store_Bypass:\tthread force mitigated\n"
	cp "$p/status" "$p/task/$2/status"
	cp "$p/status" "$p/task/$(($2 + 1))/status"
	put "$p/stat" "$2 ($3) S 1 $2 $2 0 -1 4194304 0\n"
	put "$p/limits" 'Limit                     Soft Limit           Hard Limit           Units     \nMax data size             unlimited            unlimited            bytes     \nMax core file size        0                    0                    bytes     \nMax processes             64                   64                   processes \nMax open files            32                   32                   files     \nMax locked memory         65536                65536                bytes     \n'
	put "$p/mountinfo" '24 20 0:8 / /proc rw,nosuid,nodev,noexec - proc proc rw\n'
	put "$p/cgroup" "0::/cam/$3\n"
	put "$1/sys/fs/cgroup/cam/$3/memory.max" '33554432\n'
	put "$1/sys/fs/cgroup/cam/$3/pids.max" '16\n'
	put "$p/environ" 'PATH=/bin\0TZ=UTC\0'
	put "$p/cmdline" "$3\0-v\0"
	put "$p/maps" "aaaa00000000-aaaa00001000 r-xp 00000000 fe:00 11                         /bin/$3\naaaa00001000-aaaa00002000 rw-p 00000000 fe:00 11                         /bin/$3\nffff00000000-ffff00001000 r-xp 00000000 fe:00 12                         /lib/ld-linux-aarch64.so.1\nffff10000000-ffff10001000 rw-p 00000000 00:00 0 \nffff20000000-ffff20001000 r-xp 00000000 00:00 0                          [vdso]\n"
	put "$p/attr/current" "system_u:system_r:${3##*-}_t:s0\0"
	put "$p/comm" "$3\n"
	case $3 in cam-capture | cam-seal | cam-spool) put "$p/oom_score_adj" '-500\n' ;; *) put "$p/oom_score_adj" '500\n' ;; esac
	tables "$p/net"
	ln -s "/bin/$3" "$p/exe"
	ln -s 'pipe:[100]' "$p/fd/0"
	ln -s /dev/null "$p/fd/2"
	for n in net mnt pid ipc uts; do ln -s "$n:[$2]" "$p/ns/$n"; done
}

# tables DIR: a network in which nobody listens
tables() {
	for t in tcp tcp6 udp udp6 raw raw6; do put "$1/$t" '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n'; done
}

# helper DIR PID PARENT NAME ARGUMENT...: something else that runs
helper() {
	h=$1/proc/$2
	mkdir -p "$h/fd" "$h/ns"
	put "$h/stat" "$2 ($4) S $3 $2 $2 0 -1 4194304 0\n"
	put "$h/status" "Name:\t$4\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n"
	put "$h/comm" "$4\n"
	put "$h/maps" "aaaa00000000-aaaa00001000 r-xp 00000000 fe:00 10                         /bin/$4\n"
	put "$h/environ" 'PATH=/bin\0'
	ln -s "/bin/$4" "$h/exe"
	ln -s 'net:[1]' "$h/ns/net"
	shift 3
	put "$h/cmdline" "$(printf '%s\\0' "$@")"
}

device() {
	d=$1
	mkdir -p "$d/proc/self/ns" "$d/proc/net" "$d/proc/1/ns" "$d/proc/2" "$d/tmp" "$d/var/tmp" "$d/var/log" "$d/var/spool/cam" \
		"$d/home" "$d/run" "$d/dev/shm" "$d/dev/pts" "$d/boot"
	# mounts: the root is read-only on dm-verity, data on dm-crypt
	put "$d/proc/self/mountinfo" '20 1 254:0 / / ro,relatime - squashfs /dev/dm-0 ro\n21 20 0:5 / /dev rw,nosuid,noexec - devtmpfs dev rw,size=1k\n22 21 0:6 / /dev/shm rw,nosuid,nodev,noexec - tmpfs shm rw,size=1k\n23 21 0:7 / /dev/pts rw,nosuid,noexec - devpts pts rw\n24 20 0:8 / /proc rw,nosuid,nodev,noexec - proc proc rw,hidepid=invisible\n25 20 0:9 / /sys rw,nosuid,nodev,noexec - sysfs sys rw\n26 25 0:10 / /sys/kernel/security rw,nosuid,nodev,noexec - securityfs s rw\n27 20 0:11 / /run rw,nosuid,nodev,noexec - tmpfs run rw,size=1k\n28 20 254:1 / /var rw,nosuid,nodev,noexec - ext4 /dev/dm-1 rw\n'
	put "$d/proc/version" 'Linux\n'
	put "$d/proc/swaps" 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n'
	put "$d/sys/dev/block/254:0/ro" '1\n'
	put "$d/sys/dev/block/254:0/dm/name" 'root\n'
	put "$d/sys/dev/block/254:0/dm/uuid" 'CRYPT-VERITY-0123-root\n'
	put "$d/sys/dev/block/254:1/dm/uuid" 'CRYPT-LUKS2-0123-data\n'
	put "$d/sys/module/dm_verity/parameters/require_signatures" 'Y\n'
	# security modules
	put "$d/sys/kernel/security/lsm" 'capability,landlock,lockdown,yama,ipe,selinux'
	put "$d/sys/kernel/security/lockdown" 'none integrity [confidentiality]\n'
	for f in enforce:1 deny_unknown:1 checkreqprot:0; do put "$d/sys/fs/selinux/${f%:*}" "${f#*:}"; done
	mkdir -p "$d/sys/fs/selinux/class/file"
	# a policy of version 33 that has no capabilities and no permissive domains
	put "$d/sys/fs/selinux/policy" '\0214\0377\0174\0371\0010\0000\0000\0000SE Linux\0041\0000\0000\0000\0001\0000\0000\0000\0010\0000\0000\0000\0007\0000\0000\0000\0100\0000\0000\0000\0000\0000\0000\0000\0000\0000\0000\0000\0100\0000\0000\0000\0000\0000\0000\0000\0000\0000\0000\0000'
	put "$d/sys/kernel/security/ipe/enforce" '1'
	put "$d/sys/kernel/security/ipe/policies/boot/active" '1'
	put "$d/sys/kernel/security/ipe/policies/boot/version" '1.0.0\n'
	put "$d/sys/kernel/security/ipe/policies/boot/policy" 'policy_name=boot policy_version=1.0.0\nDEFAULT action=DENY\n\nop=EXECUTE dmverity_signature=TRUE action=ALLOW\n'
	put "$d/sys/kernel/security/ima/ascii_runtime_measurements" '10 00ab ima-ng sha256:00cd boot_aggregate\n10 11 ima-ng sha256:22 /init\n'
	put "$d/sys/kernel/security/ima/violations" '0\n'
	put "$d/sys/kernel/security/ima/runtime_measurements_count" '2\n'
	put "$d/sys/class/tpm/tpm0/tpm_version_major" '2\n'
	for n in 0 1 2 3 4 5 6 7 8 9; do put "$d/sys/class/tpm/tpm0/pcr-sha256/$n" '0A1B\n'; done
	put "$d/sys/kernel/security/tpm0/binary_bios_measurements" 'x'
	put "$d/$otp" "$(fuse_rows 020)"
	put "$d/proc/keys" '08a78536 I------     1 perm 0f0b0000     0     0 keyring   .blacklist: empty\n11e0a4a6 I------     1 perm 1f0b0000     0     0 keyring   .builtin_trusted_keys: 1\n12e0a4a6 I------     1 perm 1f0b0000     0     0 keyring   .secondary_trusted_keys: 1\n13e0a4a6 I------     1 perm 1f0b0000     0     0 keyring   .platform: empty\n2c6ab6d4 I------     1 perm 1f030000     0     0 asymmetri Vendor: 6ccece7e: X509.rsa 1c5cc5dd []\n26930972 I--Q---     1 perm 1f3f0000     0 65534 keyring   _uid_ses.0: 1\n'
	put "$d/proc/device-tree/model" 'Raspberry Pi 3 Model B\0'
	put "$d/proc/device-tree/chosen/kaslr-seed" '\0\0'
	put "$d/boot/config.txt" 'gpu_mem=128\nenable_uart=0\n'
	for f in state:active nowayout:1 timeout:15 identity:dog; do put "$d/sys/class/watchdog/watchdog0/${f%:*}" "${f#*:}\n"; done
	mkdir -p "$d/sys/fs/pstore"
	# network: nobody listens
	tables "$d/proc/net"
	put "$d/proc/net/tcp" '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   0: 0200000A:9AC3 077100CB:01BB 01 00000000:00000000 00:00000000 00000000   904        0 52 1 0 100 0 0 10 0\n'
	put "$d/proc/net/packet" 'sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n'
	put "$d/proc/net/unix" 'Num       RefCount Protocol Flags    Type St Inode Path\n0000: 00000002 00000000 00010000 0001 01 77 /run/s6/x\n'
	put "$d/proc/net/netlink" 'sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n0000 0   0          00000000 0        0        0     2        0        4\n'
	put "$d/proc/net/dev" 'x\n'
	put "$d/proc/net/protocols" 'protocol  size sockets  memory press maxhdr  slab module     cl\nPACKET    1600      0      -1   NI       0   no   kernel      n\nTCP       2304      1     138   no     192   yes  kernel      y\nUNIX      1152      0      -1   NI       0   yes  kernel      y\n'
	put "$d/sys/class/net/lo/flags" '0x9\n'
	put "$d/sys/class/net/eth0/flags" '0x1003\n'
	put "$d/etc/resolv.conf" 'nameserver 192.0.2.53\n'
	put "$d/etc/nsswitch.conf" 'hosts: files dns\n'
	put "$d/etc/chrony/chrony.conf" 'server time.example iburst nts\nrtcsync\n'
	# what is started, and in which order
	put "$d/proc/cmdline" 'quiet root=/dev/dm-0\n'
	put "$d/proc/1/comm" 's6-svscan\n'
	put "$d/usr/local/lib/cam/kernel" '#!/bin/sh\nnft -f /etc/cam/nftables.conf\n'
	put "$d/etc/cam/nftables.conf" 'table inet cam { }\n'
	mkdir -p "$d/var/lib/cam-services/db-1/compiled"
	ln -s db-1/compiled "$d/var/lib/cam-services/current"
	set -- "$d/var/lib/cam-services/db-1/source"
	put "$1/cam-kernel/up" '/usr/local/lib/cam/kernel\n'
	put "$1/cam-ship@door/run" '#!/usr/bin/execlineb -P\nnsenter --mount=/run/cam/cells/still\ncam-ship -D 3\n'
	put "$1/cam-ship@door/dependencies.d/cam-kernel" ''
	put "$1/cam-seal@door/run" '#!/usr/bin/execlineb -P\nnsenter --net=/run/cam/cells/net --mount=/run/cam/cells/keys\ncam-seal -D 3\n'
	put "$1/cam-log@door/run" '#!/usr/bin/execlineb -P\ns6-log -b -d 3 n20 /var/log/cam/door\n'
	# processes
	ln -s 'pid:[4026531836]' "$d/proc/self/ns/pid"
	for n in net mnt pid ipc uts; do ln -s "$n:[1]" "$d/proc/1/ns/$n"; done
	put "$d/proc/1/stat" '1 (s6-svscan) S 0 1 1 0 -1 4194560 0\n'
	put "$d/proc/1/status" 'Name:\ts6-svscan\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n'
	put "$d/proc/1/maps" 'aaaa00000000-aaaa00001000 r-xp 00000000 fe:00 10                         /bin/s6-svscan\n'
	put "$d/proc/1/environ" 'PATH=/bin\0'
	ln -s /bin/s6-svscan "$d/proc/1/exe"
	for n in self 1; do tables "$d/proc/$n/net"; done
	ln -s 'net:[1]' "$d/proc/self/ns/net"
	put "$d/proc/2/comm" 'kthreadd\n'
	put "$d/proc/2/stat" '2 (kthreadd) S 0 0 0 0 -1 2129984 0\n'
	put "$d/proc/2/status" 'Name:\tkthreadd\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n'
	put "$d/etc/group" 'root:x:0:\nvideo:x:44:\ncamspool:x:950:\nwheel:x:10:\n'
	process "$d" 101 cam-capture 901 44
	ln -s /dev/video0 "$d/proc/101/fd/5"
	process "$d" 111 cam-seal 902 ''
	process "$d" 121 cam-spool 903 950
	process "$d" 131 cam-ship 904 950
	ln -s 'socket:[52]' "$d/proc/131/fd/5"
	put "$d/proc/131/cmdline" 'cam-ship\0-p\0sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\0https://example.org/\0'
	process "$d" 141 cam-reap 905 ''
	process "$d" 171 sleep 906 ''
	helper "$d" 151 1 chronyd -n
	helper "$d" 160 1 s6-supervise cam-watchdog
	helper "$d" 161 160 watchdog -F /dev/watchdog0
	ln -s /dev/watchdog0 "$d/proc/161/fd/3"
}

# image DIR PROGRAM: files that a camera's root may have
image() {
	mkdir -p "$1/bin" "$1/etc/cam/door" "$1/tmp"
	chmod 1777 "$1/tmp"
	cp "$2" "$1/bin/cam-seal"
	put "$1/etc/cam/door/recipients" 'cam-recipient1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n'
	put "$1/etc/cam/door/door.key" 'cam-device-secret1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA plain BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB\n'
	chmod 600 "$1/etc/cam/door/door.key"
}
