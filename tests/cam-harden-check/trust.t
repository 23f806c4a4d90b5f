#!/bin/bash
# defends: enter.unseen
# What a device trusts and remembers: keyrings, fuses and a counter in a TPM (swtpm, as tpm2-tools read it); and what of
# it is hidden, cut off or implausible is not seen.
. "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/cam-harden-check/device.sh
. "$top/tests/cam-harden-check/device.sh"

facts=$O/tests/cam-harden-check/facts
mkdir -p dev/proc dev/sys/class dev/etc
put dev/proc/version 'Linux\n'

# says NAME COLLECTOR KEY LINES
says() {
	"$facts" dev "$2" 2>tap.err | sed -n "s/^integrity $3 //p" >got
	printf '%s\n' "$4" >want
	diff got want >tap.out
	cmp -s got want; tap_result $? "$1: $3: ${4%%$'\n'*}"
}

# --- the hash of the root, as a release says it is ---

# root NAME LAYER HASH VERDICT
root() {
	printf 'device running = y\nintegrity root-verity = active\nintegrity root-hash = %s\n' "$3" >lines
	echo "$2" >layer
	"$facts" -f lines -p "$top/cam-harden-check/pi3-camera.policy" -l layer >tap.out 2>tap.err
	grep -qx "$4 integrity.root-hash" tap.out; tap_result $? "$1: $4"
}
root "nobody knows the release" '# nothing' 3f2a INCOMPLETE
for line in 'override integrity.root-hash | is 3f2a | alice | 2099-12-31 | release 7' 'reviewed integrity.root-hash | alice | 2099-12-31 | 3f2a | release 7'; do
	root "${line%% *}: the release's image" "$line" 3f2a PASS
	root "${line%% *}: another one" "$line" 3f2b FAIL
done

# --- keyrings ---

ring() { printf '%08x I------     1 perm 1f0b0000     0     0 keyring   %s\n' $RANDOM "$1"; }
certificate() { printf '%08x I------     1 perm 1f030000     0     0 asymmetri %s\n' $RANDOM "$1"; }
vendor='Vendor: 6ccece7e: X509.rsa 1c5cc5dd []'
{ ring '.builtin_trusted_keys: 1'; ring '.platform: empty'; certificate "$vendor"; } >dev/proc/keys
says "one certificate" keyring keyring.certificates "+ $vendor"
says "one certificate" keyring keyring.count "= 1"
says "one certificate" keyring keyring.added none
{ ring '.secondary_trusted_keys: 2'; ring '.machine: empty'; } >>dev/proc/keys
says "the machine's keys are within the second ring" keyring keyring.added none
sed -i 's/machine: empty/machine: 2/;s/platform: empty/platform: 13/' dev/proc/keys
says "keys of the firmware and the boot loader" keyring keyring.added "+ .platform: 13
+ .machine: 2"
sed -i '/machine/d' dev/proc/keys
says "a key added while it runs" keyring keyring.added "+ .secondary_trusted_keys: 1 added
+ .platform: 13"
{ ring '.builtin_trusted_keys: empty'; ring '.platform: empty'; } >dev/proc/keys
says "none at all" keyring keyring.count "= 0"
says "none at all" keyring keyring.certificates none
echo '26930972 I--Q---     1 perm 1f3f0000   901 65534 keyring   .builtin_trusted_keys: 1' >dev/proc/keys
for k in certificates count added; do says "a keyring of somebody else's with that name" keyring keyring.$k "unseen: the kernel's keyrings may not be viewed"; done
: >dev/proc/keys
says "what another user than root sees" keyring keyring.count "unseen: the kernel's keyrings may not be viewed"
{ ring '.builtin_trusted_keys: 1'; certificate "$vendor"; echo 'what is this'; } >dev/proc/keys
says "a line that is not understood" keyring keyring.count "unseen: a line of /proc/keys that is not understood"
says "a line that is not understood" keyring keyring.certificates "+ $vendor
more: (not all was seen: a line of /proc/keys that is not underst)"
rm dev/proc/keys
says "a kernel without keys" keyring keyring.count none
mv dev/proc/version x
says "and a /proc that is not whole" keyring keyring.count "unseen: /proc is not mounted whole"
mv x dev/proc/version

# --- fuses ---

