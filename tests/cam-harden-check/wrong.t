#!/bin/bash
# What somebody gives it who has never seen it before, or means it harm: wrong options, and files that are none. Wrong usage
# ends with 100 and says what is wrong; what cannot be read, with 111; what is no evidence is never passed.
. "$(dirname "$0")/../tap.sh"

chmod 755 "$T"
mkdir folder nothing tree tree/etc
: >empty
head -c 100000 /dev/urandom >junk
truncate -s 300M huge
printf 'x%.0s' $(seq 200000) >long
printf 'a\0b\n' >zero
echo 'kernel.sysrq = 0' >secret
chmod 600 secret
ln -s nowhere dangling
ln -s loop loop

run() { timeout 60 cam-harden-check "$@" >run.out 2>run.err; }
# wrong CODE MESSAGE ARGUMENT...: ends so, says so on one line, and prints no report.
wrong() {
	want=$1 message=$2; shift 2
	run "$@"; code=$?
	cp run.err tap.err; cp run.out tap.out
	[ $code = "$want" ] && [ ! -s run.out ] && [ "$(wc -l <run.err)" = 1 ] && grep -qE -- "^cam-harden-check: $message" run.err
	tap_result $? "$*: exit $want ($code)"
}
# blind ARGUMENT...: no report is good; nothing in it passes but by what else there is.
blind() {
	run "$@" -o json; code=$?
	cp run.err tap.err; : >tap.out
	[ $code = 3 ] && python3 -c 'import json; d = json.load(open("run.out")); s = d["summary"]; assert not s["FAIL"] and not s["PASS"] and s["INCOMPLETE"] > 50, s'
	tap_result $? "$*: incomplete, nothing else ($code)"
}

# --- options ---
wrong 100 '-h: unknown option: usage: ' -h
wrong 100 '--: unknown option: usage: ' --help
wrong 100 'x: NAME=VALUE goes with -g' x
wrong 100 ': NAME=VALUE goes with -g' ''
for o in p o d a b r k c s g S K Z; do wrong 100 "-$o: needs an argument" -$o; done
for o in 'o json' 'd empty' 'a arm64' 'b pi3' 'r tree' 'k empty' 'c empty' 's empty' 'g nft' 'S 01234567' 'K x' v w x; do
	# shellcheck disable=SC2086
	wrong 100 "-${o%% *}: given twice" -$o -$o
done
wrong 100 '-o xml: none of ' -o xml -k empty
wrong 100 '-a arm46: none of ' -a arm46 -k empty
wrong 100 '-a : none of ' -a '' -k empty
wrong 100 '-b p13: no rule' -b p13 -k empty
wrong 100 '-Z x: only landlock' -Z x
wrong 100 '-w looks at' -w -k empty
wrong 100 '-x tries' -x -k empty
wrong 100 '-x tries' -x -r tree
wrong 100 '-d has a form' -d empty -o json
wrong 100 '-d has a form' -d empty -v
wrong 100 '-S is of' -S 01234567 -k empty
wrong 100 '-S is of' -S 01234567 -o json
wrong 100 '-S 1234567: not' -S 1234567
wrong 100 '-S 0123 567: not' -S '0123 567'
wrong 100 '-K goes' -K 0x81010001
wrong 100 '-g x: none' -g x
wrong 100 '-g goes' -g kconfig -k empty
wrong 100 'x: not NAME=VALUE' -g kconfig x
wrong 100 'x=: not NAME=VALUE' -g kconfig x=
wrong 100 'port: not NAME=VALUE, or given twice' -g nft port=1 port=2
wrong 100 'prot=443: nothing asks for it' -g nft server=192.0.2.1 prot=443
wrong 100 'CONFIG_NO_SUCH=y: nothing asks for it' -g kconfig CONFIG_NO_SUCH=y
wrong 100 '(\./)?empty: empty' -p ./empty
wrong 100 './junk:[0-9]+: ' -p ./junk
wrong 100 './zero:1: ' -p ./zero
wrong 100 './long:1: ' -p ./long
for file in empty junk zero long secret; do wrong 100 "$file: " -d $file; done

# --- what cannot be read ---
for o in k c s r d; do
	wrong 111 'nowhere: No such file' -$o nowhere
	wrong 111 'dangling: No such file' -$o dangling
	wrong 111 'loop: Too many levels' -$o loop
	wrong 111 ': No such file' -$o ''
