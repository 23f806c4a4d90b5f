#!/bin/bash
# defends: enter.unseen
# What is read of a boot partition: U-Boot's keys as mkimage puts them there, its settings as mkenvimage saves them, real
# programs of Debian's where they are installed; fuses and keyrings; and what is broken, cut off or unknown is not seen.
. "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/cam-harden-check/uboot.sh
. "$top/tests/cam-harden-check/uboot.sh"

facts=$O/tests/cam-harden-check/facts
policy=$top/cam-harden-check/pi3-camera.policy
trees t
mkdir -p img/boot

# found KEY: what the collector says of an image
found() { "$facts" -o img bootloader | sed -n "s/^[a-z]* $1 //p"; }
# fresh: a boot partition on which all is well
fresh() {
	rm -rf img/boot img/etc
	mkdir -p img/boot img/etc
	echo 'gpu_mem=128' >img/boot/config.txt
	uboot t/conf.dtb >img/boot/kernel8.img
}
# says NAME KEY LINES: and the key has exactly this
says() {
	found "$2" >got
	printf '%s' "${3:+$3
}" >want
	diff got want >tap.out; : >tap.err
	cmp -s got want; tap_result $? "$1: $2: ${3%%$'\n'*}"
}
# judged NAME RULE VERDICT: of the image
judged() {
	"$facts" -o img bootloader >lines
	{ cat lines; echo 'device board = pi3'; } >l
	"$facts" -f l -p "$policy" >tap.out 2>tap.err
	grep -qx "$3 $2" tap.out; tap_result $? "$1: $2: $3"
}
broken() { says "$1" boot.fit "unseen: $2"; for k in boot.uboot-shell boot.uboot-env reboot-loop; do says "$1" $k "unseen: $2"; done; }

# --- keys ---

fresh
for k in boot.fit:'= required-conf' boot.uboot-shell:none boot.uboot-env:none reboot-loop:'= 3'; do says "all is well" ${k%%:*} "${k#*:}"; done
for r in integrity.boot-fit integrity.boot-uboot-shell integrity.boot-uboot-env watchdog.reboot-loop; do judged "all is well" $r PASS; done
for kind in unsigned optional image; do
	uboot t/$kind.dtb >img/boot/kernel8.img
	word=$kind; [ $kind != image ] || word=required-image
	says "control tree: $kind" boot.fit "= $word"
	judged "control tree: $kind" integrity.boot-fit FAIL
done
uboot t/conf.dtb "$settings" x >img/boot/kernel8.img
says "built without what verifies" boot.fit "= not-verified"
uboot t/conf.dtb "$settings" "$verifies" '## Booting kernel from Legacy Image at %08lx ...' >img/boot/kernel8.img
says "it starts old images too" boot.fit "= optional"
uboot t/conf.dtb >img/boot/kernel8.img
cat t/unsigned.dtb >>img/boot/kernel8.img
says "the worst of two trees counts" boot.fit "= unsigned"
uboot /dev/null >img/boot/kernel8.img
says "no tree: it takes the firmware's" boot.fit "= unsigned"
uboot t/conf.dtb | head -c -40 >img/boot/kernel8.img
says "a tree that is cut off is none" boot.fit "= unsigned"
cp t/conf.dtb d.dtb
at=$(od -An -tu4 --endian=big -j8 -N4 d.dtb)
printf '\0\0\0\7' | dd of=d.dtb bs=1 seek=$((at + 8)) conv=notrunc 2>/dev/null
uboot d.dtb >img/boot/kernel8.img
broken "a tree that is damaged" "a device tree in U-Boot is damaged"

# --- which program ---

