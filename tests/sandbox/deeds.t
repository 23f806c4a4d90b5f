#!/bin/sh
# defends: see.uploader see.capture lose.spool enter.egress enter.program enter.sibling enter.footage
# Somebody breaks into a live tool: the process itself is made to attempt what it may never do (DESIGN: "may
# never"), and dies or is refused; and what it may do it still can, so that the test itself is shown to work.
. "$(dirname "$0")/../tap.sh"
[ "$(id -u)" = 0 ] || skip_all "making another process do things needs root"
inject=$O/tests/sandbox/inject
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
sleep 600 >in &
stop_at_end $!

# start TOOL: it waits for input, in $pid.
start() {
	case $1 in
	cam-seal) cam-seal -i door.key -r me.pub -D 5 <in >/dev/null 2>err 5>ready & ;;
	cam-open) cam-open -k me.key -s door.pub <in >/dev/null 2>err & ;;
	cam-mux) cam-mux <in >/dev/null 2>err & ;;
	cam-key) rm -rf keys && mkdir keys && cam-key -g -P 0 keys/new <in >/dev/null 2>err & ;;
	cam-reap) cam-reap -D 5 spool <in >/dev/null 2>err 5>ready & ;;
	cam-status) cam-status -s 3600 other >/dev/null 2>err & ;;
	esac
	pid=$!
	stop_at_end $pid
	waits 10 confined $pid
}
confined() { grep -q '^Seccomp:	2' /proc/$1/status && grep -qE '^[0-9]+ 0x' /proc/$1/syscall; }
result() { "$inject" "$pid" "$@" 2>&1; }

everyone='execve execveat create unlink link mkdir chmod truncate socket-inet socket-inet6 socket-udp socket-unix socket-netlink
	socket-packet ptrace process-vm-readv process-vm-writev mmap-exec mmap-write-exec mprotect-exec memfd fork thread setuid
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
