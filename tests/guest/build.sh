#!/bin/sh
# build.sh [-a amd64|arm64] DIR: what run.sh boots, into DIR: a Debian 12 kernel, vimc and vicodec, which Debian does
# not build, from the source package of that kernel, a root of Debian packages as an image, and an initrd. Needs no root.
# Everything is kept, under a name made of the versions that it is made of, and made anew only for others.
# Prints the folder.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
arch=$(dpkg --print-architecture)
[ "$1" = -a ] && { arch=$2; shift 2; }
mkdir -p "$1" && cd "$1"
packages="libc6 dash coreutils util-linux mawk grep sed diffutils procps libcamera-tools libcamera-ipa v4l-utils libcamera0.0.3
	libsodium23 libseccomp2 libx264-164 libyuv0 libjansson4 zlib1g nftables cryptsetup-bin"
boot="virtio_pci virtio_blk virtio_console ext4 9p 9pnet_virtio"
modules="$boot vimc vicodec vivid dm_verity loop"

# field NAME PACKAGE...: what apt knows, a line for each.
field() {
	name=$1; shift
	apt-cache show --no-all-versions "$@" 2>/dev/null | sed -n "s/^$name: //p"
}

image=$(field Depends "linux-image-$arch:$arch" | sed 's/ .*//')
[ "$image" ] || { echo "build.sh: linux-image-$arch: apt does not know it" >&2; exit 1; }
release=${image#linux-image-}
# shellcheck disable=SC2046
versions=$(field Version $(for p in $image $packages; do echo "$p:$arch"; done))
version=$(echo "$versions" | head -n 1)
key=$(echo "$versions" | cat - "$here/build.sh" | sha256sum | cut -c 1-12)
made=$PWD/$release-$version-$key
echo "$made"
[ ! -e "$made" ] || exit 0

work=$PWD/making.$$
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP
rm -rf making.* && mkdir "$work" && cd "$work"
say() { echo "build.sh: $arch: $*" >&2; }

say "$image $version: downloading"
common=linux-headers-${release%"$arch"}common
# linux-source is only in the series' name
apt-get -qq -o APT::Sandbox::User=root download "$image:$arch" "linux-headers-$release:$arch" "$common" linux-kbuild-6.1 linux-source-6.1
for deb in linux-image*.deb linux-headers*.deb linux-kbuild*.deb; do dpkg-deb -x "$deb" kernel; done
mkdir source
dpkg-deb --fsys-tarfile linux-source*.deb | tar -xO --wildcards './usr/src/linux-source-*.tar.xz' |
	tar -C source -xJf - --strip-components=3 --wildcards 'linux-source-*/drivers/media/test-drivers/vi[mc]*' \
		'linux-source-*/drivers/media/v4l2-core/v4l2-mem2mem.c'

say "vimc, vicodec: building"
headers=$work/kernel/usr/src/linux-headers-$release
echo "include ${headers%"$arch"}common/Makefile" >"$headers/Makefile"
echo 'obj-m := test-drivers/vimc/ test-drivers/vicodec/' >source/Makefile
find kernel/lib/modules -name v4l2-mem2mem.ko | grep -q . || echo 'obj-m += v4l2-core/v4l2-mem2mem.o' >>source/Makefile
cross=
[ "$arch" = "$(dpkg --print-architecture)" ] || cross="ARCH=$arch CROSS_COMPILE=aarch64-linux-gnu-"
# shellcheck disable=SC2086
make -s -j2 -C "$headers" M="$work/source" $cross CONFIG_VIDEO_VIMC=m CONFIG_VIDEO_VICODEC=m modules >make.log 2>&1 ||
	{ cat make.log >&2; exit 1; }
mkdir -p "kernel/lib/modules/$release/extra"
find source -name '*.ko' -exec cp {} "kernel/lib/modules/$release/extra/" \;
/sbin/depmod -b kernel "$release"

say "root: downloading"
# from where this machine has its packages
set --
for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
	[ ! -s "$f" ] || set -- "$@" "$f"
done
# Their scripts are not run: files are all that is needed, and those of another architecture could not run.
mmdebstrap -q --variant=extract --architectures="$arch" --skip=check/qemu \
	--include="$(echo $packages busybox-static | tr ' ' ,)" bookworm root.tar "$@"
mkdir root
tar -C root --exclude './dev/*' --exclude './usr/share/doc' --exclude './usr/share/locale' --exclude './usr/share/man' \
	-xf root.tar
mkdir -p root/dev root/proc root/sys root/run root/tmp root/mnt root/etc
printf 'root:x:0:0::/:/bin/sh\ncam:x:2001:2001::/:/bin/sh\n' >root/etc/passwd
printf 'root:x:0:\nvideo:x:44:\ncam:x:2001:\n' >root/etc/group
ln -sf dash root/bin/sh

# load MODULE...: the files that have to be loaded for them, in order, from the folder of kernel modules.
load() {
	for m; do /sbin/modprobe -d "$work/kernel" -S "$release" --show-depends "$m"; done |
		sed -n 's,^insmod .*/lib/modules/\([^ ]*\).*,\1,p' | awk '!seen[$0]++'
}
# take FOLDER FILE...: copies modules to a root.
take() {
	to=$1; shift
	for m; do
		mkdir -p "$to/lib/modules/${m%/*}" && cp "kernel/lib/modules/$m" "$to/lib/modules/$m"
	done
}
# shellcheck disable=SC2046,SC2086
take root $(load $modules)
cp kernel/lib/modules/"$release"/modules.order kernel/lib/modules/"$release"/modules.builtin* "root/lib/modules/$release"
/sbin/depmod -b root "$release"

say "image"
mkdir -p initrd/bin result
cp root/bin/busybox initrd/bin
# shellcheck disable=SC2046
take initrd $(load $boot)
load $boot | sed 's,^,/lib/modules/,' >initrd/modules
(cd initrd && find . | cpio -o -H newc -R 0:0 --quiet) >result/initrd
cp kernel/boot/vmlinuz-* result/vmlinuz
size_kb=$(du -sk root | cut -f 1)
/sbin/mke2fs -q -t ext4 -O ^has_journal -m 0 -d root result/root.img $((size_kb * 5 / 4 + 65536))k >&2
mv result "$made"
say "done"