fresh
mv img/boot/kernel8.img img/boot/loader.bin
broken "nothing to start" "nothing that the firmware could start was found"
echo 'kernel=loader.bin' >>img/boot/config.txt
says "config.txt names it" boot.fit "= required-conf"
uboot t/unsigned.dtb >img/boot/u-boot.bin
says "an older one beside it counts" boot.fit "= unsigned"
fresh
echo 'kernel=../etc/loader.bin' >>img/boot/config.txt
broken "a name that leads elsewhere" "config.txt names more files, or longer names, than are looked at"
fresh
gzip -c img/boot/kernel8.img >x && mv x img/boot/kernel8.img
says "compressed" boot.fit "= required-conf"
fresh
kernel >img/boot/kernel8.img
says "a kernel" boot.fit "= absent"
says "a kernel" boot.uboot-shell none
says "a kernel" reboot-loop none
judged "a kernel" integrity.boot-fit FAIL
judged "a kernel" integrity.boot-uboot-shell PASS
judged "a kernel" watchdog.reboot-loop FAIL
{ kernel; head -c 9M /dev/urandom; } | gzip -1 >img/boot/kernel8.img
says "a compressed kernel" boot.fit "= absent"
{ kernel; head -c 5M /dev/zero; } >img/boot/kernel8.img
says "a large kernel" boot.fit "= absent"
unknown="what the firmware starts is neither U-Boot nor a kernel, or cannot be read"
head -c 9000 /dev/urandom >img/boot/kernel8.img
broken "an unknown program" "$unknown"
{ uboot t/conf.dtb; head -c 5M /dev/zero; } >img/boot/kernel8.img
broken "a U-Boot that is longer than is looked at" "$unknown"
uboot t/conf.dtb | gzip | head -c 300 >img/boot/kernel8.img
broken "compressed and cut off" "$unknown"
echo 'kernel=nothing.img' >>img/boot/config.txt
printf '\037\213compressed by nobody, and the file before it in the list is not there' >img/boot/kernel8.img
broken "damaged from its first byte" "$unknown"
rm img/boot/kernel8.img; mkdir img/boot/kernel8.img
broken "a folder" "$unknown"
rm -rf img/boot; mkdir img/boot
broken "no boot partition" "the image has no boot partition in /boot or /boot/firmware"
judged "no boot partition" integrity.boot-fit INCOMPLETE
fresh; mv img/boot x; mkdir -p img/boot; mv x img/boot/firmware
says "in /boot/firmware" boot.fit "= required-conf"
fresh
ln -s /etc/passwd img/boot/boot.scr
says "a link out of the image leads nowhere" boot.uboot-env none

# --- the prompt ---

# prompt NAME SETTINGS LINES: KEY boot.uboot-shell has these
prompt() { uboot t/conf.dtb "$2" >img/boot/kernel8.img; says "$1" boot.uboot-shell "$3"; }
fresh
k=/boot/kernel8.img
prompt "a delay" "${settings/=-2/=2}" "+ $k: bootdelay=2: a key stops it at its prompt"
judged "a delay" integrity.boot-uboot-shell FAIL
prompt "no delay, but a key" "${settings/=-2/=0}" "+ $k: bootdelay=0: a key stops it at its prompt"
prompt "it stops by itself" "${settings/=-2/=-1}" "+ $k: bootdelay=-1: it stops at its prompt"
prompt "a delay that is no number" "${settings/=-2/=-2x}" "unseen: its bootdelay is not known"
prompt "no delay" "${settings/bootdelay/other}" "unseen: its bootdelay is not known"
judged "no delay" integrity.boot-uboot-shell INCOMPLETE
prompt "no command" "${settings/bootcmd=/other=}" "unseen: its bootcmd is not known"
end="does not end in reset: a start that fails ends at the prompt"
for c in 'run start' 'run start && reset' 'run start;echo reset' 'run nobody' 'run start;reset;echo' 'run bootcmd' 'bootm; run start back'; do
	prompt "bootcmd=$c" "${settings/run start;run back/$c}" "+ $k: bootcmd $end"
done
for c in 'run start; reset' 'run start||reset' 'run back ; ' 'reset'; do
	prompt "bootcmd=$c" "${settings/run start;run back/$c}" none
