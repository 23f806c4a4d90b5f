#!/bin/sh
# cam-spool -l and -j: what is in the directory, against what python sees there.
. "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/cam-spool/spool.sh
. "$top/tests/cam-spool/spool.sh"

# agrees FOLDER: does -j say of it what its files say?
agrees() {
	cam-spool -j "$1" >json || return 1
	/usr/bin/python3 - "$1" json <<-'PY'
	import calendar, json, os, re, sys, time
	folder, said = sys.argv[1], json.load(open(sys.argv[2]))
	NAME = re.compile(r"(\d{10}|[1-9]\d{10,19})-(\d{10})-(\d{8}T\d{6}Z)-([0-9a-f]{16})\.(part|cam|sent|gone|gone\.part)$")
	taken = lambda st: max(st.st_blocks * 512, st.st_size)
	want = {k: {"number": 0, "bytes": 0} for k in ("part", "cam", "sent", "gone", "gone_part")}
	foreign, names = [], {k: [] for k in want}
	for entry in os.listdir(folder):
	    takes, m = taken(os.lstat(os.path.join(folder, entry))), NAME.fullmatch(entry)
	    if not m:
	        foreign.append({"bytes": takes, "name": entry})
	        continue
	    kind = m[5].replace(".", "_")
	    want[kind]["number"] += 1
	    want[kind]["bytes"] += takes
	    text = entry[:-len(".part")] if kind == "gone_part" else entry
	    names[kind].append((int(m[1]), int(m[2]), m[4], calendar.timegm(time.strptime(m[3], "%Y%m%dT%H%M%SZ")), text.rsplit(".", 1)[0]))
	for kind, found in names.items():
	    if found:
	        for key, n in (("oldest", min(found)), ("newest", max(found))):
	            want[kind][key], want[kind][key + "_utc_s"] = n[4], n[3]
	for kind in want:
	    assert said[kind] == want[kind], (kind, said[kind], want[kind])
	assert sorted(said["foreign"], key=str) == sorted(foreign, key=str), (said["foreign"], foreign)
	assert said["foreign_bytes"] == sum(f["bytes"] for f in foreign)
	assert said["bytes"] == taken(os.stat(folder)) + said["foreign_bytes"] + sum(w["bytes"] for w in want.values())
	fs = os.statvfs(folder)
	assert abs(said["free_bytes"] - fs.f_bavail * fs.f_frsize) < 1 << 30 and said["free_inodes"] > 0 or fs.f_favail == 0
	PY
}
value() { /usr/bin/python3 -c 'import json, sys; v = json.load(open("json")); [v := v[k] for k in sys.argv[1:]]; print(v)' "$@"; }

mkdir d in
ok "an empty directory" agrees d
is "no cam-spool is running" "$(value running) $(value stubs)" "False 0"

mkfifo pipe
exec 8<>pipe
fresh ready names said
cam-spool -D 3 -I 3600 -S 60000 -q 1M -f 0 d <pipe 3>ready >names 2>said 8>&- &
pid=$!
stop_at_end $pid
waits 60 test -s ready
"$make_records" -n 30 -r 40 -w in >pipe
waits 60 grep -q 0000000001-0000000029 names
"$make_records" -n 1 -r 10 -e 2 -x >open
cat open >pipe
# nothing more is written to it then, nor synced, which can change what it takes on the disk
ok "one is being written" waits 60 sh -c 'cmp d/0000000002-*.part open'
f=$(ls d/*.cam | head -n 1) && mv "$f" "${f%.cam}.sent"
f=$(ls d/*.cam | head -n 1) && mv "$f" "${f%.cam}.sent"
echo mine >'d/a "quoted\name'
printf 'x' >"d/$(printf 'tab\there')"
head -c 5000 /dev/zero >d/0000000001-0000000000-20260101T000000Z-0123456789abcdef.part.damaged-1
echo x >d/00000000010-0000000000-20260101T000000Z-0123456789abcdef.cam
ln -s nowhere d/link
ok "all states and foreign files, while it runs" agrees d
is "it is running" "$(value running)" True
is "stubs are counted, in the pack that is being filled too" "$(value stubs)" "$(stubs d/*.gone* | wc -l)"
is "two are stored, one is being written, the others wait" "$(value sent number) $(value part number) $(value cam number)" "2 1 $(count d .cam | awk '{ print $1 - 1 }')"
cam-spool -l d >table
for kind in part cam sent gone gone_part; do
	is "the table has the same numbers: $kind" "$(awk -v k=$kind '$1 == k { print $2, $3 }' table)" "$(value $kind number) $(value $kind bytes)"
done
is "and names: oldest to be stored" "$(awk '$1 == "cam" { print $4 }' table)" "$(value cam oldest | sed 's/-[0-9a-f]*$//')"
is "foreign files are shown one by one, without control characters" \
	"$(grep '^foreign: ' table | sed 's/foreign: //; s/: [0-9]* bytes//' | LC_ALL=C sort)" "$(LC_ALL=C sort <<-'E'
	0000000001-0000000000-20260101T000000Z-0123456789abcdef.part.damaged-1, damaged
	00000000010-0000000000-20260101T000000Z-0123456789abcdef.cam
	a "quoted\name
	link
	tab?here
	E
	)"
ok "totals" grep -q "^all: $(value bytes) bytes; free: [0-9]* bytes, [0-9]* inodes" table
ok "evicted" grep -q "with a stub here: $(value stubs)\$" table
ok "running" grep -q '^cam-spool: running' table
is "looking has changed nothing" "$(cam-spool -j d | sed 's/"free_bytes[^}]*inodes":[0-9]*//')" "$(sed 's/"free_bytes[^}]*inodes":[0-9]*//' json)"
"$make_records" -n 1 -r 10 -e 3 -w in >pipe
ok "nor stopped the recording" waits 60 grep -q '^0000000003' names
exec 8>&-
wait $pid
ok "afterwards" agrees d
is "it is not running" "$(value running)" False

# ages
age() { # SECONDS
	rm -rf a && mkdir a && : >"a/0000000001-0000000000-$(date -u -d "@$(($(date +%s) - $1))" +%Y%m%dT%H%M%SZ)-0123456789abcdef.cam"
	cam-spool -l a | awk '$1 == "cam" { print $5 ($6 ~ /^[a-z]/ ? " " $6 : "") }'
}
is "ages: minutes, hours, days, future" "$(age 630), $(age 10850), $(age 260000), $(age -5000)" "10 min, 3 h, 3 days, in future"
exits 111 "a directory that is not there" cam-spool -l nowhere
exits 111 "a file" cam-spool -j json
ok "a full pipe's reader that has gone" sh -c 'cam-spool -l d | true'
tap_done
