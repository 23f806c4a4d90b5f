#!/bin/bash
# The audit's own processes die, hang or write half a line, at any write: what such a phase would have told is incomplete,
# the report says which phase it was, and the rest is judged as ever.
. "$(dirname "$0")/../tap.sh"

interfere=$O/tests/sandbox/interfere
facts=$O/tests/cam-harden-check/facts
if nm "$facts" | grep -q __asan_init; then skip_all "built with sanitizers: no sandbox"; fi
[ "$(id -u)" = 0 ] || skip_all "interfering with another process needs root"

# what tries to run something in every place does not do so where another test has mounted something
alone=(unshare -m sh -c 'sed -n "s,^\([^ ]* \)\{4\}\(/tmp/[^ ]*\) .*,\2,p" /proc/self/mountinfo | while read -r m; do umount -l "$m"; done; exec "$@"' alone)

state() { sed -n 's/^State:.\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null; }
# gone PID BORN: or its id is another's by now
gone() { case $(state "$1") in ''|Z) ;; *) [ "$(tap_born "$1")" != "$2" ] ;; esac; }
stops() { [ "$(state "$1")" = T ]; }
# children PID: in the order of their birth
children() { cat "/proc/$1/task/$1/children" 2>/dev/null; }
# the tool that interfere runs, and its child
stopped_phase() {
	tool=$(children "$1" | cut -d' ' -f1)
	phase=$([ -n "$tool" ] && children "$tool" | cut -d' ' -f1)
	[ -n "$phase" ] && stops "$phase"
}

# a phase that hangs takes its time: meanwhile the rest
"$interfere" 1 stop@1 cam-harden-check -v -o json >hung.json 2>hung.err & hung=$!
ok "a phase is stopped" waits 60 stopped_phase $hung
hung_phase=$phase hung_born=$(tap_born "$phase")
stop_at_end "$hung_phase"

# compare PHASE WHY WHOLE SPOILT FACTS: each rule about what the phase tells is incomplete, and says why; no other changed
cat >compare.py <<'X'
import json, sys
phase, why, whole, spoilt, facts = sys.argv[1:]
keys = {tuple(line.split(" ", 2)[:2]) for line in open(facts)}
a, b = ({f["id"]: f for f in json.load(open(p))["findings"]} for p in (whole, spoilt))
reason = f'the phase "{phase}" saw nothing: {why}'
mine = wrong = 0
for i, f in b.items():
    if (f["group"], f["key"]) in keys and a[i]["verdict"] not in ("SKIP", "WAIVED"):
        mine += 1
        if f["verdict"] != "INCOMPLETE" or reason not in f["reason"] + f["where"]:
            wrong += 1
            print(i, f["verdict"], f["reason"])
    if f["group"] in ("kconfig", "sysctl", "cmdline", "fs") and f["verdict"] == "PASS" != a[i]["verdict"]:
        wrong += 1
        print(i, "passes now")
if phase == "device":
    assert any(f["verdict"] == "FAIL" for f in b.values() if f["group"] == "kconfig" or f["group"] == "sysctl")
assert mine > 3 and {"PASS", "FAIL"} & {a[i]["verdict"] for i, f in b.items() if (f["group"], f["key"]) in keys}, mine # else nothing was compared
sys.exit(wrong > 0)
X

in_places=()
# spoilt PHASE NUMBER WHAT WHY [OPTION...]
spoilt() {
	phase=$1 number=$2 what=$3 why=$4; shift 4
	"${in_places[@]}" "$interfere" "$number" "$what" cam-harden-check -v -o json "$@" >"$phase.json" 2>"$phase.err"
	code=$?
	if grep -q 'interfere: that never came' "$phase.err"; then # processes come and go
		echo "# $phase, $what: it took fewer writes this time"
		return
	fi
	ok "$phase, $what: $why" python3 compare.py "$phase" "$why" "whole-$phase.json" "$phase.json" "facts-$phase"
	[ $code = 1 ] || [ $code = 3 ]
	tap_result $? "$phase, $what: does not end well ($code)"
}

