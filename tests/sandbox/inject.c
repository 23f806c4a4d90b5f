/* inject TID DEED [ARGUMENT [PATH]]: makes a live thread do something, as one who broke into it would, and
 * prints what came of it: "killed", "refused: ERRNO" or "done: VALUE".
 *
 * The next system call of the thread, whatever it is, becomes another one; if the thread survives, its own
 * call is made after that, and it goes on as if nothing had been. Needs root. */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SCRATCH_BYTES = 4096, EXIT_TROUBLE = 111, PATIENCE_S = 60 };

#ifdef __x86_64__
typedef struct user_regs_struct regs;
#define SP(r) ((r)->rsp)
#define RESULT(r) ((long)(r)->rax)
static void call_set(pid_t tid, regs *r, long nr, const uint64_t a[6])
{
	(void)tid;
	r->orig_rax = (uint64_t)nr;
	r->rdi = a[0], r->rsi = a[1], r->rdx = a[2], r->r10 = a[3], r->r8 = a[4], r->r9 = a[5];
}
/* r is as it was when the call began: it begins again. */
static void call_again(regs *r)
{
	r->rip -= 2; /* bytes of the instruction */
	r->rax = r->orig_rax;
	r->orig_rax = (uint64_t)-1;
}
#elif defined(__aarch64__)
typedef struct user_regs_struct regs;
#define SP(r) ((r)->sp)
#define RESULT(r) ((long)(r)->regs[0])
static void call_set(pid_t tid, regs *r, long nr, const uint64_t a[6])
{
	int n = (int)nr;
	struct iovec v = {&n, sizeof n};
	(void)ptrace(PTRACE_SETREGSET, tid, NT_ARM_SYSTEM_CALL, &v);
	memcpy(r->regs, a, 6 * sizeof *a);
}
static void call_again(regs *r)
{
	r->pc -= 4;
}
#endif

struct deed {
	const char *name;
	long nr;
	uint64_t arg[6];
	/* Which arguments are addresses of scratch memory: letters a to f; the first two hold the paths, the
	 * rest point at zeros. In capitals: which one is the number given, if any; then the first scratch
	 * is the second argument given, as a port of 127.0.0.1 in an address. */
	const char *scratch;
};

#define FD_CWD ((uint64_t)AT_FDCWD)

