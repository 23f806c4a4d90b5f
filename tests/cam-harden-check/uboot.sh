# shellcheck shell=bash
# uboot.sh: boot partitions with a U-Boot on them. Its program is put together from what the audit looks for; the keys in
# the device tree that controls it are put there by mkimage, which signs with them.

# trees DIR: DIR/{unsigned,optional,image,conf}.dtb, as U-Boots that want nothing, something, each image or a whole
# configuration signed
trees() {
	mkdir -p "$1"
	openssl req -batch -new -x509 -newkey rsa:2048 -nodes -subj /CN=dev -keyout "$1/dev.key" -out "$1/dev.crt" 2>/dev/null
	echo kernel >"$1/kernel"
	local sign='signature { algo = "sha256,rsa2048"; key-name-hint = "dev"; };' inner outer kind
	for kind in unsigned optional image conf; do
		echo '/dts-v1/; / { model = "test"; config { x = <1>; }; };' | dtc -q -O dtb -o "$1/$kind.dtb"
		inner='' outer=''
		[ $kind = image ] && inner=$sign || outer="signature { algo = \"sha256,rsa2048\"; key-name-hint = \"dev\"; sign-images = \"kernel\"; };"
		cat >"$1/$kind.its" <<-X
		/dts-v1/;
		/ {
			description = "test";
			images { kernel { description = "k"; data = /incbin/("kernel"); type = "kernel"; arch = "arm64"; os = "linux";
				compression = "none"; load = <0x80000>; entry = <0x80000>; hash-1 { algo = "sha256"; }; $inner }; };
			configurations { default = "one"; one { kernel = "kernel"; $outer }; };
		};
		X
	done
	(cd "$1" && mkimage -q -f optional.its -k . -K optional.dtb optional.itb && mkimage -q -f image.its -k . -K image.dtb -r image.itb &&
		mkimage -q -f conf.its -k . -K conf.dtb -r conf.itb) >/dev/null
}

verifies="Failed to verify required signature '%s'"
counts='Warning: Bootlimit (%u) exceeded. Using altbootcmd.'
settings='bootcmd=run start;run back
start=load mmc 0:1 ${a} image.itb;bootm ${a}
back=sleep 1;reset
bootdelay=-2
bootlimit=3
altbootcmd=load mmc 0:2 ${a} image.itb; bootm ${a} || reset
baudrate=115200'

# uboot TREE [SETTINGS [STRING...]]: a program
uboot() {
	local tree=$1 env=${2-$settings}; shift 2>/dev/null; shift 2>/dev/null
	[ $# -gt 0 ] || set -- "$verifies" "$counts"
	printf '\1\2\3\4code\0%s' 'U-Boot 2023.01-test (Nov 26 2026 - 00:00:00 +0000)'
	printf '\0%s' "$@"
	printf '\0\0%s\n\n' "$env" | tr '\n' '\0'
	printf 'more code'
	cat "$tree"
}

# kernel: the head of an arm64 Image, and nothing in it
kernel() {
	printf 'MZ\0\0'
	head -c 52 /dev/zero
	printf 'ARM\x64'
	head -c 8192 /dev/zero
}