# writes PHASE NUMBER [OPTION...]: how many writes it takes, in $n
writes() {
	phase=$1 number=$2; shift 2
	n=0
	while [ $n -lt 40 ] && "$interfere" "$number" kill@$((n + 1)) cam-harden-check -v -o json "$@" >/dev/null 2>writes.err; [ $? != 111 ]; do
		n=$((n + 1))
	done
	ok "$phase: there are moments to interfere: $n writes" test $n -gt 1
}

every_way() {
	phase=$1 number=$2; shift 2
	cam-harden-check -v -o json "$@" >"whole-$phase.json"
	writes "$phase" "$number" "$@"
	for at in $(seq $n); do
		spoilt "$phase" "$number" kill@$at "its process was killed by SIGKILL" "$@"
		spoilt "$phase" "$number" cut@$at "what it wrote is not whole" "$@"
	done
	spoilt "$phase" "$number" half@$n "its process was killed by SIGKILL" "$@"
	spoilt "$phase" "$number" filter@1 "its filter ended it" "$@"
	spoilt "$phase" "$number" filter@$n "its filter ended it" "$@"
	spoilt "$phase" "$number" nul@1 "what it wrote is not whole" "$@"
	spoilt "$phase" "$number" nul@$n "what it wrote is not whole" "$@"
	spoilt "$phase" "$number" flood@1 "it wrote more than fits" "$@"
	spoilt "$phase" "$number" exit@1 "its process failed" "$@"
	ok "$phase: and says so on stderr" grep -q "cam-harden-check: the phase \"$phase\" saw nothing: its process failed" "$phase.err"
}

# who collects for a phase, as the table in the program has it
collectors() { sed -n "/= {\"$1\"/,/^        \[/p" "$top/cam-harden-check/phases.c" | sed '$d' | grep -o '[a-z_]*_collect' | sed 's/_collect//; s/_/-/' | sort -u; }

ok "the phases' collectors are known" test "$(collectors device | wc -l)" -gt 8 -a "$(collectors processes | wc -l)" -gt 4
# shellcheck disable=SC2046 # names
"$facts" / $(collectors device) >facts-device
every_way device 1
# shellcheck disable=SC2046 # names
"$facts" / $(collectors processes) >facts-processes
every_way processes 2

mkdir -p tree/etc
for i in $(seq 100); do : >tree/a-name-that-is-long-enough-for-more-than-one-write-$i; done
chmod 4755 tree/a-*
"$facts" -o tree files >facts-files
every_way files 1 -w -r tree

"$facts" tree attempt >facts-attempts 2>/dev/null
in_places=("${alone[@]}")
"${in_places[@]}" cam-harden-check -v -o json -x >whole-attempts.json
spoilt attempts 3 exit@1 "its process failed" -x

# --- and by whom it is ended ---

"$interfere" 2 hold cam-harden-check >held 2>held.err && read -r phase tool <held
stop_at_end "$phase" "$tool"
born=$(tap_born "$phase")
ok "a phase is held" waits 60 stops "$phase"
kill -9 "$tool"
ok "is told to end when the audit is gone" waits 60 grep -q 'Pnd:.*4...$' "/proc/$phase/status"
kill -CONT "$phase"
ok "and does" waits 60 gone "$phase" "$born"

# its first write is the script's, behind a copy of the program that ran
"${alone[@]}" "$interfere" 3 stop@1 cam-harden-check -x >/dev/null 2>&1 & job=$!
ok "an attempt is stopped" waits 60 stopped_phase $job
copy=$(readlink /proc/"$phase"/fd/* | grep '/\.cam-harden-check-attempt\.')
ok "whose copy lies there" test -e "$copy"
kill -9 "$tool"
wait $job
kill -CONT "$phase"
ok "and is taken along" waits 60 test ! -e "$copy"

wait $hung
ok "a phase that hangs is not waited for for ever" python3 compare.py device "it did not end in time" whole-device.json hung.json facts-device
ok "and is ended" gone "$hung_phase" "$hung_born"
tap_done
