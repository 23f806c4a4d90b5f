#!/bin/sh
# make install puts everything below DESTDIR and nothing elsewhere; what the administrator changed stays; uninstall
# takes away what install brought.
. "$(dirname "$0")/../tap.sh"
export T

make_in() { make -s -C "$top" O="$O" DESTDIR="$T/root" "$@"; }
files() { (cd root && find . ! -type d | sort); }

ok "install" make_in install
files >first
is "nothing of it is for root's own use only" "$(cd root && find . ! -type l ! -perm -o+r)" ""
for f in usr/local/bin/cam-seal usr/local/bin/cam-status usr/local/sbin/cam-services usr/local/lib/cam/cells usr/local/lib/cam/run/seal \
	usr/local/lib/cam/cam-svscan.service usr/local/share/man/man8/cam-services.8 etc/cam/sysctl.conf etc/cam/nftables.conf; do
	ok "$f" [ -s "root/$f" ]
done
ok "cam-services finds what it needs from where it is installed" sh -c 'readlink -f root/usr/local/sbin/cam-services | grep -qx "$T/root/usr/local/lib/cam/cam-services"'
is "the unit starts what was installed" "$(sed -n 's/^ExecStartPost=-//p' root/usr/local/lib/cam/cam-svscan.service)" "/usr/local/sbin/cam-services up"
echo mine >root/etc/cam/nftables.conf
ok "again" make_in install
is "the same files" "$(files)" "$(cat first)"
is "what the administrator changed is as it was" "$(cat root/etc/cam/nftables.conf)" mine
ok "uninstall" make_in uninstall
is "only what the administrator may have changed is left" "$(files | tr '\n' ' ')" "./etc/cam/nftables.conf ./etc/cam/sysctl.conf "

ok "another prefix" make_in PREFIX=/opt/cam install
is "and nothing outside of it" "$(cd root && find . ! -type d ! -path './opt/cam/*' ! -path './etc/cam/*')" ""
is "the unit knows it" "$(sed -n 's/^ExecStartPost=-//p' root/opt/cam/lib/cam/cam-svscan.service)" "/opt/cam/sbin/cam-services up"
tap_done
