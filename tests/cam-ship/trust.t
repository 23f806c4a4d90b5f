#!/bin/sh
# defends: see.path forge.clock
# Whom cam-ship believes, on nginx: pins, client certificates, and certificates judged on a machine whose clock is in
# 1970, an hour off, or right. Whether the kernel calls the clock synchronised is told by strace in its place.
# shellcheck disable=SC2016,SC2317,SC2154,SC2129 # sh -c with arguments; functions that ok and waits call; eval
. "$(dirname "$0")/../tap.sh"
# shellcheck source=servers.sh
. "$top/tests/cam-ship/servers.sh"
for program in nginx strace faketime; do command -v $program >/dev/null || skip_all "$program is not installed"; done

# certificate NAME [CLOCK]: one for localhost from the same CA and for the same key, made at another time.
certificate() {
	FAKETIME=${2:-+0s} sh "$faked" openssl x509 -req -in cert.req -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
		-extfile cert.ext -out "$1.pem" 2>>openssl.log
}

faked=$top/tests/cam-ship/faked.sh
make_ca
certificate expired -10d
certificate early +10d
openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout me.key -out me.req -subj /CN=door 2>>openssl.log
openssl x509 -req -in me.req -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out me.pem 2>>openssl.log
openssl x509 -req -in me.req -signkey me.key -days 2 -out stranger.pem 2>>openssl.log

nginx_configure
sed -i '$d' nginx.conf
good=$port
for server in expired early client; do
	port=$(free_port)
	eval "$server=$port"
	cert=$server extra=
	[ $server != client ] || { cert=cert extra="ssl_verify_client on; ssl_client_certificate $T/ca.pem;"; }
	cat >>nginx.conf <<-C
		server {
			listen 127.0.0.1:$port ssl;
			ssl_certificate $T/$cert.pem;
			ssl_certificate_key $T/key.pem;
			$extra
			root $T/www;
			location / { dav_methods PUT DELETE MKCOL COPY MOVE; }
		}
	C
done
echo '}' >>nginx.conf
port=$good
nginx_start || { cat nginx.log; exit 1; }
mkdir spool
segment 1 1000
export ASAN_OPTIONS=detect_leaks=0:verify_asan_link_order=0 # a leak cannot be looked for under strace

# begin CASE PORT COMMAND...: cam-ship -1 in the background, to a place of its own; each waits most of the time.
begin() {
	begin_case=$1 begin_url=https://localhost:$2/$1/
	shift 2
	(
		timeout 300 "$@" "$begin_url" >"$begin_case.named" 2>"$begin_case.told"
		echo $? >"$begin_case.rc"
	) &
}
ship="cam-ship -d spool -C ca.pem -1"

# at CASE PORT CLOCK STATE: with another clock (as faketime has it) that the kernel calls STATE. nice(1) is in front so
# that it is not cam-ship which owns libfaketime's semaphore and unlinks it at its end, for which its filter kills it: so it
# has to be unlinked here.
at() {
	case $4 in
	synchronised) at_call=retval=0 ;; # which leaves all flags clear
	unknown) at_call=error=EPERM ;;
	esac
	begin "$1" "$2" strace -f -qqq -o "$1.strace" -E FAKETIME="$3" -E FAKETIME_DONT_FAKE_MONOTONIC=1 -E NO_FAKE_STAT=1 \
		-e trace=adjtimex,clock_adjtime -e inject=adjtimex,clock_adjtime:$at_call sh "$faked" nice -n 0 $ship
}
unlink_fakes() {
	cut -d ' ' -f 1 ./*.strace | sort -u | while read -r fake_pid; do
		rm -f "/dev/shm/faketime_shm_$fake_pid" "/dev/shm/sem.faketime_sem_$fake_pid"
	done
}

# believed CASE, refused CASE REGEX: what became of it.
believed() {
	waits 300 test -s "$1.rc"
	is "$1: exit 0" "$(cat "$1.rc")" 0
	ok "$1: named" acked "$1.named" 1
	ok "$1: stored" cmp "spool/$(name 1)" "www/$1/$(key 1)"
}
refused() {
	waits 300 test -s "$1.rc"
	is "$1: exit 111" "$(cat "$1.rc")" 111
	is "$1: nothing is named" "$(cat "$1.named")" ""
	ok "$1: told" grep -qE "unavailable: .*$2" "$1.told"
	ok "$1: nothing is stored" [ ! -e "www/$1" ]
}
# nor did the server see a request
unasked() { refused "$@"; ok "$1: not a request" sh -c '! grep -q "/$1/" nginx-access.log' sh "$1"; }

pin() { openssl x509 -in "$1" -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64; }
own=sha256//$(pin cert.pem) other=sha256//$(pin other-ca.pem)
begin pin "$good" $ship -p "$own"
begin pins "$good" $ship -p "$other;$own"
begin wrong-pin "$good" $ship -p "$other"
begin pin-of-the-ca "$good" $ship -p "$other;sha256//$(pin ca.pem)"
begin client "$client" $ship -E me.pem -K me.key
begin no-client "$client" $ship
begin stranger "$client" $ship -E stranger.pem -K me.key
at expired "$expired" +0s synchronised
at expired-for-all "$expired" +0s unknown
at early "$early" +0s synchronised
at early-or-not "$early" +0s unknown
at 1970-believed "$good" "@1970-01-01 00:01:00" synchronised
at 1970 "$good" "@1970-01-01 00:01:00" unknown
at hour-ahead "$good" +1h unknown
at hour-behind "$good" -1h unknown
at years-ahead "$good" +9y unknown

believed pin
believed pins
unasked wrong-pin "pinned public key|public key does not match"
unasked pin-of-the-ca "pinned public key|public key does not match"
believed client
# nginx answers 400 behind the handshake: that must not look like the segment's fault
refused no-client '\(-E\)'
refused stranger '\(-E\)'
# An expired certificate is none, whether the clock is right or only known to be later than the program.
unasked expired expired
unasked expired-for-all expired
# One that is not valid yet is a forgery by a clock that is right, by any other a fact about the clock.
unasked early "not yet valid"
believed early-or-not
unasked 1970-believed "not yet valid"
believed 1970
believed hour-ahead
believed hour-behind
unasked years-ahead "expired"
unlink_fakes

chmod 644 me.key
exits 100 "a key that others can read" $ship -E me.pem -K me.key https://localhost:1/
says "is told" "others can read this key"
exits 100 "a certificate without its key" $ship -E me.pem -K key.pem https://localhost:1/
tap_done
