#!/bin/sh
# defends: see.uploader see.capture lose.spool enter.egress enter.program enter.sibling enter.footage
# Somebody breaks into a live tool: the process itself is made to attempt what it may never do (DESIGN: "may
# never"), and dies or is refused; and what it may do it still can, so that the test itself is shown to work.
. "$(dirname "$0")/../tap.sh"
[ "$(id -u)" = 0 ] || skip_all "making another process do things needs root"
inject=$O/tests/sandbox/inject
interfere=$O/tests/sandbox/interfere
if nm "$inject" | grep -qE '__(asan|tsan)_init'; then
	mkdir spool
	ok "built with sanitizers" env -u CAM_TESTS_KNOW cam-reap spool </dev/null
	says "a tool says that it runs without a sandbox" 'built with sanitizers: runs without a sandbox'
	tap_done
fi

cam-key -g -n me && cam-key -g -s door && mkdir spool other && : >other/file || exit 1
name=0000000001-0000000000-20261124T001900Z-51568c8aed259918
: >spool/$name.cam
mkfifo in || exit 1
sleep 3600 >in &
stop_at_end $!

# start TOOL: it waits for input, in $pid. Of the audit: NUMBER OPTION..., its process of that number, stopped
# where its filter came into force.
start() {
	case $1 in
	[0-9]*)
		kill -9 $pid $audit 2>/dev/null
		"$interfere" ${1%% *} hold cam-harden-check ${1#* } >held 2>err && read -r pid audit <held
		stop_at_end $pid $audit
		return ;;
	cam-seal) cam-seal -i door.key -r me.pub -D 5 <in >/dev/null 2>err 5>ready & ;;
	cam-open) cam-open -k me.key -s door.pub <in >/dev/null 2>err & ;;
	cam-mux) cam-mux <in >/dev/null 2>err & ;;
	cam-key) rm -rf keys && mkdir keys && cam-key -g -P 0 keys/new <in >/dev/null 2>err & ;;
	cam-reap) cam-reap -D 5 spool <in >/dev/null 2>err 5>ready & ;;
	cam-status) cam-status -s 3600 other >/dev/null 2>err & ;;
	esac
	pid=$!
	stop_at_end $pid
	settles
}
# settles: is confined, and waits, within a minute. It is asked some 300 times: ten times a second would be too seldom.
settles() {
	n=6000
	until confined $pid 2>/dev/null; do
		n=$((n - 1))
		[ $n -gt 0 ] || return 1
		sleep 0.01
	done
}
confined() { grep -q '^Seccomp:	2' /proc/$1/status && grep -qE '^[0-9]+ 0x' /proc/$1/syscall; }
result() { "$inject" "$pid" "$@" 2>&1; }

everyone='execve execveat create unlink link mkdir chmod truncate socket-inet socket-inet6 socket-udp socket-unix socket-netlink
	socket-packet ptrace process-vm-readv process-vm-writev mmap-exec mmap-write-exec mmap-shared mmap-stack mprotect-exec memfd fork thread setuid
	setresuid bpf userfaultfd io-uring keyctl mount unshare setns kill-init kill-all perf reboot module clock tty-inject
	dup-own chroot pidfd'

# refused DEED PATH...: the deed is not done. Starts the tool anew when it died of it.
refused() {
	got=$(result "$@")
	case $got in
	killed) start "$tool"; return 0 ;;
	"refused: E"*) [ "$got" = "refused: EACCES" ] || [ "$got" = "refused: EPERM" ] || [ "$got" = "refused: ENOSYS" ] ;;
	*) false ;;
	esac
}

for tool in cam-seal cam-open cam-mux cam-key cam-reap cam-status; do
	ok "$tool: is confined" start $tool
	is "$tool: may go on asking who it is" "$(result getpid | cut -d: -f1)" "done"
	ok "$tool: and lives" confined $pid
	failed=
	for deed in $everyone; do
		path=$T/other/file
		[ $deed = execve ] && path=/bin/true
		refused $deed "$path" "$T/other/new" || failed="$failed $deed:$got"
	done
	is "$tool: $(echo $everyone | wc -w) forbidden deeds" "$failed" ""
	for file in /etc/passwd "$T/door.key" "$T/spool/$name.cam" /proc/1/environ /dev/null; do
		refused open "$file" || tap_result 1 "$tool: open $file: $got"
		refused open-write "$file" || tap_result 1 "$tool: open $file for writing: $got"
	done
	refused rename "$T/other/file" "$T/other/renamed"
	tap_result $? "$tool: renames nothing elsewhere"
	kill -9 $pid
	wait $pid 2>/dev/null
done
is "what it was about is untouched" "$(ls other spool | tr '\n' ' ')" "other: file  spool: $name.cam "

