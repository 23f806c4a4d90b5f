#!/bin/sh
# cam-ship against Apache's mod_dav: 409 for a missing collection, 412 for an existing key.
# shellcheck disable=SC2016,SC2317 # sh -c with arguments; functions that ok and waits call
. "$(dirname "$0")/../tap.sh"
# shellcheck source=servers.sh
. "$top/tests/cam-ship/servers.sh"
[ -x /usr/sbin/apache2 ] || skip_all "apache2 is not installed"

make_ca
port=$(free_port)
mkdir www spool
[ "$(id -u)" != 0 ] || { chmod 755 .; chown www-data www; }
cat >apache.conf <<C
ServerName localhost
ServerRoot $T
PidFile $T/apache.pid
ErrorLog $T/apache-error.log
Listen 127.0.0.1:$port
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so
LoadModule dav_module /usr/lib/apache2/modules/mod_dav.so
LoadModule dav_fs_module /usr/lib/apache2/modules/mod_dav_fs.so
User www-data
Group www-data
StartServers 1
SSLEngine on
SSLCertificateFile $T/cert.pem
SSLCertificateKeyFile $T/key.pem
DocumentRoot $T/www
DAVLockDB $T/www/.lock
LogFormat "%m %>s" short
CustomLog $T/apache-access.log short
<Directory $T/www>
	Require all granted
	Dav On
</Directory>
C
/usr/sbin/apache2 -f "$T/apache.conf" -DFOREGROUND 2>apache.log &
apache=$!
apache_stop() { kill -TERM "$apache"; wait "$apache"; }
trap 'apache_stop 2>/dev/null; tap_cleanup' EXIT
waits 60 answers "$port" || { cat apache.log apache-error.log; exit 1; }
url=https://localhost:$port/cams/door/

segment 1 100000; segment 2 0; segment 3 5000000
exits 0 "-1 stores everything, and makes the collections" cam-ship -d spool -C ca.pem -1 "$url"
cp tap.out named; cp tap.err told
ok "and names it" acked named 1 2 3
ok "byte for byte" stored "$url" 1 2 3
is "with MOVE" "$(grep -c '^MOVE 201' apache-access.log)" 3
exits 0 "again: stored already" cam-ship -d spool -C ca.pem -1 "$url"
cp tap.out named; cp tap.err told
is "nothing is sent again" "$(grep -c '^PUT 201' apache-access.log)" 3
segment 4 1000; segment 5 1000
rm "spool/$(name 1)"
segment 1 7000
cp "spool/$(name 5)" "www/cams/door/$(key 4)"
exits 111 "other bytes under a key" cam-ship -d spool -C ca.pem -1 "$url"
cp tap.out named; cp tap.err told
ok "are a conflict" grep -qE "$(name 4): conflict" told
ok "the rest is stored" stored "$url" 1 2 3 5
is "no temporary object is left" "$(find www -name '*.tmp' | wc -l)" 0
tap_done