static const struct deed deeds[] = {
        {"getpid", SYS_getpid, {0}, ""},
        {"execve", SYS_execve, {0}, "a"},
        {"execveat", SYS_execveat, {FD_CWD, 0, 0, 0, 0}, "b"},
        {"open", SYS_openat, {FD_CWD, 0, O_RDONLY}, "b"},
        {"open-write", SYS_openat, {FD_CWD, 0, O_WRONLY}, "b"},
        {"create", SYS_openat, {FD_CWD, 0, O_WRONLY | O_CREAT, 0600}, "b"},
        {"unlink", SYS_unlinkat, {FD_CWD, 0, 0}, "b"},
        {"rename", SYS_renameat2, {FD_CWD, 0, FD_CWD, 0, 0}, "bd"},
        {"link", SYS_linkat, {FD_CWD, 0, FD_CWD, 0, 0}, "bd"},
        {"mkdir", SYS_mkdirat, {FD_CWD, 0, 0700}, "b"},
        {"chmod", SYS_fchmodat, {FD_CWD, 0, 0777}, "b"},
        {"truncate", SYS_truncate, {0, 0}, "a"},
        {"socket-inet", SYS_socket, {AF_INET, SOCK_STREAM, 0}, ""},
        {"socket-inet6", SYS_socket, {AF_INET6, SOCK_STREAM, 0}, ""},
        {"socket-udp", SYS_socket, {AF_INET, SOCK_DGRAM, 0}, ""},
        {"socket-unix", SYS_socket, {AF_UNIX, SOCK_STREAM, 0}, ""},
        {"socket-netlink", SYS_socket, {AF_NETLINK, SOCK_RAW, 0}, ""},
        {"socket-packet", SYS_socket, {AF_PACKET, SOCK_RAW, 0}, ""},
        {"ptrace", SYS_ptrace, {PTRACE_ATTACH, 1}, ""},
        {"process-vm-readv", SYS_process_vm_readv, {1, 0, 1, 0, 1, 0}, "bd"},
        {"process-vm-writev", SYS_process_vm_writev, {1, 0, 1, 0, 1, 0}, "bd"},
        {"mmap-exec", SYS_mmap,
                {0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1, 0}, ""},
        {"mmap-write-exec", SYS_mmap,
                {0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1, 0},
                ""},
        {"mprotect-exec", SYS_mprotect, {0, 4096, PROT_READ | PROT_EXEC}, "a"},
        {"memfd", SYS_memfd_create, {0, 0}, "a"},
        {"fork", SYS_clone, {SIGCHLD, 0, 0, 0, 0}, ""},
        {"thread", SYS_clone, {CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD, 0, 0, 0, 0},
                ""},
        {"clone3", SYS_clone3, {0, 64}, "a"},
        {"setuid", SYS_setuid, {0}, ""},
        {"setresuid", SYS_setresuid, {0, 0, 0}, ""},
        {"bpf", SYS_bpf, {BPF_PROG_LOAD, 0, 64}, "b"},
        {"userfaultfd", SYS_userfaultfd, {0}, ""},
        {"io-uring", SYS_io_uring_setup, {1, 0}, "b"},
        {"keyctl", SYS_keyctl, {0}, ""},
        {"mount", SYS_mount, {0, 0, 0, 0, 0}, "abc"},
        {"unshare", SYS_unshare, {CLONE_NEWUSER}, ""},
        {"setns", SYS_setns, {0, 0}, ""},
        {"kill-init", SYS_kill, {1, 0}, ""},
        {"kill-all", SYS_kill, {(uint64_t)-1, 0}, ""},
        {"perf", SYS_perf_event_open, {0, 0, (uint64_t)-1, (uint64_t)-1, 0}, "a"},
        {"reboot", SYS_reboot, {0, 0, 0, 0}, ""},
        {"module", SYS_finit_module, {0, 0, 0}, "b"},
        {"clock", SYS_clock_settime, {0, 0}, "b"},
        {"tty-inject", SYS_ioctl, {0, 0x5412, 0}, "c"},
        {"dup-own", SYS_fcntl, {0, F_SETOWN, 1}, ""},
        {"chroot", SYS_chroot, {0}, "a"},
        {"pidfd", SYS_pidfd_open, {1, 0}, ""},
        {"statx", SYS_statx, {FD_CWD, 0, 0, 0, 0}, "be"},
        {"kill-other", SYS_kill, {0, SIGKILL}, "A"},
        {"tgkill-other", SYS_tgkill, {0, 0, SIGKILL}, "AB"},
        {"ptrace-other", SYS_ptrace, {PTRACE_ATTACH, 0, 0, 0}, "B"},
        {"vm-readv-other", SYS_process_vm_readv, {0, 0, 1, 0, 1, 0}, "Abd"},
        {"pidfd-other", SYS_pidfd_open, {0, 0}, "A"},
        {"kcmp-other", SYS_kcmp, {0, 0, 0, 0, 0}, "A"},
        {"connect", SYS_connect, {0, 0, sizeof(struct sockaddr_in)}, "Ab"},
        {"sendto", SYS_sendto, {0, 0, 1, MSG_NOSIGNAL, 0, sizeof(struct sockaddr_in)}, "Aeb"},
        {"bind", SYS_bind, {0, 0, sizeof(struct sockaddr_in)}, "Ab"},
        {"close", SYS_close, {0}, "A"},
        {"memory", SYS_mmap, {0, 0, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1, 0},
                "B"},
        {"mmap-shared", SYS_mmap,
                {0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, (uint64_t)-1, 0}, ""},
        {"mmap-stack", SYS_mmap,
                {0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN, (uint64_t)-1,
                        0},
                ""},
};

static void trouble(const char *what)
{
	fprintf(stderr, "inject: %s: %s\n", what, strerror(errno));
	exit(EXIT_TROUBLE);
}

static void regs_get(pid_t pid, regs *r)
{
	struct iovec v = {r, sizeof *r};
	if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &v) < 0)
		trouble("registers");
}

static void regs_put(pid_t pid, regs *r)
{
	struct iovec v = {r, sizeof *r};
	if (ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &v) < 0)
		trouble("registers");
}

static void memory(pid_t pid, uint64_t at, void *p, size_t n, int put)
{
	void *there =
	        (void *)(uintptr_t)at; // NOLINT(performance-no-int-to-ptr): an address in another process
	struct iovec own = {p, n}, theirs = {there, n};
	ssize_t r = put ? process_vm_writev(pid, &own, 1, &theirs, 1, 0)
	                : process_vm_readv(pid, &own, 1, &theirs, 1, 0);
	if (r != (ssize_t)n)
		trouble("memory");
}

