#!/bin/sh
# What each profile answers to every system call, against lists that are changed by hand only; then every call
# of this machine for real.
. "$(dirname "$0")/../tap.sh"
matrix=$O/tests/sandbox/matrix
golden=$top/tests/sandbox/golden

for arch in x86_64 aarch64; do
	"$matrix" $arch >now || exit 1
	diff -u "$golden.$arch" now >tap.out
	tap_result $? "$arch: the filters allow what is listed, no more and no less"
	is "$arch: nobody may" "$(grep -cE ' (execve|execveat|ptrace|process_vm_readv|bpf|mount|unshare|setns|setuid|capset|init_module|kexec_load|io_uring_setup|userfaultfd|keyctl|memfd_create|perf_event_open|reboot)[ (].* allowed' now)" 0
	is "$arch: nobody maps anything executable" "$(grep -cE '(mmap|mprotect|pkey_mprotect)\((.*exec)\) allowed' now)" 0
done

"$matrix" -t >table
sed '1,/^\.\\" table begins/d; /^\.\\" table ends/,$d' "$top/man/cam-security.7" | diff -u - table >tap.out
tap_result $? "cam-security(7) has the table of these profiles (make security-table)"

native=$(uname -m)
[ -e "$golden.$native" ] || { tap_done ; }
case $SAN in *address*) echo "# sanitizers: the filter is not entered"; done_testing; exit ;; esac
"$matrix" -l >profiles
while IFS='	' read -r tool phase; do
	"$matrix" -r "$tool" "$phase" </dev/null >tried # lseek() is among the calls
	sed -n "s/^$tool $phase \([a-z0-9_]*\).*/\1/p" "$golden.$native" | sort -u >listed
	# kill and tgkill to another than oneself, and calls of which only some are allowed, die with zeros for arguments
	awk '$NF == "lives" { print $(NF - 1) }' tried | sort -u >lived
	is "$tool, $phase: of $(wc -l <tried) calls tried for real these live" "$(tr '\n' ' ' <lived)" "$(grep -vxE 'ioctl|fcntl|clone' listed | tr '\n' ' ')"
done <profiles
tap_done
