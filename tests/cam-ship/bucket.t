#!/bin/sh
# defends: lose.erase
# What cam-ship(1) says under BUCKETS, run as it stands there on Ceph's S3 gateway: buckets are set up, a camera ships
# into them, and then a thief who has the camera's credentials tries what they let one do.
# shellcheck disable=SC2016,SC2317,SC1090,SC2153 # sh -c with arguments; functions that ok calls; blocks of the page
. "$(dirname "$0")/../tap.sh"
# shellcheck source=servers.sh
. "$top/tests/cam-ship/servers.sh"
for program in ceph-mon ceph-osd radosgw ceph rclone; do
	command -v $program >/dev/null || skip_all "$program is not installed"
done

make_ca
ceph=$top/tests/cam-ship/ceph.sh
trap '"$ceph" stop "$T/ceph"; tap_cleanup' EXIT
port=$("$ceph" start "$T/ceph" "$T/cert.pem" "$T/key.pem") || exit 1
owner=CAMKEY0000000000001:$(cat ceph/secret) door=DOORKEY000000000001:doorsecretdoorsecretdoorsecretdoorsec001
"$ceph" admin "$T/ceph" user create --uid door --display-name door --access-key "${door%:*}" --secret-key "${door#*:}" >door.log 2>&1 || cat door.log
export CURL_CA_BUNDLE="$T/ca.pem"
unset AWS_CA_BUNDLE

# The page's blocks, one file each, with its server and user replaced by these.
sed -n '/^\.Sh BUCKETS/,/^\.Sh ENV/p' "$top/man/cam-ship.1" | sed -e 's/\\e$/\\/' -e 's/\\&//g' \
	-e "s|https://s3.example/cams OWNER=ID:SECRET|https://localhost:$port/cams OWNER=$owner|" -e 's/cam-ship -d/cam-ship -C ca.pem -d/' -e s:user/owner:user/cam: |
	awk '/^\.Ed/ { on = 0 } on { print >("block" n) } /^\.Bd/ { on = 1; n++ }'
run() { sh -e -c '. ./block1; . ./"$1"' sh "block$1"; }
# as KEYS METHOD PATH [CURL'S ARGUMENT...]: the status
as() {
	as_keys=$1 as_method=$2 as_path=$3
	shift 3
	curl -s -m 60 -o answer -w '%{http_code}' --aws-sigv4 aws:amz:us-east-1:s3 --user "$as_keys" \
		-H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' -X "$as_method" "$@" "https://localhost:$port/cams$as_path"
}
ship() {
	timeout 300 env AWS_ENDPOINT_URL="https://localhost:$port" AWS_ACCESS_KEY_ID="${door%:*}" AWS_SECRET_ACCESS_KEY="${door#*:}" \
		cam-ship -d spool -C ca.pem -1 "$@" >named 2>told
}
# versions [PREFIX]: of all objects, or below a prefix; newest first.
versions() {
	as "$owner" GET "/?prefix=$(echo "${1-}" | sed 's|/|%2F|g')&versions=" >status
	grep -o '<VersionId>[^<]*' answer | cut -c 12-
}
first() { versions "$1" | tail -n 1; }

is "the page has as many blocks as are run here" "$(ls block* | wc -l)" 9

# Versioning alone.
ok "3: a bucket with versions" run 3
ok "4: its policy" run 4
is "versioning is on" "$(as "$owner" GET '/?versioning=') $(grep -o '<Status>[A-Za-z]*' answer)" "200 <Status>Enabled"
mkdir spool
segment 1 30000; segment 2 40000
exits 0 "the camera's credentials do" ship s3://cams/door/
ok "both are named" acked named 1 2
exits 0 "again" ship s3://cams/door/
ok "without reading: what the server says to a PUT must do" acked named 1 2

# thief OBJECT: what the camera's credentials do not let one do.
thief() {
	is "thief: reading" "$(as "$door" GET "/$1")" 403
	is "thief: looking" "$(as "$door" HEAD "/$1" -I)" 403
	is "thief: listing" "$(as "$door" GET '/?list-type=2')" 403
	is "thief: deleting" "$(as "$door" DELETE "/$1")" 403
	is "thief: deleting a version" "$(as "$door" DELETE "/$1?versionId=$(versions | tail -n 1)")" 403
	is "thief: elsewhere" "$(as "$door" PUT /window/x -T ca.pem)" 403
	is "thief: the policy" "$(as "$door" PUT '/?policy=' -T policy.json)" 403
	is "thief: the lifecycle" "$(as "$door" PUT '/?lifecycle=' -T policy.json)" 403
	is "thief: versioning off" "$(as "$door" PUT '/?versioning=' -T policy.json)" 403
	is "thief: overwriting" "$(as "$door" PUT "/$1" -T ca.pem)" 200
}
object=door/$(key 1)
before=$(versions | wc -l)
thief "$object"
is "overwriting has made a version more" "$(versions | wc -l)" $((before + 1))
as "$owner" GET "/$object?versionId=$(first "$object")" >status
ok "and the old one is there, byte for byte" cmp answer "spool/$(name 1)"
for v in $(versions); do for k in 1 2; do as "$owner" DELETE "/door/$(key $k)?versionId=$v" >status; done; done
is "the owner can delete: what is left" "$(versions | wc -l)" 0
is "and remove the bucket" "$(as "$owner" DELETE /)" 204

