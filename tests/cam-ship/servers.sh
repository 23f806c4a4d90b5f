# shellcheck shell=sh
# servers.sh: real servers on free loopback ports for the tests of cam-ship, in $T. Sourced after tap.sh.

# A CA, and a certificate for localhost, cams.localhost and 127.0.0.1: ca.pem, cert.pem, key.pem. other-ca.pem signed nothing.
make_ca() {
	{
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=test-ca
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout other.key -out other-ca.pem -days 2 -subj /CN=other-ca
		openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem -out cert.req -subj /CN=localhost
		printf 'subjectAltName=DNS:localhost,DNS:cams.localhost,IP:127.0.0.1\n' >cert.ext
		openssl x509 -req -in cert.req -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile cert.ext -out cert.pem
	} >openssl.log 2>&1 || { cat openssl.log; exit 1; }
}

# shellcheck disable=SC2154 # top is tap.sh's
free_port() { /usr/bin/python3 "$top/tests/cam-ship/ports.py" "/proc/$$"; }

answers() { curl -s -m 30 -o /dev/null --cacert ca.pem "https://127.0.0.1:$1/"; }

# unread PORT: something has come for the server there, which stands still.
unread() {
	awk -v port="$(printf ':%04X$' "$1")" '$2 ~ port && $4 == "01" && $5 !~ /:0+$/ { found = 1 } END { exit !found }' /proc/net/tcp
}

# name N: the name of segment N, oldest first.
name() { printf '0000000001-%010d-20261123T21%02d%02dZ-0123456789abcdef.cam' "$1" $(($1 / 60)) $(($1 % 60)); }

# segment N BYTES [DIR]: puts a segment of random bytes into the spool as cam-spool does, by rename.
segment() {
	seg_file=${3:-spool}/$(name "$1")
	head -c "$2" /dev/urandom >"${seg_file%.cam}.part"
	mv "${seg_file%.cam}.part" "$seg_file"
}

# key N: the key that segment N must have, by tools that are not ours.
key() {
	key_name=$(name "$1")
	key_hash=$(sha256sum "spool/$key_name" | cut -c 1-16)
	echo "2026-11-23/${key_name%.cam}-$key_hash.cam"
}

# stored URL N...: curl gets the bytes of each segment from under its key.
stored() {
	stored_url=$1; shift
	for stored_n; do
		curl -s -f -m 60 --cacert ca.pem "$stored_url$(key "$stored_n")" | cmp - "spool/$(name "$stored_n")" || return 1
	done
}

# acked FILE N...: FILE names exactly these segments, each once, in any order (given in ascending order).
acked() {
	acked_file=$1; shift
	sort "$acked_file" >sorted
	for acked_n; do name "$acked_n"; echo; done | cmp - sorted
}

lines() { [ "$(wc -l <"$1")" -ge "$2" ]; }

nginx_start() {
	nginx -c "$T/nginx.conf" -p "$T" 2>nginx.log &
	nginx_pid=$!
	stop_at_end "$nginx_pid"
	waits 60 answers "$port"
}

nginx_stop() {
	kill -9 "$nginx_pid"
	wait "$nginx_pid" 2>/dev/null
}

# One process in the foreground, document root www. It also answers on 127.0.0.2, which its certificate does not name.
nginx_configure() {
	port=$(free_port)
	mkdir -p www
	cat >nginx.conf <<-C
		daemon off;
		master_process off;
		$([ "$(id -u)" != 0 ] || echo 'user root;')
		pid $T/nginx.pid;
		error_log $T/nginx-error.log;
		events { }
		http {
			access_log $T/nginx-access.log;
			client_body_temp_path $T/body;
			proxy_temp_path $T/tmp1;
			fastcgi_temp_path $T/tmp2;
			uwsgi_temp_path $T/tmp3;
			scgi_temp_path $T/tmp4;
			client_max_body_size 0;
			server {
				listen 127.0.0.1:$port ssl;
				listen 127.0.0.2:$port ssl;
				ssl_certificate $T/cert.pem;
				ssl_certificate_key $T/key.pem;
				root $T/www;
				location / { dav_methods PUT DELETE MKCOL COPY MOVE; }
			}
		}
	C
}