/* The filter's signal waits for the thread, which is shown once more as if its call had ended. */
static int is_doomed(pid_t tid)
{
	char path[64], line[128];
	unsigned long long pending = 0;

	snprintf(path, sizeof path, "/proc/%d/status", (int)tid);
	FILE *f = fopen(path, "re");
	while (f && fgets(line, sizeof line, f))
		if (strncmp(line, "SigPnd:", 7) == 0)
			pending = strtoull(line + 7, NULL, 16);
	if (f)
		fclose(f);
	return (pending & 1ull << (SIGSYS - 1)) != 0;
}

/* Goes on until the next call begins or ends. 0, or 1: killed by the filter. */
static int call_wait(pid_t tid)
{
	int status, signal = 0;

	for (;;) {
		if (ptrace(PTRACE_SYSCALL, tid, 0, signal) < 0)
			trouble("go on");
		if (waitpid(tid, &status, __WALL) != tid)
			trouble("wait");
		if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
			return 1;
		if (!WIFSTOPPED(status)) {
			fprintf(stderr, "inject: it ended otherwise: %#x\n", (unsigned)status);
			exit(EXIT_TROUBLE);
		}
		if (WSTOPSIG(status) == (SIGTRAP | 0x80))
			return 0;
		signal = status >> 16 ? 0 : WSTOPSIG(status); /* not an event of ptrace: its own */
	}
}

static const struct deed *deed_find(const char *name)
{
	for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++)
		if (strcmp(deeds[i].name, name) == 0)
			return &deeds[i];
	fprintf(stderr, "inject: %s: no such deed\n", name);
	exit(100);
}

/* What the deed is done with: *scratch and arg, when scratch lies at the address at. */
static void arguments(const struct deed *d, int argc, char **argv, uint64_t at, char scratch[SCRATCH_BYTES],
        uint64_t arg[6])
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	uint64_t n = 0;

	memcpy(arg, d->arg, sizeof d->arg);
	if (*d->scratch >= 'A' && *d->scratch <= 'F') {
		to.sin_port = htons((uint16_t)(argc > 4 ? strtoul(argv[4], NULL, 10) : 0));
		memcpy(scratch, &to, sizeof to);
	} else {
		for (int i = 3; i < argc; i++)
			snprintf(scratch + (i - 3) * 1024, 1024, "%s", argv[i]);
	}
	for (const char *s = d->scratch; *s; s++)
		if (*s <= 'F')
			arg[*s - 'A'] = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
		else
			arg[*s - 'a'] = at + n++ * 1024;
}

int main(int argc, char **argv)
{
	static char scratch[SCRATCH_BYTES], saved[SCRATCH_BYTES];
	uint64_t arg[6];
	regs before, r;

	if (argc == 2 && strcmp(argv[1], "-l") == 0) {
		for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++)
			puts(deeds[i].name);
		return 0;
	}
	if (argc < 3 || argc > 5) {
		fprintf(stderr, "usage: inject -l | TID DEED [ARGUMENT [PATH]]\n");
		return 100;
	}
	pid_t tid = (pid_t)strtol(argv[1], NULL, 10);
	const struct deed *d = deed_find(argv[2]);
	alarm(PATIENCE_S); /* and its death lets the thread go */
	if (ptrace(PTRACE_SEIZE, tid, 0, PTRACE_O_TRACESYSGOOD) < 0 ||
	        ptrace(PTRACE_INTERRUPT, tid, 0, 0) < 0 || waitpid(tid, NULL, __WALL) != tid)
		trouble("attach");
	if (call_wait(tid)) {
		errno = ESRCH;
		trouble("died of its own call");
	}
	regs_get(tid, &before);
	uint64_t at = (SP(&before) - 2 * SCRATCH_BYTES) & ~(uint64_t)(SCRATCH_BYTES - 1);
	memory(tid, at, saved, sizeof saved, 0);
	arguments(d, argc, argv, at, scratch, arg);
	memory(tid, at, scratch, sizeof scratch, 1);
	r = before;
	call_set(tid, &r, d->nr, arg);
	regs_put(tid, &r);
	if (call_wait(tid) || (is_doomed(tid) && call_wait(tid))) {
		puts("killed");
		return 0;
	}
	regs_get(tid, &r);
	long result = RESULT(&r);
	memory(tid, at, saved, sizeof saved, 1);
	call_again(&before);
	regs_put(tid, &before);
	if (ptrace(PTRACE_DETACH, tid, 0, 0) < 0)
		trouble("detach");
	if (result < 0 && result > -4096)
		printf("refused: %s\n", strerrorname_np((int)-result));
	else
		printf("done: %ld\n", result);
	return 0;
}
