#!/bin/sh
# deps.sh [-a ARCHITECTURE] PACKAGE...: installs the Debian packages that are missing, and nothing when none is.
# Services that come with them (nginx, ceph) are kept from starting: the tests start their own.
set -eu

arch=
if [ "$1" = -a ]; then
	arch=$2
	shift 2
fi
# Once there is a second architecture, a bare name may be installed for that one only.
native=$(dpkg --print-architecture 2>/dev/null) || native=
missing=
for p; do
	case $p in *:*) archs='.*' ;; *) archs="$native|all" ;; esac
	dpkg-query -W -f '${db:Status-Status} ${Architecture}\n' "$p" 2>/dev/null | grep -qE "^installed ($archs)$" || missing="$missing $p"
done
[ "$missing" ] || exit 0
command -v apt-get >/dev/null || { echo "deps: not a Debian system: install:$missing" >&2; exit 1; }
as_root=
[ "$(id -u)" = 0 ] || as_root=sudo
echo "deps: installing:$missing" >&2

[ -z "$arch" ] || $as_root dpkg --add-architecture "$arch"
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
	trap '$as_root rm -f $policy' EXIT
	trap 'exit 1' INT TERM HUP
	printf '#!/bin/sh\nexit 101\n' | $as_root tee $policy >/dev/null
	$as_root chmod 755 $policy
fi
$as_root apt-get -qq update
# shellcheck disable=SC2086
$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $missing >/dev/null
