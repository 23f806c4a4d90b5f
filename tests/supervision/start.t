#!/bin/sh
# cam-services start, as the first process of a device: s6-svscan is at work, and what an earlier one left is forgotten
# before the services come up below it. s6-svscan is the real one; s6-rc only notes what it is asked.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
[ "$(id -u)" = 0 ] || skip_all "needs root"
command -v s6-svscan >/dev/null || skip_all "s6 is not installed"
unshare -m true 2>/dev/null || skip_all "no mount namespaces here"

mkdir bin
for c in s6-rc s6-rc-init s6-rc-compile; do
	printf '#!/bin/sh\necho "${0##*/} $*" >>/run/calls\n' >bin/$c
	chmod 755 bin/$c
done
cat >device <<'X2'
for d in /run /var/lib /etc; do mount -t tmpfs none $d || exit 1; done
mkdir -p /etc/cam/door/env /run/cam/service/old
PATH=$T/bin:$PATH sh "$1/s6-rc/cam-services" start 2>/run/said &
pid=$!
n=0
until grep -q 'change cam' /run/calls 2>/dev/null || [ $n -gt 600 ]; do sleep 0.1; n=$((n + 1)); done
{ tr '\0' ' ' <"/proc/$pid/cmdline"; echo; } >"$T/became"
[ ! -e /run/cam/service/old ]
echo $? >"$T/forgotten"
cat /run/said >"$T/said"
sed 's,db-[^/]*,db,g' /run/calls >"$T/calls"
kill "$pid"
wait "$pid"
X2
export T
timeout -k 5 120 unshare -m sh device "$top" >tap.out 2>tap.err
is "it becomes s6-svscan" "$(sed 's/ *$//' became)" "s6-svscan /run/cam/service"
is "below which an earlier one's services are forgotten" "$(cat forgotten)" 0
is "and services come up" "$(cat calls)" "$(printf '%s\n' \
	's6-rc-compile /var/lib/cam-services/db/compiled /var/lib/cam-services/db/source' \
	's6-rc-init -c /var/lib/cam-services/db/compiled -l /run/cam/s6-rc /run/cam/service' 's6-rc -l /run/cam/s6-rc -u -v1 change cam')"
is "without a word" "$(cat said)" ""
tap_done