bits() { put "dev/$otp" "$(fuse_rows "$@")"; }
bits 020
says "as a Pi 3 comes" fuses boot.otp "+ sd
+ usb-device"
bits 060 050
says "everything burnt" fuses boot.otp "+ sd
+ usb-device
+ usb-host
+ gpio"
bits 020
printf '\060' | dd of="dev/$otp" bs=1 seek=71 conv=notrunc 2>/dev/null
says "one copy differs" fuses boot.otp "unseen: the copies in the fuses do not agree"
printf '\356%.0s' $(seq 768) >"dev/$otp"
says "the driver's pattern for an error" fuses boot.otp "unseen: the copies in the fuses do not agree"
bits 020
truncate -s 100 "dev/$otp"
says "cut off" fuses boot.otp "unseen: the copies in the fuses do not agree"
bits 020
truncate -s 4096 "dev/$otp"
says "longer than they are" fuses boot.otp "unseen: the fuses cannot be read"
rm "dev/$otp"
says "no driver" fuses boot.otp none
rm -r dev/sys/class
says "no /sys" fuses boot.otp "unseen: /sys is not mounted"

# --- logs of what was measured ---

put dev/sys/kernel/security/lsm 'lockdown'
put dev/sys/class/tpm/tpm0/tpm_version_major '2\n'
log() { /usr/bin/python3 "$top/tests/cam-harden-check/measured.py" dev "$@"; }
log
says "logs that lead to the registers" measured tpm.log-differs none
says "logs that lead to the registers" measured ima.replay "= matches"
log locality
says "a start from another locality" measured tpm.log-differs none
log changed-log
says "one event is another" measured tpm.log-differs "+ PCR 5"
log one-more
says "one event too many" measured tpm.log-differs "+ PCR 7"
log forged
says "a register that is another" measured tpm.log-differs "+ PCR 3"
log unlogged
says "a register that nothing was logged of" measured tpm.log-differs "+ PCR 9"
for b in head sha1-only cut register; do
	log $b
	says "$b" measured tpm.log-differs "unseen: a log that is not understood"
done
log
echo x >dev/sys/kernel/security/tpm0/binary_bios_measurements
says "no log at all" measured tpm.log-differs "unseen: a log that is not understood"
rm dev/sys/kernel/security/tpm0/binary_bios_measurements
says "none is there" measured tpm.log-differs "unseen: there is no log"
log
echo 0A1B >dev/sys/class/tpm/tpm0/pcr-sha256/4
says "half a register" measured tpm.log-differs "unseen: a register cannot be read"
log measured-elsewhere
says "measured into another register too" measured ima.replay "= matches"
log ima-hidden
says "one measurement is missing" measured ima.replay "= the log does not lead to register 10"
log ima-more
says "one more than the register has" measured ima.replay "= the log does not lead to register 10"
for b in ima-cut ima-old; do
	log $b
	says "$b" measured ima.replay "unseen: the log cannot be read, or is not understood"
done
rm dev/sys/class/tpm/tpm0/pcr-sha256/10
says "no register" measured ima.replay "unseen: the register cannot be read"
rm -r dev/sys/kernel/security/ima
says "no IMA" measured ima.replay none
rm -r dev/sys/kernel
says "no securityfs" measured ima.replay "unseen: securityfs is not mounted"
rm -r dev/sys/class/tpm
says "no TPM" measured ima.replay none
says "no TPM" measured tpm.log-differs none
says "no TPM" tpm-owner tpm.unowned none

# --- a counter ---

mkdir -p dev/sys/class
unset TPM2TOOLS_TCTI
says "no TPM" rollback rollback none
put dev/sys/class/tpm/tpm0/tpm_version_major '2\n'
says "one that cannot be asked" tpm-owner tpm.unowned "unseen: there is no /dev/tpmrm0 to ask"
says "one that cannot be asked" rollback rollback "unseen: there is no /dev/tpmrm0 to ask"
if ! command -v swtpm >/dev/null || ! command -v tpm2_nvread >/dev/null; then
	echo "# no swtpm or tpm2-tools here: counters were not tried"
	tap_done
