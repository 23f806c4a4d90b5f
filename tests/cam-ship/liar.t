#!/bin/sh
# defends: lose.false-ack
# cam-ship against a server that lies, stalls and breaks: nothing may be acknowledged that it cannot give back.
# shellcheck disable=SC2016,SC2317 # sh -c with arguments; functions that ok and waits call
. "$(dirname "$0")/../tap.sh"
# shellcheck source=servers.sh
. "$top/tests/cam-ship/servers.sh"

make_ca
port=$(free_port)
echo honest >mode
: >requests
/usr/bin/python3 "$top/tests/cam-ship/liar.py" "$port" cert.pem key.pem mode requests 2>liar.log &
stop_at_end $!
waits 60 answers "$port" || { cat liar.log; exit 1; }
url=https://localhost:$port/c/
mkdir spool

# once: cam-ship -1; what it named lies in named, what it told in told.
once() {
	timeout 300 cam-ship -d spool -C ca.pem -1 "$url" >named 2>told
}

# lie MODE URL [OPTION...]: begins cam-ship -1 against a mode, beside the others: each waits most of the time.
lie() {
	mkdir -p "lies/$1"
	segment 1 100000 "lies/$1"
	(
		lie_mode=$1 lie_url=$2
		shift 2
		timeout 300 cam-ship -d "lies/$lie_mode" -C ca.pem -1 "$@" "$lie_url" >"$lie_mode.named" 2>"$lie_mode.told"
		echo $? >"$lie_mode.rc"
	) &
}

# lied MODE TOLD: it failed, named nothing and told why.
lied() {
	waits 300 test -s "$1.rc"
	is "$1: exit 111" "$(cat "$1.rc")" 111
	is "$1: nothing is named" "$(cat "$1.named")" ""
	ok "$1: told" grep -qE "$2" "$1.told"
}

segment 1 100000; segment 2 200000
exits 0 "honest" once
ok "honest: named" acked named 1 2
ok "honest: stored" stored "$url" 1 2

for lie_mode in portal truncate mangle longer move-nothing move-half taken redirect reset; do lie $lie_mode "https://localhost:$port/m-$lie_mode/"; done
lie stall "https://localhost:$port/m-stall/" -T 2
lied portal "reading back gives other bytes"
lied truncate "reading back gives other bytes"
lied mangle "reading back gives other bytes"
lied longer "reading back gives other bytes"
lied move-nothing "MOVE: accepted, but nothing is there"
lied move-half "MOVE: accepted, but the length is another"
lied taken "$(name 1): conflict: https://localhost:.* has other bytes: set aside for 30 s"
lied redirect "answers 302: redirects are refused"
lied stall "unavailable: .*(too slow|timed ?out|[Tt]imeout)"
lied reset "unavailable: .*$(name 1): "
ok "redirect: not followed" sh -c '! grep elsewhere requests'