done
wrong 111 'empty: Not a directory' -r empty
wrong 111 'folder: Is a directory' -d folder
wrong 111 './folder: Is a directory' -p ./folder
wrong 111 '.*/nowhere.policy: No such file' -p nowhere
wrong 111 './huge: File too large' -p ./huge
wrong 111 'huge: File too large' -d huge
if [ "$(id -u)" = 0 ]; then
	as() { setpriv --reuid=65534 --regid=65534 --clear-groups timeout 60 cam-harden-check "$@"; }
	for o in k c s; do
		exits 3 "-$o, without permission: nothing was seen" as -$o secret
		says "says so" '^cam-harden-check: secret: Permission denied$'
	done
	exits 111 "-d, without permission" as -d secret
	says "says so" '^cam-harden-check: secret: Permission denied$'
fi
exits 111 "a report that cannot be written" sh -c 'cam-harden-check -k empty >/dev/full'
exits 111 "standard output that is closed" sh -c 'cam-harden-check -k empty >&-'
exits 3 "standard input and error that are closed" sh -c 'cam-harden-check -k empty <&- 2>&-'

cam-harden-check <&- >closed.out 2>closed.err
ok "standard input that is closed: each phase ends well" sh -c '[ -s closed.out ] && ! grep "saw nothing" closed.err'

# --- what is no evidence ---
for file in empty junk zero huge long secret folder /dev/null /dev/zero; do blind -k $file; done
for file in empty junk zero huge folder /dev/zero; do blind -c $file; blind -s $file; done
blind -r nothing
blind -w -r nothing
blind -r nothing -k junk -c junk -s junk

# --- files that cannot be read to the end ---
mkdir -p tree/bin && cp "$(command -v sleep)" tree/bin && echo text >tree/etc/text
verdicts() { python3 -c 'import json, sys
v = {f["id"]: f["verdict"] for f in json.load(open("walk.json"))["findings"]}
print(*[v[i] for i in sys.argv[1:]])' "$@"; }
about="exec.secret-recipient-key exec.elf-pie exec.file-caps"
cam-harden-check -v -w -r tree -o json >walk.json
# shellcheck disable=SC2086
is "a tree that is read whole" "$(verdicts $about)" "PASS PASS PASS"
if ! nm "$O/cam-harden-check" | grep -q __asan_init; then
	# not of the libraries that a loader reads
	fails() { strace -f -qq -o /dev/null -e trace=pread64 -P "$T/tree/$1" -e "inject=pread64:error=EIO:when=$2" cam-harden-check -v -w -r tree -o json >walk.json; }
	fails bin/sleep 1+
	# shellcheck disable=SC2086
	is "a disk that does not give a file" "$(verdicts $about)" "INCOMPLETE INCOMPLETE INCOMPLETE"
	fails etc/text 1+
	# shellcheck disable=SC2086
	is "nor a text" "$(verdicts $about)" "INCOMPLETE INCOMPLETE INCOMPLETE"
	fails etc/text 2
	is "nor the rest of it" "$(verdicts exec.secret-recipient-key)" INCOMPLETE
	strace -f -qq -o /dev/null -e inject=fgetxattr:error=EIO cam-harden-check -v -w -r tree -o json >walk.json
	# shellcheck disable=SC2086
	is "nor its attributes" "$(verdicts $about)" "PASS PASS INCOMPLETE"
fi
if [ "$(id -u)" = 0 ]; then
	chmod 755 tree tree/etc
	echo 'kernel.sysrq = 0' >tree/etc/sysctl.conf
	chmod 600 tree/etc/sysctl.conf
	as -v -r tree -o json >walk.json
	is "settings that may not be read are not called undeclared" "$(verdicts image.undeclared-sysctls)" INCOMPLETE
	# what a policy keeps from root, as capabilities do here
	echo text >tree/etc/private
	chown 65534:65534 tree/etc/private
	for mode in 0400/PASS 0440/INCOMPLETE 0500/INCOMPLETE; do
		chmod ${mode%/*} tree/etc/private
		setpriv --bounding-set -dac_override,-dac_read_search cam-harden-check -v -w -r tree -o json >walk.json
		# shellcheck disable=SC2086
		is "a file of mode ${mode%/*} that root may not read" "$(verdicts $about)" "INCOMPLETE ${mode#*/} ${mode#*/}"
	done
fi
tap_done
