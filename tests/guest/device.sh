#!/bin/sh
# device.sh DIR: the userland of a camera of Debian's arm64 packages, into DIR: what services, cells and filters need,
# extracted, kept under a name made of the versions. Prints the folder. Nothing of it is run.
#
# device.sh FROM PROGRAMS TO: an image's root TO/root: of FROM what is on the list below and the libraries that it needs,
# and our programs; no package's own files beside them, and nothing that is set-uid. And TO/first, what opens it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
packages="libc6 dash coreutils util-linux mount sed procps nftables s6 execline libcamera0.0.3 libcamera-ipa libsodium23 libseccomp2
	libx264-164 libyuv0 libjansson4 libcurl4 zlib1g ca-certificates cryptsetup-bin busybox-static
	policycoreutils"
# what s6-rc/ runs, and the tests
commands="dash cat chmod chown cp cut date dd dmesg echo id install ln ls mkdir mkfifo mktemp mv nproc printf readlink rm seq sleep
	sort stat sync tail touch tr true wc test [ mount umount mountpoint findmnt nsenter unshare setpriv taskset choom sed sysctl nft restorecon
	s6-envdir s6-softlimit s6-log s6-svscan s6-supervise s6-svscanctl s6-svstat s6-svdt s6-svc
	s6-fdholder-daemon s6-fdholderd s6-fdholder-store s6-fdholder-retrieve s6-ipcserver-socketbinder
	execlineb redirfd fdmove fdswap foreground getpid importas multisubstitute emptyenv execline-umask"
# what execlineb starts by itself
more="/usr/lib/execline/bin/execlineb /usr/lib/execline/bin/export /usr/lib/execline/bin/exec"
tools="cam-capture cam-seal cam-spool cam-ship cam-reap cam-status cam-key cam-harden-check"

# closure ROOT FILE...: the files, and the libraries of ROOT that they need, as paths in it.
closure() {
	closure_root=$1; shift
	closure_seen=
	while [ $# -gt 0 ]; do
		file=$1; shift
		case " $closure_seen " in *" $file "*) continue ;; esac
		closure_seen="$closure_seen $file"
		at=$closure_root$file
		[ -e "$at" ] || at=$file
		for lib in $(readelf -d "$at" 2>/dev/null | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p') $(readelf -l "$at" 2>/dev/null | sed -n 's/.*interpreter: \(.*\)\]/\1/p'); do
			for place in "" /lib /lib/aarch64-linux-gnu /usr/lib/aarch64-linux-gnu; do
				[ ! -e "$closure_root$place/${lib#/}" ] || { set -- "$@" "$place/${lib#/}"; break; }
			done
		done
	done
	printf '%s\n' $closure_seen
}

# where COMMAND: its path in $from
where() {
	for place in /usr/bin /usr/sbin /bin /sbin /usr/lib/execline/bin; do
		[ ! -e "$from$place/$1" ] || { echo "$place/$1"; return; }
	done
	echo "device.sh: $1: not in $from" >&2
	exit 1
}

# copy TO FILE...: from $from, links followed
copy() {
	copy_to=$1; shift
	for f; do
		[ -e "$from$f" ] || continue
		mkdir -p "$copy_to${f%/*}" && cp -L "$from$f" "$copy_to$f" && chmod 755 "$copy_to$f"
	done
}

if [ $# = 1 ]; then
	mkdir -p "$1" && cd "$1"
	# shellcheck disable=SC2046,SC2086
	versions=$(apt-cache show --no-all-versions $(printf '%s:arm64 ' $packages) 2>/dev/null | sed -n 's/^Version: //p')
	made=$PWD/userland-$({ echo "$versions"; cat "$here/device.sh"; } | sha256sum | cut -c 1-12)
	echo "$made"
	[ ! -e "$made" ] || exit 0
	trap 'rm -rf "$made.new" "$made.tar"' EXIT
	set --
	for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
		[ ! -s "$f" ] || set -- "$@" "$f"
	done
	mmdebstrap -q --variant=extract --architectures=arm64 --skip=check/qemu --include="$(echo $packages | tr ' ' ,)" bookworm "$made.tar" "$@"
	mkdir "$made.new"
	tar -C "$made.new" --exclude './dev/*' --exclude './usr/share/*' -xf "$made.tar"
	mv "$made.new" "$made"
	exit 0
fi

from=$1 programs=$2 to=$3/root first=$3/first
mkdir -p "$to" "$first"
# shellcheck disable=SC2046
copy "$first" $(closure "$from" /sbin/veritysetup) /bin/busybox
for c in $commands; do w=$(where "$c") || exit 1; set -- "$@" "$w"; done
shift 3
# shellcheck disable=SC2086
set -- "$@" $more
for t in $tools; do set -- "$@" "$programs/$t"; done
# shellcheck disable=SC2046
copy "$to" $(closure "$from" "$@")
for t in $tools; do install -D -m 755 "$programs/$t" "$to/usr/bin/$t"; done
ln -s dash "$to/bin/sh"
for d in proc sys dev run tmp var boot etc/cam root home; do mkdir -p "$to/$d"; done
