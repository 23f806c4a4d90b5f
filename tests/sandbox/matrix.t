#!/bin/sh
# defends: see.uploader enter.kernel
# What each profile answers to every system call, against lists that are changed by hand only; then every call
# of this machine for real.
. "$(dirname "$0")/../tap.sh"
matrix=$O/tests/sandbox/matrix
golden=$top/tests/sandbox/golden

for arch in x86_64 aarch64; do
	"$matrix" $arch >now || exit 1
	diff -u "$golden.$arch" now >tap.out
	tap_result $? "$arch: the filters allow what is listed, no more and no less"
	# memory files and files of code: only while libcamera loads its modules
	grep -vE '^cam-capture opening a camera (memfd_create|mmap\(file exec\)) allowed' now >others
	is "$arch: nobody may" "$(grep -E ' (execve|execveat|ptrace|process_vm_readv|bpf|mount|unshare|setns|setuid|capset|init_module|kexec_load|io_uring_setup|userfaultfd|keyctl|memfd_create|perf_event_open|reboot)( |\(.*\) )allowed' others)" ""
	is "$arch: nobody maps anything executable" "$(grep -E ' (mmap|mprotect|pkey_mprotect)\(.*exec\) allowed' others)" ""
	is "$arch: a socket is made by the dialer and for udev only" \
		"$(grep -E ' socket\(.*\) allowed' now | grep -vE '^cam-ship dialer (waiting|resolving) |^cam-ship dialer connecting socket\(inet6?\)|^cam-capture opening a camera socket\(netlink events\)')" ""
done

"$matrix" -t >table
sed '1,/^\.\\" table begins/d; /^\.\\" table ends/,$d' "$top/man/cam-security.7" | diff -u - table >tap.out
tap_result $? "cam-security(7) has the table of these profiles (make security-table)"

case $SAN in *address*) echo "# sanitizers: the filter is not entered"; tap_done ;; esac
"$matrix" -l >profiles
: >input
while IFS='	' read -r tool phase; do
	"$matrix" -r "$tool" "$phase" <input >tried # descriptor 0 is what each is about
	is "$tool, $phase: what was judged is what is enforced: $(tail -n 1 tried)" "$(grep -v ' tried, ' tried; grep -c '^[1-9][0-9]* calls tried, 0 wrong' tried)" 1
done <profiles
tap_done