# --- the audit: each of its processes that reads what others wrote ---
sleep 3600 & victim=$!
stop_at_end $victim
# audited NAME NUMBER OPTION...: what no process of it may do.
audited() {
	who=$1; shift
	tool=$*
	pid='' audit=''
	start "$tool"
	ok "audit, $who: is confined, on every thread" sh -c "! grep -LE '^Seccomp:	2' /proc/$pid/task/*/status | grep ."
	is "audit, $who: may go on asking who it is" "$(result getpid)" "done: $pid"
	failed=
	for deed in $everyone; do
		path=$T/other/file
		[ $deed = execve ] && path=/bin/true
		refused $deed "$path" "$T/other/new" || failed="$failed $deed:$got"
	done
	for deed in kill-other tgkill-other ptrace-other vm-readv-other pidfd-other kcmp-other; do
		refused $deed $victim || failed="$failed $deed:$got"
	done
	for deed in connect sendto bind; do
		refused $deed 3 80 || failed="$failed $deed:$got"
	done
	for path in /etc/passwd /dev/null /dev/kmem "$T/door.key" /proc/sys/kernel/core_pattern "/proc/$victim/mem"; do
		refused open-write "$path" || failed="$failed open-write $path:$got"
	done
	refused rename "$T/other/file" "$T/other/renamed" || failed="$failed rename:$got"
	is "audit, $who: $(echo $everyone | wc -w) and 16 more forbidden deeds" "$failed" ""
}
# reads PATH...: what it is there for.
reads() {
	for path; do is "audit, $who: may read $path" "$(result open "$path" | cut -d: -f1)" "done"; done
}
# holds CAPABILITIES DESCRIPTOR...: as the kernel shows it.
holds() {
	is "audit, $who: no new privileges, a filter, and no capability but its own" \
		"$(cat /proc/$pid/task/*/status | grep -E '^(NoNewPrivs|Seccomp|CapInh|CapPrm|CapEff|CapBnd|CapAmb):' | sort -u | tr '\n\t' '  ')" \
		"CapAmb: 0000000000000000 CapBnd: 0000000000000000 CapEff: $1 CapInh: 0000000000000000 CapPrm: $1 NoNewPrivs: 1 Seccomp: 2 "
	is "audit, $who: no core file" "$(awk '/core file/ { print $5, $6 }' /proc/$pid/limits)" "0 0"
	shift
	is "audit, $who: has nothing open but what it needs" "$(for fd in /proc/"$pid"/fd/*; do readlink $fd | sed 's/:.*//'; done | sort | tr '\n' ' ')" \
		"$(printf '%s\n' "$T/err" "$@" | sort | tr '\n' ' ')"
}
mkdir image image/etc && : >image/etc/passwd
audited device 1 -v
reads /etc/shadow /proc/self/mounts
start "$tool"
holds 0000000000000000 / pipe /dev/null /dev/null
audited processes 2 -v
reads /etc/shadow /proc/$victim/environ /proc/$victim/maps
start "$tool"
holds 0000000000080004 / pipe /dev/null /dev/null
audited files 1 -w -r image
reads "$T/image/etc/passwd" /etc/shadow
start "$tool"
holds 0000000000000004 "$T/image" pipe /dev/null /dev/null
audited report 0 -r image
reads "$T/image/etc/passwd"
for path in /etc/passwd /proc/1/environ "$T/door.key"; do
	refused open "$path"
	tap_result $? "audit, report: of an image reads nothing outside: $path"
done
kill -9 $pid $audit 2>/dev/null
is "nobody was harmed" "$(kill -0 $victim && ls other)" file

# What a tool is there for goes on working from inside: else the tests above could be passed by anything.
tool=cam-seal; start cam-seal
is "cam-seal: may read its recipients again" "$(result open "$T/me.pub" | cut -d: -f1)" "done"
kill -9 $pid
wait $pid 2>/dev/null
tool=cam-reap; start cam-reap
is "cam-reap: may rename in the spool" "$(result rename "$T/spool/$name.cam" "$T/spool/$name.sent" | cut -d: -f1)" "done"
is "cam-reap: has done so" "$(ls spool)" $name.sent
refused rename "$T/spool/$name.sent" "$T/other/$name.sent"
tap_result $? "cam-reap: takes nothing out of it"
tool=cam-key; start cam-key
is "cam-key: may make a file where its key will be" "$(result create "$T/keys/new.pub" | cut -d: -f1)" "done"

# --- state as the kernel shows it ---
for tool in cam-seal cam-open cam-mux cam-key cam-reap cam-status; do
	start $tool
	is "$tool: no new privileges, a filter on every thread, no capabilities, no tracer of its user" \
		"$(cat /proc/$pid/task/*/status | grep -E '^(NoNewPrivs|Seccomp|CapInh|CapPrm|CapEff|CapBnd|CapAmb):' | sort -u | tr '\n\t' '  ')$(stat -c %U /proc/$pid/mem)" \
		"CapAmb: 0000000000000000 CapBnd: 0000000000000000 CapEff: 0000000000000000 CapInh: 0000000000000000 CapPrm: 0000000000000000 NoNewPrivs: 1 Seccomp: 2 root"
	is "$tool: no core file" "$(awk '/core file/ { print $5, $6 }' /proc/$pid/limits)" "0 0"
	kill -9 $pid
	wait $pid 2>/dev/null
done

# --- a kernel without Landlock: its calls answer as if it were not there ---
bare() { strace -f -qq -o /dev/null -e inject=landlock_create_ruleset:error=ENOSYS "$@"; }
exits 111 "a kernel without Landlock is refused" bare cam-reap spool </dev/null
says "and says so" 'no Landlock .*-Z landlock'
exits 0 "unless told otherwise" bare cam-reap -Z landlock spool </dev/null
says "which is said too" 'without Landlock'
exits 100 "nothing else can be done without" cam-reap -Z seccomp spool </dev/null
exits 111 "a kernel that refuses the filter is refused" strace -f -qq -o /dev/null -e inject=seccomp:error=EINVAL cam-reap spool </dev/null
exits 111 "or the bit that keeps privileges away" strace -f -qq -o /dev/null -e inject=prctl:error=EINVAL cam-reap spool </dev/null

# --- the one switch that weakens it ---
is "no tool of this build has it" "$(cat "$O"/cam-* 2>/dev/null | grep -ac 'built with NOSANDBOX=1')" 0
ok "a build with it" make -s -C "$top" O="$T/bare" NOSANDBOX=1 "$T/bare/cam-reap"
exits 0 "runs" bare/cam-reap spool </dev/null
says "and says that it is one" '^cam-reap: built with NOSANDBOX=1: runs without a sandbox$'
tap_done
