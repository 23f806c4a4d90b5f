#!/bin/sh
# kernel.sh [-n SERIES] DIR: a kernel for arm64 that is hardened as cam-harden-check says, into DIR: the source package of
# Debian 12's SERIES (6.12), the drivers of kernel.config, and everything else from -g kconfig and -g cmdline of the
# cam-harden-check in the PATH. It takes as long as a kernel takes, and is kept under a name made of all that it is made
# of. Prints the folder: Image, config, System.map, the key that signs root images, and wanted: what was generated.
#
# On the way the same fragment is merged into arm64's own defconfig, whose result is defconfig there: what does not hold
# in a configuration that somebody else began is seen before it is missed.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
series=6.12
[ "$1" != -n ] || { series=$2; shift 2; }
jobs=${KERNEL_JOBS:-2}
mkdir -p "$1" && cd "$1"
dir=$PWD
say() { echo "kernel.sh: $*" >&2; }

package=linux-source-$series
version=$(apt-cache show --no-all-versions "$package" 2>/dev/null | sed -n 's/^Version: //p')
[ "$version" ] || { say "$package: apt does not know it"; exit 1; }

# Who may sign an image. This key is for tests: it lies on the disk.
if [ ! -e key.pem ]; then
	openssl req -new -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=camera -keyout key.new -out certificate.pem 2>/dev/null
	mv key.new key.pem
fi
# What may run: what was there at boot, and what a signed root holds.
cat >ipe.pol <<'X'
policy_name=camera policy_version=1.0.0
DEFAULT action=DENY

op=EXECUTE boot_verified=TRUE action=ALLOW
op=EXECUTE dmverity_signature=TRUE action=ALLOW
op=FIRMWARE boot_verified=TRUE action=ALLOW
op=FIRMWARE dmverity_signature=TRUE action=ALLOW
X
line=$(cam-harden-check -g cmdline kernel="$series" | sed '/^#/d' | paste -sd ' ')
cam-harden-check -g kconfig kernel="$series" CONFIG_SYSTEM_TRUSTED_KEYS="$dir/certificate.pem" \
	CONFIG_IPE_BOOT_POLICY="$dir/ipe.pol" CONFIG_CMDLINE="$line" >wanted.new
key=$({ echo "$version"; aarch64-linux-gnu-gcc --version; cat wanted.new ipe.pol certificate.pem "$here/kernel.config" "$here/kernel.sh"; } |
	sha256sum | cut -c 1-12)
made=$dir/kernel-$version-$key
echo "$made"
[ ! -e "$made" ] || { rm wanted.new; exit 0; }

# The tree stays, so that another policy costs only what it changes.
tree=$dir/tree-$version
result=$dir/making
trap 'rm -rf "$result" "$dir/wanted.new" "$tree.new"' EXIT
trap 'exit 1' INT TERM HUP
rm -rf "$result" && mkdir "$result" && mv wanted.new "$result/wanted"
if [ ! -e "$tree/source" ]; then
	rm -rf tree-* && mkdir -p "$tree.new/source" && cd "$tree.new"
	say "$package $version: downloading"
	apt-get -qq -o APT::Sandbox::User=root download "$package"
	dpkg-deb --fsys-tarfile "$package"_*.deb | tar -xO --wildcards './usr/src/linux-source-*.tar.xz' | tar -C source -xJf - --strip-components=1
	rm "$package"_*.deb
	mv "$tree.new" "$tree"
fi
mkdir -p "$tree/o" "$tree/defconfig"
cd "$tree"

export ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu-
# the same each time
export KBUILD_BUILD_TIMESTAMP=@0 KBUILD_BUILD_USER=cam KBUILD_BUILD_HOST=cam
quietly() { nice -n 15 make -s -C source "$@" >make.log 2>&1 || { tail -n 40 make.log >&2; exit 1; }; }
say "configuring"
quietly O="$tree/defconfig" defconfig
(cd source && scripts/kconfig/merge_config.sh -m -O "$tree/defconfig" "$tree/defconfig/.config" "$result/wanted" >"$tree/make.log" 2>&1)
quietly O="$tree/defconfig" olddefconfig
cat "$here/kernel.config" "$result/wanted" >all
quietly O="$tree/o" KCONFIG_ALLCONFIG="$tree/all" allnoconfig
say "building"
quietly O="$tree/o" -j"$jobs" Image
cp o/.config "$result/config"
cp defconfig/.config "$result/defconfig"
cp o/arch/arm64/boot/Image o/System.map "$dir/key.pem" "$dir/certificate.pem" "$result"
mv "$result" "$made"
say "done"
