#!/bin/sh
# cam-ship against Ceph's S3 gateway, over TLS.
# shellcheck disable=SC2016,SC2317 # sh -c with arguments; functions that ok and waits call
. "$(dirname "$0")/../tap.sh"
# shellcheck source=servers.sh
. "$top/tests/cam-ship/servers.sh"
for program in ceph-mon ceph-osd radosgw ceph; do
	command -v $program >/dev/null || skip_all "$program is not installed"
done

make_ca
ceph=$top/tests/cam-ship/ceph.sh
trap '"$ceph" stop "$T/ceph"; tap_cleanup' EXIT
port=$("$ceph" start "$T/ceph" "$T/cert.pem" "$T/key.pem") || exit 1
secret=$(cat ceph/secret)
export AWS_ENDPOINT_URL="https://localhost:$port" AWS_ACCESS_KEY_ID=CAMKEY0000000000001 AWS_SECRET_ACCESS_KEY="$secret"
mkdir spool

# once [OPTION...] URL
once() { timeout 300 cam-ship -d spool -C ca.pem -1 "$@" >named 2>told; }
# s3 KEY [FILE]: get an object, or put FILE there. curl 7.88 does not send the hash of the body itself.
s3() {
	s3_hash=$(sha256sum "${2:-/dev/null}" | cut -c 1-64)
	curl -s -f -m 60 --cacert ca.pem -H "x-amz-content-sha256: $s3_hash" --aws-sigv4 aws:amz:us-east-1:s3 \
		-u "CAMKEY0000000000001:$secret" ${2:+-T "$2"} "https://localhost:$port/$1"
}
in_bucket() {
	for in_n; do s3 "cams/door/$(key "$in_n")" | cmp - "spool/$(name "$in_n")" || return 1; done
}

# The bucket is missing at first. Others see 404; the service waits until somebody makes it.
segment 1 100000; segment 2 0; segment 3 5000000
exits 111 "no such bucket" once s3://cams/door/
ok "is told" grep -q 's3://cams/door/: unavailable: 404 NoSuchBucket' told
is "nothing is named" "$(cat named)" ""
fresh names log
cam-ship -d spool -C ca.pem s3://cams/door/ </dev/null >names 2>log &
ship=$!
stop_at_end $ship
waits 60 grep -q NoSuchBucket log
"$ceph" bucket "$T/ceph" cams
ok "the bucket is made: everything is stored" waits 180 lines names 3
ok "in order" acked names 1 2 3
ok "byte for byte" in_bucket 1 2 3
ok "the end of the outage is told" grep -qE 's3://cams/door/: reachable again after [0-9.]+ s, [0-9]+ retr' log

AWS_SECRET_ACCESS_KEY=wrong exits 111 "a wrong secret" once s3://cams/door/
ok "is told" grep -q 'unavailable: 403 SignatureDoesNotMatch' told
is "nothing is named" "$(cat named)" ""
AWS_ACCESS_KEY_ID=nobody exits 111 "an unknown key" once s3://cams/door/
ok "is told" grep -q 'unavailable: 403 InvalidAccessKeyId' told
"$ceph" admin "$T/ceph" user suspend --uid cam >/dev/null 2>&1
exits 111 "a suspended user" once s3://cams/door/
ok "is told" grep -q 'unavailable: 403 UserSuspended' told
"$ceph" admin "$T/ceph" user enable --uid cam >/dev/null 2>&1

# From here on the administration of this Ceph would wait for the gateway that was killed.
"$ceph" gateway-stop "$T/ceph"
segment 4 1000; segment 5 9000000
two_unavailable() { [ "$(grep -c unavailable log)" -ge 2 ]; }
waits 60 two_unavailable
"$ceph" gateway-start "$T/ceph"
ok "the gateway goes and comes: everything is stored" waits 180 lines names 5
ok "byte for byte" in_bucket 4 5
kill $ship
wait $ship; is "SIGTERM: exit 0" $? 0

exits 0 "sent again: 412 means stored" once s3://cams/door/
ok "all are named" acked named 1 2 3 4 5

# The bucket in the host's name.
rm spool/*; segment 10 1000
exits 0 "-V" once -V s3://cams/door/
ok "-V: named" acked named 10
ok "-V: stored in the same bucket" in_bucket 10

# Credentials in files, which are read again: put there by something else, while it runs.
mkdir keys
echo "$AWS_ACCESS_KEY_ID" >keys/id
echo wrong >keys/secret
chmod 600 keys/*
segment 11 1000
fresh names log
env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY AWS_ACCESS_KEY_ID_FILE=keys/id AWS_SECRET_ACCESS_KEY_FILE="$T/keys/secret" \
	cam-ship -d spool -C ca.pem s3://cams/door/ </dev/null >names 2>log &
ship=$!
stop_at_end $ship
ok "files: a wrong secret is told" waits 60 grep -q 'unavailable: 403 SignatureDoesNotMatch' log
is "files: nothing is named" "$(cat names)" ""
ok "files: no secret in the environment" sh -c '! tr "\0" "\n" </proc/'$ship'/environ | grep -qF "$1"' sh "$secret"
(umask 077; echo "$secret" >keys/new)
mv keys/new keys/secret
ok "files: with the right one everything is stored" waits 180 lines names 2
ok "files: byte for byte" in_bucket 10 11
kill $ship
wait $ship
chmod 644 keys/secret
exits 111 "files: one that others can read" env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY AWS_ACCESS_KEY_ID_FILE=keys/id \
	AWS_SECRET_ACCESS_KEY_FILE=keys/secret cam-ship -d spool -C ca.pem -1 s3://cams/door/
says "files: told" "AWS_SECRET_ACCESS_KEY_FILE: keys/secret: others can read it"
exits 100 "files: both" env AWS_SECRET_ACCESS_KEY_FILE=keys/secret cam-ship -d spool -C ca.pem -1 s3://cams/door/

# Other bytes of another length under a key.
segment 6 1000
s3 "cams/door/$(key 6)" ca.pem
exits 111 "other bytes under a key" once s3://cams/door/
ok "are a conflict" grep -q "$(name 6): conflict" told
s3 "cams/door/$(key 6)" >got
ok "and are left alone" cmp got ca.pem
tap_done
