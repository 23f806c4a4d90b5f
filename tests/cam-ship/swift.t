#!/bin/sh
# cam-ship against OpenStack Swift's S3 interface, which lacks what others have: conditions (501) and Object Lock,
# to which it says 200. In long runs only: it takes half a minute to start.
# shellcheck disable=SC2016,SC2317 # sh -c with arguments; functions that ok and waits call
. "$(dirname "$0")/../tap.sh"
# shellcheck source=servers.sh
. "$top/tests/cam-ship/servers.sh"
[ "${CAM_LONG:-1}" -gt 1 ] || skip_all "only in make check-long"
command -v swift-proxy-server >/dev/null || skip_all "swift is not installed"

make_ca
swift=$top/tests/cam-ship/swift.sh
trap '"$swift" stop "$T/swift"; tap_cleanup' EXIT
port=$("$swift" start "$T/swift" "$T/cert.pem" "$T/key.pem") || exit 1
export AWS_ENDPOINT_URL="https://localhost:$port" AWS_ACCESS_KEY_ID=cam:door AWS_SECRET_ACCESS_KEY=camsecret
echo "machine localhost login cam:door password camsecret" >netrc # -u would end the name at its colon
s3() {
	curl -s -f --cacert ca.pem --netrc-file netrc --aws-sigv4 aws:amz:us-east-1:s3 -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' "$@"
}
once() { timeout 300 cam-ship -d spool -C ca.pem -1 "$@" >named 2>told; }
in_bucket() {
	for in_n; do s3 "https://localhost:$port/cams/door/$(key "$in_n")" | cmp - "spool/$(name "$in_n")" || return 1; done
}
changed() { s3 -I "https://localhost:$port/cams/door/$(key "$1")" | grep -i '^last-modified'; }

mkdir spool
segment 1 100000; segment 2 0; segment 3 5000000
exits 111 "no such bucket" once s3://cams/door/
ok "is told" grep -q 'unavailable: 404 NoSuchBucket' told
ok "a bucket" s3 -X PUT "https://localhost:$port/cams"
exits 0 "without conditions" once s3://cams/door/
is "is told once" "$(cat told)" "cam-ship: s3://cams/door/: If-None-Match is not supported: looks before each PUT instead"
ok "named" acked named 1 2 3
ok "byte for byte" in_bucket 1 2 3
before=$(changed 1)
sleep 1.1
exits 0 "again" once s3://cams/door/
ok "named again" acked named 1 2 3
is "not written again, but for the one that finds out" "$(changed 1)" "$before"

segment 4 1000; segment 5 1000
for n in 4 5; do
	head -c $((n * 250)) /dev/zero >other
	s3 -T other "https://localhost:$port/cams/door/$(key $n)"
done
exits 111 "other bytes under a key" once s3://cams/door/
ok "of the same length: conflict" grep -q "$(name 4): conflict: .* has other bytes" told
ok "of another length: conflict" grep -q "$(name 5): conflict: .* has 1250 bytes instead of 1000" told
ok "the others are named" acked named 1 2 3

rm spool/*; segment 6 1000
exits 111 "-L: it says 200 and does not lock" once -L governance:1 s3://cams/door/
is "-L: nothing is named" "$(cat named)" ""
ok "-L: told" grep -q 'unavailable: -L: stored, but not locked' told
AWS_SECRET_ACCESS_KEY=wrong exits 111 "a wrong secret" once s3://cams/door/
ok "a wrong secret: told" grep -q 'unavailable: 403 SignatureDoesNotMatch' told
tap_done
