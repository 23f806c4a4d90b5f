#!/bin/sh
# run.sh [-a amd64|arm64] [-t SECONDS] [-o FOLDER] COMMAND...: runs a shell command in the guest, as root, and shows what
# it writes. The repository is at /mnt/src, its programs in the PATH (/mnt/o), and what is written to /mnt/out
# is in FOLDER afterwards (default: thrown away). Exits as the command did; 111 when the guest did not end in time or by
# itself, after the last lines of its kernel. Without -a the guest is of this machine's architecture.
#
#     tests/guest/run.sh 'modprobe vimc; . /mnt/src/tests/guest/inside.sh; devices; cam -l'
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$here/../..
host=$(dpkg --print-architecture)
arch=${GUEST_ARCH:-$host}
seconds=${GUEST_SECONDS:-300}
out=
while getopts a:t:o: c; do
	case $c in
	a) arch=$OPTARG ;;
	t) seconds=$OPTARG ;;
	o) out=$OPTARG ;;
	*) exit 100 ;;
	esac
done
shift $((OPTIND - 1))
build=${GUEST_O:-$top/build/guest}
programs=$top/build
[ "$arch" = "$host" ] || programs=$top/build/aarch64-linux-gnu
programs=${GUEST_PROGRAMS:-$programs}
made=$(sh "$here/build.sh" -a "$arch" "$build/$arch")

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' INT TERM HUP
[ "$out" ] || { out=$tmp/out; mkdir "$out"; }
mkdir -p "$programs" "$out"
rm -f "$out/code"
printf '%s\n' "$*" >"$out/command"

cp "$here/init.sh" "$tmp/init"
chmod 755 "$tmp/init"
{ cat "$made/initrd"; (cd "$tmp" && echo init | cpio -o -H newc -R 0:0 --quiet); } >"$tmp/initrd"

case $arch in
amd64) set -- qemu-system-x86_64 -cpu max -append "console=ttyS0 quiet panic=-1" ;;
arm64) set -- qemu-system-aarch64 -M virt -cpu cortex-a53 -append "console=ttyAMA0 quiet panic=-1" ;;
*) echo "run.sh: $arch: no guest of this architecture" >&2; exit 100 ;;
esac
for share in "src=$top" "o=$programs"; do
	set -- "$@" -virtfs "local,path=${share#*=},mount_tag=${share%%=*},security_model=none,readonly=on"
done
# Not waiting for a terminal: the standard input of QEMU is none of the guest's.
timeout -k 5 "$seconds" nice "$@" -virtfs "local,path=$out,mount_tag=out,security_model=none" -accel tcg,thread=multi \
	-smp 2 -m 1024 -no-reboot -nodefaults -nographic -net none -monitor none -serial "file:$tmp/kernel" \
	-kernel "$made/vmlinuz" -initrd "$tmp/initrd" -drive "file=$made/root.img,format=raw,if=virtio,snapshot=on" \
	-device virtio-serial -add-fd fd=3,set=1 -chardev file,id=tap,path=/dev/fdset/1,append=on -device virtserialport,chardev=tap </dev/null 3>&1 ||
	echo "run.sh: the guest: $?" >&2
code=$(cat "$out/code" 2>/dev/null) || code=
[ "$code" ] || { echo "run.sh: the guest did not end by itself within $seconds s" >&2; tail -n 20 "$tmp/kernel" >&2; exit 111; }
exit "$code"
