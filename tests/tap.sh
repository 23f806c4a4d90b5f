# shellcheck shell=sh disable=SC2034
# tap.sh: the Test Anything Protocol for tests in shell. A test sources it first and ends with tap_done.
# It works in an empty folder of its own, $T, and stops the processes that it named to `stop_at_end`.

tap_run=0
tap_failed=0
T=$(mktemp -d) || exit 1
tap_pids=
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$T" || exit 1

# tap_born PID: when it was started, which nobody shares who gets its id later; nothing when it has ended.
tap_born() {
	{ read -r tap_stat <"/proc/$1/stat"; } 2>/dev/null || return 0
	set -- ${tap_stat##*) }
	echo "${20}"
}

stop_at_end() { for tap_p; do tap_pids="$tap_pids $tap_p:$(tap_born "$tap_p")"; done; }

tap_cleanup() {
	for p in $tap_pids; do
		[ -z "${p#*:}" ] || [ "$(tap_born "${p%%:*}")" != "${p#*:}" ] || kill -9 "${p%%:*}" 2>/dev/null
	done
	cd / && rm -rf "$T"
}
trap tap_cleanup EXIT
trap 'exit 1' INT TERM HUP

# Why, for people: on standard error, which prove passes on at once, so that each line says whose it is.
tap_why() {
	for tap_f in "$T/tap.out" "$T/tap.err"; do
		if [ -s "$tap_f" ]; then head -n 20 "$tap_f" | sed "s,^,# ${0##*tests/} $tap_run: ,"; fi
	done >&2
}

tap_result() {
	tap_run=$((tap_run + 1))
	if [ "$1" = 0 ]; then
		echo "ok $tap_run - $2"
	else
		tap_failed=$((tap_failed + 1))
		echo "not ok $tap_run - $2"
		tap_why
	fi
}

# ok NAME COMMAND...: the command exits 0. Its output lies in tap.out and tap.err until the next test.
ok() {
	tap_name=$1; shift
	"$@" >"$T/tap.out" 2>"$T/tap.err"
	tap_result $? "$tap_name"
}

# exits CODE NAME COMMAND...: the command exits with CODE.
exits() {
	tap_want=$1 tap_name=$2; shift 2
	"$@" >"$T/tap.out" 2>"$T/tap.err"
	tap_code=$?
	[ $tap_code = "$tap_want" ]
	tap_result $? "$tap_name (exit $tap_want)"
	[ $tap_code = "$tap_want" ] || echo "# ${0##*tests/} $tap_run: exited $tap_code" >&2
}

# is NAME GOT WANTED: two strings are equal.
is() {
	printf 'got  %s\nwant %s\n' "$2" "$3" >"$T/tap.out"
	: >"$T/tap.err"
	[ "$2" = "$3" ]
	tap_result $? "$1"
}

# says NAME REGEX: the last command's stderr has a line that matches.
says() {
	grep -qE -- "$2" "$T/tap.err"
	tap_result $? "$1"
}

# waits SECONDS COMMAND...: tries the command ten times a second until it succeeds.
waits() {
	tap_n=$(($1 * 10)); shift
	while [ $tap_n -gt 0 ]; do
		if "$@" >/dev/null 2>&1; then return 0; fi
		tap_n=$((tap_n - 1))
		sleep 0.1
	done
	return 1
}

# steady PID: that process is the program, no longer the shell that starts it, and SIGTERM would not just kill it.
steady() {
	awk '/^Name:/ { shell = $2 ~ /sh$/ } /^Sig(Blk|Cgt):/ && /[4-7c-f]...$/ { heeds = 1 }
		END { exit shell || !heeds }' "/proc/$1/status" 2>/dev/null
}

# drained FD: nothing is left to read in the pipe that is open here as FD.
drained() {
	/usr/bin/python3 -c 'import fcntl, sys, termios
sys.exit(any(fcntl.ioctl(int(sys.argv[1]), termios.FIONREAD, bytes(4))))' "$1"
}

# fresh FILE...: emptied, before a command that goes on beside the test writes to it: its shell may come to open it later than
# the test looks at what the one before has left there.
fresh() { for tap_f; do : >"$tap_f"; done; }

# skip_all WHY: the whole file cannot run here.
skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}

tap_done() {
	echo "1..$tap_run"
	[ $tap_failed = 0 ]
	exit
}
