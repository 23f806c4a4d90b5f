#!/bin/sh
# defends: lose.false-ack
# cam-reap: marks what is named, and does nothing else.
. "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/cam-spool/spool.sh
. "$top/tests/cam-spool/spool.sh"

name() { printf '%010d-0000000007-20260131T235959Z-0123456789abcdef%s' "$1" "$2"; }
fill() {
	rm -rf d && mkdir d
	for i in 1 2 3; do echo "content $i" >"d/$(name $i .cam)"; done
}

fill
ok "two names: exit 0" sh -c "printf '%s\n' '$(name 1 .cam)' '$(name 3 .cam)' | cam-reap d 2>&1 | cmp - /dev/null"
is "those two are marked, the third is not" "$(ls d)" "$(printf '%s\n' "$(name 1 .sent)" "$(name 2 .cam)" "$(name 3 .sent)")"
is "with their bytes" "$(cat d/*)" "$(printf 'content %s\n' 1 2 3)"

name 1 .cam | sed 's/$/\n/' >again
exits 0 "a name that is marked already" cam-reap d <again
is "is nothing to speak of" "$(cat tap.err)" ""
{ name 9 .cam; echo; } >again
exits 0 "a name that is not there" cam-reap d <again
says "is said" "$(name 9 .cam): gone already"

fill
refuses() {
	printf '%b' "$2" >bad
	exits 1 "$1" cam-reap d <bad
	says "$1: said" 'refused: not the name of a segment'
	is "$1: nothing changed" "$(ls d)" "$(printf '%s\n' "$(name 1 .cam)" "$(name 2 .cam)" "$(name 3 .cam)")"
}
cp "d/$(name 1 .cam)" .
refuses "a path" "../$(name 1 .cam)\n"
refuses "a path into the directory" "./$(name 1 .cam)\n"
refuses "a name without suffix" "$(name 1 '')\n"
refuses "another suffix" "$(name 1 .part)\n"
refuses "already its new suffix" "$(name 1 .sent)\n"
refuses "something behind the name" "$(name 1 .cam) \n"
refuses "an empty line" "\n"
refuses "a NUL inside" "$(name 1 .cam)\\0000\n"
refuses "capitals" "$(name 1 .cam | tr a-f A-F)\n"
refuses "an overlong line that ends in a name" "$(head -c 5000 /dev/zero | tr '\0' x)$(name 1 .cam)\n"
ok "the file outside is untouched" test -e "$(name 1 .cam)"

fill
printf '%s\nrubbish\n%s\n' "$(name 1 .cam)" "$(name 2 .cam)" >mixed
exits 1 "good names around a bad one" cam-reap d <mixed
is "are marked" "$(ls d)" "$(printf '%s\n' "$(name 1 .sent)" "$(name 2 .sent)" "$(name 3 .cam)")"

fill
name 1 .cam >torn
exits 0 "a last line without newline" cam-reap d <torn
says "is not acted on" 'a last line without its newline'
is "nothing changed" "$(count d .sent)" 0

fill
echo other >"d/$(name 1 .sent)"
name 1 .cam | sed 's/$/\n/' >again
exits 1 "NAME.cam and NAME.sent both there" cam-reap d <again
is "neither is replaced" "$(cat "d/$(name 1 .sent)" "d/$(name 1 .cam)")" "$(printf 'other\ncontent 1')"

exits 100 "no directory" cam-reap </dev/null
exits 100 "unknown option" cam-reap -I 3 d </dev/null
exits 111 "a directory that is not there" cam-reap nowhere </dev/null

fill
mkfifo pipe
exec 8<>pipe
fresh ready out said
cam-reap -D 3 d <pipe 3>ready >out 2>said &
pid=$!
stop_at_end $pid
ok "ready when asked" waits 60 test -s ready
{ name 2 .cam; echo; } >pipe
ok "acts at once, without EOF" waits 60 test -e "d/$(name 2 .sent)"
kill -STOP $pid
{ name 1 .cam; echo; name 3 .cam; echo; } >pipe
kill -TERM $pid
kill -CONT $pid
wait $pid
is "SIGTERM: exit 0" $? 0
is "what was readable is done" "$(count d .sent)" 3
exec 8>&-

# --- -k: only after a while ---
fill
mkfifo later
exec 8<>later
fresh out said
cam-reap -k 1d d <later >out 2>said 8>&- &
pid=$!
stop_at_end $pid
{ name 1 .cam; echo; name 1 .cam; echo; name 9 .cam; echo; } >later
ok "-k: a name that is not there is said at once, nothing is kept of it" waits 60 grep -q "$(name 9 .cam): gone already" said
is "-k: the other one is not marked at once" "$(count d .sent)" 0
kill -TERM $pid
wait $pid
is "-k: stopped: exit 0" $? 0
is "-k: what is still kept is not marked" "$(count d .sent)" 0
told "-k: that is said" '1 names are not marked yet: they come again'
fresh out said
cam-reap -k 2 d <later >out 2>said 8>&- &
pid=$!
stop_at_end $pid
begun=$(date +%s%N)
{ name 2 .cam; echo; } >later
ok "-k: but after that time" waits 60 test -e "d/$(name 2 .sent)"
ok "-k: not before it" test $((($(date +%s%N) - begun) / 1000000)) -ge 1990
waits 60 steady $pid
kill -TERM $pid
wait $pid
is "-k: stopped when it keeps none: exit 0" $? 0
exec 8>&-
for bad in "-k 0" "-k 367d" "-k 1.5" "-k 2w" "-k 1 -k 2"; do
	exits 100 "wrong usage: $bad" cam-reap $bad d </dev/null
done
exits 0 "-k 2d is a time" cam-reap -k 2d d </dev/null

if strace -o /dev/null true 2>/dev/null; then
	ASAN_OPTIONS=detect_leaks=0
	export ASAN_OPTIONS
	rm -rf d && mkdir d
	i=0
	while [ $i -lt 200 ]; do
		echo x >"d/$(name $i .cam)"
		name $i .cam | sed 's/$/\n/'
		i=$((i + 1))
	done >many
	strace -f -y -o trace cam-reap d <many 2>said
	is "200 names: all marked" "$(count d .sent)" 200
	is "nothing is unlinked, opened for writing, or renamed to anything but .sent" \
		"$(grep -E 'unlink|O_WRONLY|O_RDWR|O_CREAT|truncate' trace | grep -vcE '/dev/null|fcntl\(')$(grep renameat2 trace | grep -vc '\.cam".*\.sent", RENAME_NOREPLACE) = 0')" 00
	is "the directory is synced after the burst, not for each" "$(grep -c 'fsync(.*/d>' trace)" 1
	ok "after the last rename" sh -c "grep -E 'renameat2|fsync' trace | tail -n 1 | grep -q fsync"
	fill
	timeout 60 strace -o trace -e trace=fsync -e inject=fsync:error=EIO cam-reap d <mixed 2>said
	is "a directory that never syncs: exit 111" $? 111
	told "said" 'directory cannot be synced: Input/output error'
	fill
	strace -o trace -e trace=renameat2 -e inject=renameat2:error=ENOSPC:when=1 cam-reap d <mixed 2>said
	is "a rename that fails once is tried again" "$(count d .sent)" 2
fi
tap_done
