#!/bin/sh
# How many connections cam-ship makes: with HTTP/1.1 one for each transfer at a time, which it keeps; with HTTP/2 one
# for all. On nginx and Apache, which log the connection of each request; also when they end connections early.
# shellcheck disable=SC2016,SC2317 # sh -c with arguments; functions that ok and waits call
. "$(dirname "$0")/../tap.sh"
# shellcheck source=servers.sh
. "$top/tests/cam-ship/servers.sh"
command -v nginx >/dev/null || skip_all "nginx is not installed"

make_ca
mkdir spool www
chmod 755 .
numbers=$(seq 40)
for n in $numbers; do segment "$n" 20000; done

nginx_configure
# protocol, connection, method, path
sed -i "s|access_log .*|log_format use '\$server_protocol \$connection \$request_method \$uri'; access_log $T/use.log use;|" nginx.conf
cp nginx.conf plain.conf

# shipped CASE JOBS: 40 segments are sent, each time to a place of their own, by which use.log tells over what: a request is
# logged when it has been answered. Their collection is there: the refusal of a PUT before its body has come would end a
# connection of HTTP/1.1.
turn=0
shipped() {
	turn=$((turn + 1))
	mkdir -p www/cams$turn/2026-11-23
	[ "$(id -u)" != 0 ] || chown -R www-data www
	exits 0 "$1, -j $2" timeout 300 cam-ship -d spool -C ca.pem -1 -j "$2" "https://localhost:$port/cams$turn/"
	cp tap.out named
	ok "$1, -j $2: each is named once" acked named $numbers
	ok "$1, -j $2: every byte is there" same_bytes
	waits 60 last_is_logged
	grep " /cams$turn/" use.log >ours.log
	requests=$(grep -c . ours.log)
	connections=$(cut -d ' ' -f 2 ours.log | sort -u | wc -l)
}
same_bytes() { for n in $numbers; do cmp "spool/$(name "$n")" "www/cams$turn/$(key "$n")" || return 1; done; }
# Four requests and a MOVE for each, all told of
last_is_logged() { [ "$(grep -c " /cams$turn/" use.log)" -ge 200 ]; }
speaks() { is "$1: it is $2" "$(cut -d ' ' -f 1 ours.log | sort -u)" "$2"; }

nginx_start || { cat nginx.log; exit 1; }
for jobs in 1 4; do
	shipped "HTTP/1.1" $jobs
	speaks "HTTP/1.1" HTTP/1.1
	ok "HTTP/1.1, -j $jobs: $connections connections for $requests requests" [ "$connections" -le $jobs ]
done
nginx_stop

sed "s|:$port ssl;|:$port ssl http2;|" plain.conf >nginx.conf
nginx_start || { cat nginx.log; exit 1; }
for jobs in 1 4 16; do
	shipped "HTTP/2" $jobs
	speaks "HTTP/2" HTTP/2.0
	is "HTTP/2, -j $jobs: one connection for $requests requests" "$connections" 1
done
nginx_stop

# A server that ends connections when it likes costs connections, nothing else.
for protocol in "" " http2"; do
	sed -e "s|:$port ssl;|:$port ssl$protocol;|" -e "s|server {|keepalive_requests 7; &|" plain.conf >nginx.conf
	nginx_start || { cat nginx.log; exit 1; }
	shipped "ends after 7 requests:${protocol:- http1}" 4
	is "ends after 7 requests:${protocol:- http1}: nothing was told" "$(cat tap.err)" ""
	ok "ends after 7 requests:${protocol:- http1}: $connections connections for $requests requests" [ "$connections" -ge $((requests / 8)) ]
	nginx_stop
done

# Without TLS, to this machine.
sed "s|:$port ssl;|:$port;|" plain.conf >nginx.conf
nginx -c "$T/nginx.conf" -p "$T" 2>nginx.log &
nginx_pid=$!
stop_at_end $nginx_pid
waits 60 curl -s -m 30 -o home.html "http://127.0.0.1:$port/"
turn=$((turn + 1))
exits 0 "-H" timeout 300 cam-ship -d spool -1 -H "http://127.0.0.1:$port/cams$turn/"
cp tap.out named
ok "-H: each is named once" acked named $numbers
ok "-H: every byte is there" same_bytes
nginx_stop

# An answer that comes before the body has is heard: one that is too large is told as such, and does not keep the
# others; a missing collection is made.
sed -e "s|:$port ssl;|:$port ssl http2;|" -e "s|client_max_body_size 0|client_max_body_size 300k|" plain.conf >nginx.conf
nginx_start || { cat nginx.log; exit 1; }
rm -rf www/cams
mkdir big
for n in 1 2 3; do segment "$n" 1000 big; done
segment 4 20000000 big
exits 111 "too large for the server" timeout 300 cam-ship -d big -C ca.pem -1 "https://localhost:$port/cams/"
cp tap.out named
says "too large: told" "$(name 4): PUT: answers 413: larger than the server allows: set aside"
ok "too large: the others are named" acked named 1 2 3
nginx_stop
if command -v rclone >/dev/null; then
	mkdir home new
	HOME=$T/home rclone serve webdav new --addr "127.0.0.1:$port" --config "$T/rclone.conf" --dir-cache-time 1s \
		--cert cert.pem --key key.pem 2>rclone.log &
	rclone=$!
	stop_at_end $rclone
	waits 60 answers "$port"
	rm "big/$(name 1)" "big/$(name 2)" "big/$(name 3)"
	exits 0 "a large segment as the first of its collection" timeout 300 cam-ship -d big -C ca.pem -1 "https://localhost:$port/cams/"
	cp tap.out named
	ok "first of its collection: named" acked named 4
	ok "first of its collection: stored" cmp "big/$(name 4)" new/cams/2026-11-23/*
	kill $rclone
	wait $rclone
fi

if [ -e /usr/lib/apache2/modules/mod_http2.so ]; then
	for protocols in "http/1.1" "h2 http/1.1"; do
		cat >apache.conf <<-C
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
			LoadModule http2_module /usr/lib/apache2/modules/mod_http2.so
			LogLevel info
			User www-data
			Group www-data
			Protocols $protocols
			MaxKeepAliveRequests 0
			KeepAliveTimeout 300
			SSLEngine on
			SSLCertificateFile $T/cert.pem
			SSLCertificateKeyFile $T/key.pem
			DocumentRoot $T/www
			DAVLockDB $T/www/.lock
			LogFormat "%H %{remote}p %m %U" use
			CustomLog $T/use.log use
			<Directory $T/www>
				Require all granted
				Dav On
			</Directory>
		C
		/usr/sbin/apache2 -f "$T/apache.conf" -DFOREGROUND 2>apache.log &
		apache=$!
		trap 'kill -TERM $apache 2>/dev/null; wait $apache; tap_cleanup' EXIT
		waits 60 answers "$port" || { cat apache.log apache-error.log; exit 1; }
		shipped "Apache, $protocols" 4
		if [ "$protocols" = http/1.1 ]; then
			speaks "Apache, $protocols" HTTP/1.1
			ok "Apache, $protocols: $connections connections for $requests requests" [ "$connections" -le 4 ]
		else
			speaks "Apache, $protocols" HTTP/2.0
			is "Apache, $protocols: one connection for $requests requests" "$connections" 1
		fi
		kill -TERM $apache
		wait $apache
	done
fi
tap_done
