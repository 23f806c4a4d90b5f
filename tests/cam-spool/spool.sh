# shellcheck shell=sh disable=SC2034,SC2154
# spool.sh: what the shell tests of cam-spool and cam-reap share; sourced after tap.sh.

make_records=$O/tests/cam-spool/make-records

# Is every name of file $1 in folder $2, and equal to its copy in folder $3?
names_equal() {
	[ -s "$1" ] || return 1
	while read -r n; do
		cmp "$2/$n" "$3/$n" || return 1
	done <"$1"
}

# The same where a file may be the truncated beginning of its copy.
names_begin() {
	[ -s "$1" ] || return 1
	while read -r n; do
		[ -s "$2/$n" ] && cmp -n "$(stat -c %s "$2/$n")" "$2/$n" "$3/$n" || return 1
	done <"$1"
}

# own_mounts: goes on in mount namespace of its own, so that nobody else can keep busy what is mounted here.
own_mounts() {
	[ "$(id -u)" = 0 ] || skip_all "needs root to mount"
	[ -z "${CAM_OWN_MOUNTS:-}" ] || return 0
	cd / && rm -rf "$T"
	CAM_OWN_MOUNTS=1 exec unshare --mount --propagation private sh "$top/tests/$1"
}

# mounts FILESYSTEM SIZE: a new one, on a loop device, at mnt. False when this machine cannot.
mounts() {
	mkdir -p mnt && rm -f disk && truncate -s "$2" disk || return 1
	case $1 in
	ext4) mkfs.ext4 -q disk ;;
	xfs) mkfs.xfs -q disk ;;
	*) false ;;
	esac && mount -o loop disk mnt 2>/dev/null
}

count() { find "$1" -maxdepth 1 -name "*$2" | wc -l | tr -d ' '; }

# A process that is gone, or is waiting to be collected by its parent.
gone() { ! kill -0 "$1" 2>/dev/null || grep -q '^State:.Z' "/proc/$1/status"; }

# A process that is neither.
lives() { ! gone "$1"; }

lines() { [ "$(wc -l <"$1")" -ge "$2" ]; }

# told NAME REGEX: the file "said", where the messages of the last run went, has a line that matches.
told() { ok "$1" grep -E -- "$2" said; }

# durable TRACE: in a trace of strace -f -y, was every name written to stdout only after its file was synced since its
# last write (and never failed to since it was written anew), renamed, and the directory synced after that? A sync
# counts for what was there when it began, and from when it ended.
durable() {
	awk '
	function base(s) { sub(/.*\//, "", s); return s }
	function fdname(  s) { s = $0; sub(/^[^<]*</, "", s); sub(/>.*/, "", s); return base(s) }
	function good() { return $0 !~ /= -1 / }
	function begins() {
		if (/^fdatasync\(/) since[fdname()] = 0
		if (/^fsync\(/) for (f in unlisted) if (unlisted[f] == 1) unlisted[f] = 2
	}
	{ pid = $1; sub(/^[0-9]+ +/, "") }
	/<unfinished \.\.\.>$/ { begins(); sub(/ *<unfinished.*/, ""); half[pid] = $0; next }
	/^<\.\.\. / { rest = $0; sub(/^[^>]*>/, "", rest); $0 = half[pid] rest; delete half[pid]; resumed = 1 }
	{ if (!resumed) begins(); resumed = 0 }
	/^pwrite64\(/ { f = fdname(); dirty[f] = since[f] = 1 }
	/^openat\(.*O_TRUNC/ { s = $0; split(s, q, "\""); broken[base(q[2])] = 0 }
	/^fdatasync\(/ { f = fdname(); if (good()) dirty[f] = since[f]; else broken[f] = 1 }
	/^renameat/ && good() { split($0, q, "\""); a = base(q[2]); b = base(q[4])
		dirty[b] = dirty[a]; broken[b] = broken[a]; unlisted[b] = 1 }
	/^fsync\(/ { for (f in unlisted) if (unlisted[f] == 2) unlisted[f] = good() ? 0 : 1 }
	/^write\(1</ { split($0, q, "\""); n = q[2]; sub(/\\n$/, "", n)
		if (n !~ /\.cam$/) next
		names++
		if (!(n in unlisted) || dirty[n] || broken[n] || unlisted[n]) { print "not durable: " n; bad = 1 } }
	END { if (!names) print "no name was printed"; exit bad || !names }' "$1"
}

# stubs FILE...: the names of the segments whose header and a later mark of it are in these packs, and nothing else is.
stubs() {
	PYTHONPATH="$top/tests/segment" PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 - "$@" <<-'PY'
	import sys
	import reader
	for path in sys.argv[1:]:
	    records = [record for record, other in reader.parse(open(path, "rb").read())]
	    assert None not in records, f"{path}: not only records"
	    for h, m in zip(records[::2], records[1::2]):
	        assert h.type == reader.HEADER and m.type in (reader.CHECKPOINT, reader.END), path
	        assert h.signature_ok(h.stream_key) and m.signature_ok(h.stream_key) and m.header_hash == h.hash, path
	        print(reader.name(h))
	    assert len(records) % 2 == 0, f"{path}: {len(records)} records"
	PY
}

# stops PID: it is stopped when this returns, with all its threads, or has ended.
stops() {
	kill -STOP "$1" 2>/dev/null
	for state in /proc/"$1"/task/*/status; do
		while grep -q '^State:.[RSD]' "$state" 2>/dev/null; do :; done
	done
}

# most FOLDER PID [WRITER]: the most bytes that du(1) sees in a folder while a process lives, and after that; WRITER,
# by default the same process, stands still meanwhile, or du would add up what was never there at one time.
most() {
	most=0 over=0 writer=${3:-$2}
	while [ $over = 0 ]; do
		if gone "$2"; then over=1; fi
		gone "$writer" || stops "$writer"
		now=$(du -s -B1 "$1" 2>/dev/null | cut -f 1)
		gone "$writer" || kill -CONT "$writer"
		[ "${now:-0}" -le $most ] || most=$now
	done
	echo $most
}