done
prompt "the other command" "${settings/|| reset/}" "+ $k: altbootcmd $end"
uboot t/conf.dtb "${settings/=-2/=2}" "$verifies" "## U-Boot command line is disabled. Please enable CONFIG_CMDLINE" >img/boot/kernel8.img
says "a U-Boot without a command line" boot.uboot-shell none
uboot t/conf.dtb '' >img/boot/kernel8.img
says "no settings" boot.uboot-shell "unseen: no settings were found in U-Boot"
says "no settings" boot.uboot-env "unseen: no settings were found in U-Boot"
{ printf '\0U-Boot 2023.01\0\0bootcmd=reset\0bootdelay=-2\0more'; cat t/conf.dtb; } >img/boot/kernel8.img
says "settings that do not end" boot.uboot-shell "unseen: no settings were found in U-Boot"
cp t/conf.dtb d.dtb && fdtput -t x d.dtb /config bootdelay fffffffe
uboot d.dtb "${settings/=-2/=2}" >img/boot/kernel8.img
says "the tree's delay counts more" boot.uboot-shell none
fdtput -t i d.dtb /config bootdelay 5
uboot d.dtb >img/boot/kernel8.img
says "also when it is worse" boot.uboot-shell "+ $k: bootdelay=5: a key stops it at its prompt"
fdtput -t i d.dtb /config bootsecure 1
uboot d.dtb "${settings/=-2/=2}" >img/boot/kernel8.img
says "a tree that wants no prompt" boot.uboot-shell none
cat t/conf.dtb >>img/boot/kernel8.img
says "and another that does not say so" boot.uboot-shell "+ $k: bootdelay=2: a key stops it at its prompt"

# --- settings and scripts on the card ---

fresh
printf '%s\n' "${settings/=-2/=2}" >s.txt
mkenvimage -s 16384 -o img/boot/uboot.env s.txt
says "saved settings" boot.uboot-env "+ /boot/uboot.env: settings of U-Boot"
says "saved settings" boot.uboot-shell "+ /boot/uboot.env: bootdelay=2: a key stops it at its prompt"
judged "saved settings" integrity.boot-uboot-env FAIL
mkenvimage -r -s 16384 -o img/boot/uboot.env s.txt
says "two copies of them" boot.uboot-shell "+ /boot/uboot.env: bootdelay=2: a key stops it at its prompt"
printf x | dd of=img/boot/uboot.env bs=1 seek=100 conv=notrunc 2>/dev/null
says "with a wrong sum" boot.uboot-env "+ /boot/uboot.env: settings of U-Boot that cannot be read"
mv img/boot/uboot.env img/boot/uboot-redund.env
says "the other copy" boot.uboot-env "+ /boot/uboot-redund.env: settings of U-Boot that cannot be read"
rm img/boot/uboot-redund.env
uboot t/conf.dtb "$settings" "$verifies" uboot.env >img/boot/kernel8.img
says "it would take them" boot.uboot-env "+ $k: looks for its settings on the card"
fresh
for s in boot.scr uEnv.txt extlinux/extlinux.conf efi/boot/bootaa64.efi; do
	mkdir -p "img/boot/${s%/*}" 2>/dev/null; [ -d "img/boot/$s" ] && rmdir "img/boot/$s"; echo x >"img/boot/$s"
	says "a script" boot.uboot-env "+ /boot/$s: a script or program for U-Boot"
	rm "img/boot/$s"
done
echo '# none' >img/etc/fw_env.config
says "a configuration of fw_setenv without a line" boot.uboot-env none
echo '/dev/mmcblk0 0x400000 0x4000' >>img/etc/fw_env.config
says "and with one" boot.uboot-env "+ /etc/fw_env.config: settings of U-Boot in /dev/mmcblk0"
fresh
for c in 'source ${a}:distro_bootcmd:0' 'env  import -t ${a}:env' 'if test x; then (booti ${k}); fi:booti' 'dhcp||reset:dhcp' '"sysboot" mmc 0:sysboot' 'bootflow scan:bootflow'; do
	uboot t/conf.dtb "$settings