fi
export TPM2TOOLS_TCTI=swtpm:path=$PWD/socket
says "one that does not answer" tpm-owner tpm.unowned "unseen: the TPM, or tpm2_getcap, did not answer"
says "one that does not answer" rollback rollback "unseen: the TPM, or tpm2_nvreadpublic, did not answer"
mkdir state
fresh err
swtpm socket --tpm2 --tpmstate dir=state --server type=unixio,path=socket --ctrl type=unixio,path=socket.ctrl --flags not-need-init,startup-clear 2>err &
tpm=$!
disown
stop_at_end $tpm
waits 60 tpm2_getcap properties-fixed
unowned() { says "$1" tpm-owner tpm.unowned "$2"; }
unowned "nobody owns it" "+ the owner has no password
+ clearing it takes no password"
tpm2_dictionarylockout -Q -s -n 5 -t 0 -l 1
unowned "and nothing counts guesses" "+ the owner has no password
+ clearing it takes no password
+ passwords can be guessed without end"
tpm2_dictionarylockout -Q -s -n 5 -t 600 -l 600
tpm2_changeauth -Q -c lockout secret
unowned "it cannot be cleared" "+ the owner has no password"
tpm2_changeauth -Q -c owner secret
unowned "it is owned" none
tpm2_changeauth -Q -c owner -p secret
version() { printf 'NAME=camera\nIMAGE_VERSION=%s\nID=cam\n' "$1" >dev/etc/os-release; }
version 2
says "no counter in it" rollback rollback "= no counter"
another="= an index that is no counter, or was never raised"
tpm2_nvdefine -Q 0x1800001 -C o -s 8 -a "authread|authwrite|no_da"
printf '\0\0\0\0\0\0\0\1' >one
tpm2_nvwrite -Q 0x1800001 -C 0x1800001 -i one
says "memory that can be written back" rollback rollback "$another"
tpm2_nvundefine -Q 0x1800001 -C o
tpm2_nvdefine -Q 0x1800002 -C o -s 8 -a "nt=counter|authread|ownerwrite|no_da"
tpm2_nvincrement -Q 0x1800002 -C o
says "a counter at another place" rollback rollback "= no counter"
# the lines of the manual
tpm2_nvdefine -Q 0x1800001 -C o -s 8 -a "nt=counter|authread|ownerwrite|no_da"
says "never raised" rollback rollback "$another"
tpm2_nvincrement -Q 0x1800001 -C o
at=$((16#$(tpm2_nvread 0x1800001 -C 0x1800001 -s 8 | od -An -v -tx1 | tr -d ' ')))
version $at
says "this image" rollback rollback "= current"
version "\"$((at + 5))\""
says "a newer one" rollback rollback "= current"
tpm2_nvincrement -Q 0x1800001 -C o
version $at
says "an older one" rollback rollback "= older: $at, and the counter is $((at + 1))"
for v in '' 7x '"7' '"7x' 1.2 -1 99999999999999999999; do
	version "$v"
	says "IMAGE_VERSION=$v" rollback rollback "= an image without a number"
done
# the program itself, in its phase: this host's os-release, which has no such number
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
	unshare -m sh -c 'mount -t tmpfs none /sys/class && mkdir -p /sys/class/tpm/tpm0 && echo 2 >/sys/class/tpm/tpm0/tpm_version_major &&
		mount -t tmpfs none /etc && echo IMAGE_VERSION=0 >/etc/os-release && exec cam-harden-check -o json' 2>err |
		/usr/bin/python3 -c 'import json,sys; print(*(f["id"]+": "+f["seen"] for f in json.load(sys.stdin)["findings"]), sep="\n")' >seen
	for want in "integrity.rollback: older: 0, and the counter is $((at + 1))" "integrity.tpm-owner: the owner has no password"; do
		grep "${want%%: *}" seen >tap.out
		grep -qx "$want" seen; tap_result $? "running: $want"
	done
fi
rm dev/etc/os-release
says "no os-release" rollback rollback "= an image without a number"
tpm2_nvundefine -Q 0x1800001 -C o
tpm2_nvdefine -Q 0x1800001 -C o -s 8 -a "nt=counter|ownerread|ownerwrite|no_da"
tpm2_nvincrement -Q 0x1800001 -C o
says "a counter that may not be read like that" rollback rollback "unseen: the TPM, or tpm2_nvread, did not answer"
kill -STOP $tpm
says "a TPM that hangs" rollback rollback "unseen: the TPM, or tpm2_nvreadpublic, did not answer"
tap_done