# What move-half left is the first bytes of the segment and can be mended.
rm -f spool/*; segment 1 100000
echo move-half >mode; once
echo honest >mode
exits 0 "a torn copy" once
ok "is replaced" stored "$url" 1

rm -f spool/*; segment 1 100000
echo move-answer-lost >mode
: >requests
exits 0 "the answer to MOVE is lost" once
ok "it looks and finds the segment stored" acked named 1
is "without sending it again" "$(grep -c ^PUT requests)" 1

echo no-move >mode
segment 2 100000
exits 0 "a server without MOVE" once
ok "gets it by PUT" acked named 1 2
ok "byte for byte" stored "$url" 1 2
ok "to its key" grep -q "^PUT /c/$(key 2)$" requests
segment 3 1000
curl -s -f -m 60 --cacert ca.pem -T ca.pem "$url$(key 3)"
segment 4 1000
segment 5 9000
head -c 1000 "spool/$(name 5)" | curl -s -f -m 60 --cacert ca.pem -T - -H 'Transfer-Encoding:' -H 'Content-Length: 1000' "$url$(key 5)"
exits 111 "without MOVE: other bytes under a key" once
ok "conflict: told" grep -q "$(name 3): conflict" told
ok "conflict: the rest is stored" stored "$url" 1 2 4 5
ok "conflict: left alone" sh -c 'curl -s --cacert ca.pem "$1" | cmp - ca.pem' sh "$url$(key 3)"

rm spool/*; segment 1 1000
echo busy >mode
before=$(date +%s)
exits 0 "503 with Retry-After" once
ok "is tried again" acked named 1
ok "but not sooner than asked" [ $(($(date +%s) - before)) -ge 4 ]
ok "the outage has a beginning and an end" [ "$(grep -c 'unavailable: HEAD: answers 503$' told) $(grep -c ' 2 retries$' told)" = "1 1" ]

# One segment that makes the connection break each time must not keep the others from being stored.
rm spool/*; segment 1 5000; segment 2 5000; segment 3 5000
echo "poison -$(printf %010d 1)-" >mode
exits 111 "a poison segment" once
ok "does not block the others" acked named 2 3
ok "and is set aside" grep -q "$(name 1): .*: set aside for 30 s" told

# A captive portal for a while, then the server: a service gets everything stored.
echo portal >mode
rm spool/*; segment 1 5000; segment 2 5000
fresh names log
cam-ship -d spool -C ca.pem "$url" </dev/null >names 2>log &
ship=$!
stop_at_end $ship
waits 60 grep -q unavailable log
segment 3 5000
# A doorbell must not defeat the backoff: a handful of attempts, not one for each.
: >requests
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do segment $((i + 10)) 10; sleep 0.1; done
ok "arrivals do not defeat the backoff" [ "$(grep -c ^PUT requests)" -le 12 ]
is "a portal gets no acknowledgement" "$(cat names)" ""
kill $ship; wait $ship
echo honest >mode
exits 0 "after the portal" once
ok "everything is stored" stored "$url" 1 2 3 11 30

# The same server as an S3 store.
export AWS_ENDPOINT_URL="https://localhost:$port" AWS_ACCESS_KEY_ID=id AWS_SECRET_ACCESS_KEY=secret AWS_SESSION_TOKEN=token
url=s3://bucket/door/ here=https://localhost:$port/bucket/door/
rm spool/*; segment 1 5000; segment 2 0
echo s3 >mode
exits 0 "S3" once
ok "S3: named" acked named 1 2
ok "S3: stored" stored "$here" 1 2
ok "S3: the session token is sent" grep -q "^TOKEN token$" requests
: >requests
exits 0 "S3: again" once
ok "S3: 412 and the right length: stored" acked named 1 2
segment 3 1000
echo s3-write-only >mode
exits 0 "S3: credentials that only write" once
ok "S3: 200 and 412 must do" acked named 1 2 3
for lie_mode in portal redirect s3-no-etag s3-forgets s3-half s3-412 s3-412-other s3-skewed s3-denied s3-too-large; do
	rm -rf "lies/$lie_mode" "$lie_mode.rc"
	lie $lie_mode s3://m-$lie_mode/door/
done
lied portal "not as an S3 server does"
lied redirect "answers 302: redirects are refused"
lied s3-no-etag "not as an S3 server does"
lied s3-forgets "HEAD finds nothing"
lied s3-half "50000 of 100000 bytes are there"
lied s3-412 "412 no <Code>"
lied s3-412-other "$(name 1): conflict: .* has 5 bytes instead of 100000: set aside"
lied s3-skewed "unavailable: 403 RequestTimeTooSkewed: this clock is [0-9]+ s off"
lied s3-denied "unavailable: .*403 AccessDenied"
lied s3-too-large "$(name 1): 400 EntityTooLarge.*: set aside"

# Credentials do not stay in the environment that others can read.
echo s3 >mode
fresh names log
cam-ship -d spool -C ca.pem "$url" </dev/null >names 2>log &
ship=$!
stop_at_end $ship
waits 60 lines names 1
ok "no credential stays in the environment" sh -c '! tr "\0" "\n" </proc/'$ship'/environ | grep -E "=(id|secret|token)$"'
kill $ship
wait $ship
tap_done