more=${c%:*}" >img/boot/kernel8.img
	word=${c##*:}; [ "$word" != 0 ] || word=source
	says "${c%:*}" boot.uboot-env "+ $k: more: takes what nobody signed: $word"
done
uboot t/conf.dtb "$settings
more=echo sources goes; setenv env imported" >img/boot/kernel8.img
says "words that are like them" boot.uboot-env none

# --- starts that fail ---

fresh
uboot t/conf.dtb "${settings/bootlimit=3/bootlimit=0}" >img/boot/kernel8.img
says "no limit" reboot-loop none
uboot t/conf.dtb "${settings/altbootcmd/other}" >img/boot/kernel8.img
says "no other command" reboot-loop none
uboot t/conf.dtb "$settings" "$verifies" >img/boot/kernel8.img
says "it does not count" reboot-loop none
judged "it does not count" watchdog.reboot-loop FAIL
uboot t/conf.dtb "$settings" "$verifies" >img/boot/u-boot.bin
uboot t/conf.dtb >img/boot/kernel8.img
says "one of two does not count" reboot-loop none
rm img/boot/u-boot.bin
says "the other does" reboot-loop "= 3"
uboot t/conf.dtb "$settings" "$verifies" >img/boot/kernel8.img
printf '[all]\ntryboot_a_b=1\nboot_partition=2\n[tryboot]\nboot_partition=3\n' >img/boot/autoboot.txt
says "the firmware tries" reboot-loop "= tryboot"
judged "the firmware tries" watchdog.reboot-loop PASS
printf '[all]\ntryboot_a_b=1\nboot_partition=2\n' >img/boot/autoboot.txt
says "nothing to try" reboot-loop none

# --- the program itself, offline: nothing but the image is read ---

fresh
audit() { cam-harden-check "$@" -o json | python3 -c 'import json,sys; print(*sorted(f["verdict"]+" "+f["id"] for f in json.load(sys.stdin)["findings"] if "boot-" in f["id"] or "reboot" in f["id"]), sep="\n")'; }
audit -r img >tap.out 2>tap.err
for want in "PASS integrity.boot-config-txt" "PASS integrity.boot-fit" "PASS integrity.boot-uboot-env" "PASS integrity.boot-uboot-shell" "PASS watchdog.reboot-loop"; do
	grep -qx "$want" tap.out; tap_result $? "cam-harden-check -r: $want"
done
uboot t/unsigned.dtb "${settings/=-2/=2}" "$verifies" uboot.env >img/boot/kernel8.img
echo enable_uart=1 >>img/boot/config.txt
audit -r img >tap.out 2>tap.err
for want in boot-config-txt boot-fit boot-uboot-env boot-uboot-shell; do
	grep -qx "FAIL integrity.$want" tap.out; tap_result $? "cam-harden-check -r: FAIL integrity.$want"
done

# on a running device, in the sandbox of its phase
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
	fresh
	gzip -n img/boot/kernel8.img && mv img/boot/kernel8.img.gz img/boot/kernel8.img
	export -f audit
	mounted() { unshare -m bash -c 'mount -t tmpfs none /boot && cp -r img/boot/. /boot && audit -b pi3'; }
	mounted >tap.out 2>tap.err
	for want in "PASS integrity.boot-config-txt" "PASS integrity.boot-fit" "PASS integrity.boot-uboot-shell" "PASS watchdog.reboot-loop"; do
		grep -qx "$want" tap.out; tap_result $? "running: $want"
	done
	uboot t/optional.dtb "${settings/=-2/=2}" >img/boot/kernel8.img
	mounted >tap.out 2>tap.err
	for want in boot-fit boot-uboot-shell; do
		grep -qx "FAIL integrity.$want" tap.out; tap_result $? "running: FAIL integrity.$want"
	done
	rm img/boot/*
	mounted >tap.out 2>tap.err
	for want in boot-config-txt boot-fit boot-uboot-env boot-uboot-shell; do
		grep -qx "INCOMPLETE integrity.$want" tap.out; tap_result $? "running, nothing mounted: INCOMPLETE integrity.$want"
	done
fi

# --- real programs ---

for u in /usr/lib/u-boot/rpi_3/u-boot.bin /usr/lib/u-boot/qemu_arm64/u-boot.bin; do
	[ -e $u ] || { echo "# $u is not installed"; continue; }
	fresh
	cp $u img/boot/kernel8.img
	says "$u" boot.fit "= unsigned"
	found boot.uboot-shell >tap.out
	grep -qx "+ $k: bootdelay=2: a key stops it at its prompt" tap.out; tap_result $? "$u: its prompt"
	found boot.uboot-env >tap.out
	grep -qx "+ $k: bootcmd: takes what nobody signed: distro_bootcmd" tap.out; tap_result $? "$u: its command"
	# of the two only the Pi's was built to look for a file
	grep -c "looks for its settings on the card" tap.out >n
	[ "$(cat n)" = "$(grep -c rpi_3 <<<"$u")" ]; tap_result $? "$u: its settings"
	cat t/conf.dtb >>img/boot/kernel8.img
	if [ "${u%qemu*}" != "$u" ]; then says "$u: with a key, but it starts old images" boot.fit "= optional"; fi
done
tap_done