# With Object Lock, and footage of now.
ok "2: a bucket with Object Lock" run 2
ok "4: its policy" run 4
ok "5: its lifecycle" run 5
as "$owner" GET '/?lifecycle=' >status
is "which is in force" "$(tr -d ' \n' <answer | grep -o '<Days>30</Days>\|<NoncurrentDays>30</NoncurrentDays>' | wc -l)" 2
rm spool/*
cam-key -g -n me && cam-key -g -s door
mkfifo video
cam-capture -T -s 160x120 -r 10 >video 2>capture.log &
capture=$!
stop_at_end $capture
cam-seal -t 1 -i door.key -r me.pub <video 2>seal.log | cam-spool spool >spooled 2>spool.log &
spool=$!
waits 60 lines spooled 3
kill $capture
wait $capture
wait $spool
export AWS_ENDPOINT_URL="https://localhost:$port"
sed -e 's/ | cam-reap spool//' -e 's/-d spool/& -1/' block6 >camera
ok "6: the camera" env AWS_ACCESS_KEY_ID="${door%:*}" AWS_SECRET_ACCESS_KEY="${door#*:}" timeout 300 sh -e camera
says "6: it cannot look" "these credentials cannot read: that the server locks objects is not checked"
sort tap.out >named
ok "6: all is named" sh -c 'sort spooled | cmp - named && [ -s named ]'
object=$(for f in spool/*.cam; do f=$(basename "$f" .cam); echo "door/$(date -u -d "$(echo "$f" | cut -c 23-30)" +%F)/$f-$(sha256sum "spool/$f.cam" | cut -c 1-16).cam"; break; done)
thief "$object"
is "not even the owner deletes the old version before its time" \
	"$(as "$owner" DELETE "/$object?versionId=$(first "$object")") $(grep -o '<Code>[^<]*' answer)" "403 <Code>AccessDenied"
is "but what the thief put over it" "$(as "$owner" DELETE "/$object?versionId=$(versions "$object" | head -n 1)")" 204
as "$owner" GET "/$object" >status
ok "which is there again, byte for byte" cmp answer "spool/$(basename "$object" | cut -d - -f 1-4).cam"

# As the owner fetches it.
export RCLONE_CONFIG=/dev/null RCLONE_CA_CERT="$T/ca.pem" RCLONE_CONFIG_CLOUD_TYPE=s3 RCLONE_CONFIG_CLOUD_PROVIDER=Ceph \
	RCLONE_CONFIG_CLOUD_ENDPOINT="$AWS_ENDPOINT_URL" RCLONE_CONFIG_CLOUD_ACCESS_KEY_ID="${owner%:*}" RCLONE_CONFIG_CLOUD_SECRET_ACCESS_KEY="${owner#*:}"
same_footage() { for f in spool/*.cam; do cmp "$f" "$(find footage -name "$(basename "$f" .cam)-*.cam")" || return 1; done; }
ok "7: rclone fetches" run 7
ok "7: all of it" same_footage
sed 's/^[^r]*//' block9 >cron
exits 0 "9: not silent" sh cron
is "9: nothing is said" "$(cat tap.err)" ""
sleep 1.1
sed 's/-A 900/-A 1/' cron >soon
exits 1 "9: silent" sh soon
says "9: that is said" "^cam-open: silent: "
rm -r footage
as "$owner" PUT "/$(echo "$object" | sed 's/-[0-9TZ]*Z-/-20200101T000000Z-/')" -T ca.pem >status
ok "8: curl fetches" run 8
ok "8: all of it, and nothing that was recorded before" sh -c '[ "$(ls footage | wc -l)" = "$(ls spool | wc -l)" ]'
ok "8: byte for byte" same_footage
ok "8: it opens" cam-open -V -s door.pub footage

segment 3 1000
for what in governance:30 compliance:30; do
	exits 0 "who may read sees that it is locked: $what" timeout 300 env AWS_ACCESS_KEY_ID="${owner%:*}" AWS_SECRET_ACCESS_KEY="${owner#*:}" \
		cam-ship -d spool -C ca.pem -1 -L $what "s3://cams/door/${what%:*}/" </dev/null
	is "nothing is told" "$(cat tap.err)" ""
	as "$owner" HEAD "/door/${what%:*}/$(key 3)" -I >status
	ok "$what: so says the server" grep -qi "^x-amz-object-lock-mode: ${what%:*}" answer
done
tap_done
