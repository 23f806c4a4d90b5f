/* matrix ARCH: what every profile answers to every system call of ARCH (x86_64 or aarch64), one line for each
 * that does not kill, found by running the generated filter here: TOOL PHASE CALL(ARGUMENTS) ANSWER.
 * matrix -r TOOL PHASE: really does each call of this machine, with zeros for arguments, under the real
 * filter in a child: a line for each that does not end as judged, and how many were tried. matrix -t: the
 * table of cam-security(7). */
#define _GNU_SOURCE
#include "sandbox.h"

#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/media.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <linux/videodev2.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	CALLS_MAX = 1024,
	FILTER_MAX = 4096,
	EXIT_TROUBLE = 111,
	LIVES = 3,
	LOOK_NS = 200000,
	LOOKS_MAX = 300000,
	LINE_BYTES = 512,
	API_LEVEL = 3
};
enum { FOUND_AT = 0x10000, FOUND_BYTES = 16 }; /* where an address that may be connected to would lie */

static void trouble(const char *what)
{
	perror(what);
	exit(EXIT_TROUBLE);
}

/* The subset of classic BPF that seccomp filters are made of. */
static uint32_t judge(const struct sock_filter *f, const struct seccomp_data *d)
{
	uint32_t acc = 0;

	for (const struct sock_filter *i = f;; i++)
		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS: memcpy(&acc, (const char *)d + i->k, sizeof acc); break;
		case BPF_ALU | BPF_AND | BPF_K: acc &= i->k; break;
		case BPF_JMP | BPF_JA: i += i->k; break;
		case BPF_JMP | BPF_JEQ | BPF_K: i += acc == i->k ? i->jt : i->jf; break;
		case BPF_JMP | BPF_JGT | BPF_K: i += acc > i->k ? i->jt : i->jf; break;
		case BPF_JMP | BPF_JGE | BPF_K: i += acc >= i->k ? i->jt : i->jf; break;
		case BPF_RET | BPF_K: return i->k;
		default: fprintf(stderr, "matrix: instruction %#x\n", i->code); exit(EXIT_TROUBLE);
		}
}

static void filter_get(const struct profile *p, uint32_t arch, struct sock_filter out[FILTER_MAX])
{
	const struct sandbox_address found = {
	        (void *)FOUND_AT, FOUND_BYTES}; // NOLINT(performance-no-int-to-ptr): nothing is read there
	sandbox_found(&found, 1);
	scmp_filter_ctx ctx = sandbox_context(p, arch);
	int fd = memfd_create("filter", 0);

	if (!ctx || fd < 0 || seccomp_export_bpf(ctx, fd) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		trouble("filter");
	ssize_t n = read(fd, out, FILTER_MAX * sizeof *out);
	if (n <= 0 || (size_t)n == FILTER_MAX * sizeof *out)
		trouble("filter: size");
	close(fd);
	seccomp_release(ctx);
}

/* Arguments that make a difference somewhere, or should not. */
static const struct probe {
	const char *call, *text;
	uint64_t arg[6];
} probes[] = {
        {"mmap", "read", {0, 4096, PROT_READ}},
        {"mmap", "private", {0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS}},
        {"mmap", "shared", {0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS}},
        {"mmap", "stack", {0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN}},
        {"mmap", "exec", {0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS}},
        {"mmap", "file exec", {0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE}},
        {"mmap", "file write exec", {0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE}},
        {"mmap", "write exec", {0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS}},
        {"mprotect", "write", {0, 4096, PROT_READ | PROT_WRITE}},
        {"mprotect", "exec", {0, 4096, PROT_EXEC}},
        {"fcntl", "F_SETFL", {0, F_SETFL}},
        {"fcntl", "F_DUPFD", {0, F_DUPFD}},
        {"fcntl", "F_DUPFD_CLOEXEC", {0, F_DUPFD_CLOEXEC}},
        {"fcntl", "F_ADD_SEALS", {0, F_ADD_SEALS}},
        {"fcntl", "F_SETLK", {0, F_SETLK}},
        {"fcntl", "F_SETOWN", {0, F_SETOWN}},
        {"fcntl", "F_SETSIG", {0, F_SETSIG}},
        {"fcntl", "F_NOTIFY", {0, F_NOTIFY}},
        {"fcntl", "F_SETLEASE", {0, F_SETLEASE}},
        {"ioctl", "FIONREAD", {0, FIONREAD}},
        {"ioctl", "TCGETS", {0, TCGETS}},
        {"ioctl", "TCSETSF", {0, TCSETSF}},
        {"ioctl", "TIOCSTI", {0, TIOCSTI}},
        {"ioctl", "TIOCLINUX", {0, TIOCLINUX}},
        {"openat", "read", {(uint64_t)AT_FDCWD, 0, O_RDONLY | O_CLOEXEC}},
        {"openat", "directory", {(uint64_t)AT_FDCWD, 0, O_RDONLY | O_DIRECTORY}},
        {"openat", "write", {(uint64_t)AT_FDCWD, 0, O_WRONLY}},
        {"openat", "read write", {(uint64_t)AT_FDCWD, 0, O_RDWR}},
        {"openat", "create", {(uint64_t)AT_FDCWD, 0, O_CREAT | O_RDONLY}},
        {"openat", "truncate", {(uint64_t)AT_FDCWD, 0, O_TRUNC}},
        {"openat", "unnamed", {(uint64_t)AT_FDCWD, 0, O_TMPFILE}},
        {"kill", "init", {1, SIGTERM}},
        {"kill", "all", {(uint64_t)-1, SIGTERM}},
        {"tgkill", "init", {1, 1, SIGTERM}},
        {"ioctl", "camera", {0, VIDIOC_DQBUF}},
        {"ioctl", "media device", {0, MEDIA_IOC_DEVICE_INFO}},
        {"ioctl", "DMA heap", {0, DMA_HEAP_IOCTL_ALLOC}},
        {"ioctl", "DMABUF", {0, DMA_BUF_IOCTL_SYNC}},
        {"ioctl", "VT_ACTIVATE", {0, 0x5606}},
        {"ioctl", "SIOCGIFCONF", {0, SIOCGIFCONF}},
        {"ioctl", "FS_IOC_SETFLAGS", {0, FS_IOC_SETFLAGS}},
        {"clone", "process", {SIGCHLD}},
        {"clone", "fork", {CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD}},
        {"clone", "namespace", {CLONE_NEWUSER | SIGCHLD}},
        {"clone", "thread",
                {CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                        CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID}},
        {"socket", "inet", {AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP}},
        {"socket", "inet6", {AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP}},
        {"socket", "inet datagrams", {AF_INET, SOCK_DGRAM}},
        {"socket", "inet6 datagrams", {AF_INET6, SOCK_DGRAM}},
        {"socket", "inet raw", {AF_INET, SOCK_RAW, IPPROTO_ICMP}},
        {"socket", "inet6 raw", {AF_INET6, SOCK_RAW, IPPROTO_ICMPV6}},
        {"socket", "unix", {AF_UNIX, SOCK_STREAM}},
        {"socket", "unix datagrams", {AF_UNIX, SOCK_DGRAM}},
        {"socket", "netlink routes", {AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE}},
        {"socket", "netlink events", {AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT}},
        {"socket", "netlink filter", {AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER}},
        {"socket", "packet", {AF_PACKET, SOCK_RAW}},
        {"socket", "vsock", {AF_VSOCK, SOCK_STREAM}},
        {"socket", "bluetooth", {AF_BLUETOOTH, SOCK_SEQPACKET}},
        {"connect", "what was found", {0, FOUND_AT, FOUND_BYTES}},
        {"connect", "elsewhere", {0, FOUND_AT + 1, FOUND_BYTES}},
        {"connect", "longer", {0, FOUND_AT, FOUND_BYTES + 1}},
        {"sendto", "connected", {0, 0, 0, MSG_NOSIGNAL | MSG_DONTWAIT, 0}},
        {"sendto", "with an address", {0, 0, 0, MSG_NOSIGNAL, 1}},
        {"sendto", "fast open", {0, 0, 0, MSG_FASTOPEN, 0}},
        {"prctl", "PR_SET_NAME", {15}},
        {"prctl", "PR_SET_DUMPABLE", {4, 1}},
        {"prctl", "PR_SET_NO_NEW_PRIVS", {38, 1}},
        {"prctl", "PR_SET_PDEATHSIG", {1, SIGKILL}},
        {"prctl", "PR_SET_SECCOMP", {22, 2}},
        {"prctl", "PR_SET_PTRACER", {0x59616d61, (uint64_t)-1}},
        {"seccomp", "filter", {SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC}},
        {"seccomp", "filter with listener", {SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER}},
        {"seccomp", "strict", {SECCOMP_SET_MODE_STRICT}},
};

static const char *answer(uint32_t action, char text[32])
{
	switch (action & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW: return "allowed";
	case SECCOMP_RET_ERRNO:
		if (!(action & SECCOMP_RET_DATA))
			return "nothing";
		snprintf(text, 32, "%s", strerrorname_np((int)(action & SECCOMP_RET_DATA)));
		return text;
	case SECCOMP_RET_KILL_PROCESS: return "killed";
	default: snprintf(text, 32, "%#x", action); return text;
	}
}

static int judge_call(
        const struct profile *p, const struct sock_filter *f, uint32_t audit, int nr, const char *name)
{
	struct seccomp_data d = {.nr = nr, .arch = audit};
	char text[32];
	int told = 0;

	for (size_t i = 0; i < sizeof probes / sizeof *probes; i++)
		if (strcmp(probes[i].call, name) == 0) {
			memcpy(d.args, probes[i].arg, sizeof d.args);
			const char *a = answer(judge(f, &d), text);
			if (strcmp(a, "killed") != 0)
				printf("%s %s %s(%s) %s\n", p->tool, p->phase, name, probes[i].text, a);
			told = 1;
		}
	memset(d.args, 0, sizeof d.args);
	uint32_t zeros = judge(f, &d);
	memset(d.args, 0xff, sizeof d.args);
	uint32_t ones = judge(f, &d);
	if (!told && zeros != ones)
		printf("%s %s %s depends on arguments that are not probed\n", p->tool, p->phase, name);
	if (!told && zeros == ones && (zeros & SECCOMP_RET_ACTION_FULL) != SECCOMP_RET_KILL_PROCESS)
		printf("%s %s %s %s\n", p->tool, p->phase, name, answer(zeros, text));
	return zeros != SECCOMP_RET_KILL_PROCESS || ones != SECCOMP_RET_KILL_PROCESS;
}

static int kills(uint32_t action)
{
	action &= SECCOMP_RET_ACTION_FULL;
	return action == SECCOMP_RET_KILL_PROCESS || action == SECCOMP_RET_KILL_THREAD;
}

static int judge_all(const char *arch_name)
{
	static struct sock_filter filter[FILTER_MAX];
	uint32_t arch = seccomp_arch_resolve_name(arch_name);
	/* the tokens of libseccomp are those of the audit system */

	if (!arch)
		return 100;
	for (size_t i = 0; profile_all[i]; i++) {
		filter_get(profile_all[i], arch, filter);
		for (int nr = 0; nr < CALLS_MAX; nr++) {
			char *name = seccomp_syscall_resolve_num_arch(arch, nr);
			if (name)
				judge_call(profile_all[i], filter, arch, nr, name);
			free(name);
		}
		/* what no name is known for, and other ways in, must kill */
		struct seccomp_data d = {.nr = CALLS_MAX + 1, .arch = arch};
		uint32_t unknown = judge(filter, &d);
		d = (struct seccomp_data){.nr = 4, .arch = AUDIT_ARCH_I386};
		uint32_t i386 = judge(filter, &d);
		d = (struct seccomp_data){.nr = 0x40000000 | 1, .arch = arch};
		uint32_t x32 = judge(filter, &d);
		if (!kills(unknown) || !kills(i386) || !kills(x32))
			printf("%s %s other ways in: %#x %#x %#x\n", profile_all[i]->tool,
			        profile_all[i]->phase, unknown, i386, x32);
	}
	return 0;
}

/* --- for real --- */

static void attempt(const struct profile *p, int nr)
{
	sandbox_filter(p);
	syscall(nr, 0, 0, 0, 0, 0, 0);
	syscall(SYS_exit_group, LIVES);
}

/* The first line of a file in /proc/PID, "" when the kernel has none to show. */
static void line_read(pid_t pid, const char *name, char line[LINE_BYTES])
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
	FILE *f = fopen(path, "re");
	if (!f)
		trouble(path);
	if (!fgets(line, LINE_BYTES, f))
		*line = 0;
	fclose(f);
}

/* Whether the attempt has begun, and sleeps. Only there are all arguments zero; what is about to be killed
 * may wait until that has been logged, but not asleep (S). */
static int waits(pid_t pid, int nr)
{
	char want[64], line[LINE_BYTES];

	int n = snprintf(want, sizeof want, "%d 0x0 0x0 0x0 0x0 0x0 0x0 ", nr);
	line_read(pid, "syscall", line);
	if (strncmp(line, want, (size_t)n) != 0)
		return 0;
	line_read(pid, "stat", line);
	const char *end = strrchr(line, ')');
	return end && strncmp(end, ") S", 3) == 0;
}

/* What waits is alive; it is killed, and that it was not killed by the filter before shows in how it ended.
 */
static int dies(const struct profile *p, int nr)
{
	const struct timespec pause = {.tv_nsec = LOOK_NS};
	int status = 0;
	pid_t pid = fork(), over = 0;

	if (pid < 0)
		trouble("fork");
	if (pid == 0)
		attempt(p, nr);
	for (int looks = 0; looks < LOOKS_MAX && !waits(pid, nr); looks++) {
		if ((over = waitpid(pid, &status, WNOHANG)) == pid)
			break;
		nanosleep(&pause, NULL);
	}
	if (over != pid) {
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
	}
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

/* The filter that this machine enforces is the one that was judged: with zeros for arguments. */
static void try_profile(const struct profile *p)
{
	static struct sock_filter filter[FILTER_MAX];
	uint32_t arch = seccomp_arch_native();
	unsigned tried = 0, wrong = 0;

	/* Without a filter, or with one that lets through too much, zeros as root rename this machine, or
	 * worse. */
	if (!sandbox_is_built()) {
		fputs("matrix: -r: built without the sandbox\n", stderr);
		exit(EXIT_TROUBLE);
	}
	if (geteuid() == 0 && unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET) < 0)
		trouble("unshare");
	filter_get(p, arch, filter);
	for (int nr = 0; nr < CALLS_MAX; nr++) {
		char *name = seccomp_syscall_resolve_num_arch(arch, nr);
		struct seccomp_data d = {.nr = nr, .arch = arch};
		if (name) {
			int judged = judge(filter, &d) == SECCOMP_RET_KILL_PROCESS, died = dies(p, nr);
			tried++;
			wrong += judged != died;
			if (judged != died)
				printf("%s %s %s %s\n", p->tool, p->phase, name, died ? "dies" : "lives");
		}
		free(name);
	}
	printf("%u calls tried, %u wrong\n", tried, wrong);
}

static int try_all(const char *tool, const char *phase)
{
	for (size_t i = 0; profile_all[i]; i++)
		if (strcmp(profile_all[i]->tool, tool) == 0 && strcmp(profile_all[i]->phase, phase) == 0) {
			try_profile(profile_all[i]);
			return 0;
		}
	return 100;
}

/* --- the table of cam-security(7) --- */

static unsigned allowed(const struct profile *p, uint32_t arch)
{
	static struct sock_filter filter[FILTER_MAX];
	unsigned n = 0;

	filter_get(p, arch, filter);
	for (int nr = 0; nr < CALLS_MAX; nr++) {
		char *name = seccomp_syscall_resolve_num_arch(arch, nr);
		struct seccomp_data d = {.nr = nr, .arch = arch};
		int some = name && judge(filter, &d) == SECCOMP_RET_ALLOW;
		for (size_t i = 0; name && !some && i < sizeof probes / sizeof *probes; i++)
			if (strcmp(probes[i].call, name) == 0) {
				memcpy(d.args, probes[i].arg, sizeof d.args);
				some = judge(filter, &d) == SECCOMP_RET_ALLOW;
			}
		n += some ? 1 : 0;
		free(name);
	}
	return n;
}

static void places(const struct profile *p)
{
	static const struct {
		unsigned right;
		const char *name;
	} rights[] = {{RIGHT_READ, "read"}, {RIGHT_LIST, "list"}, {RIGHT_WRITE, "write"},
	        {RIGHT_CREATE, "create"}, {RIGHT_REMOVE, "remove"}, {RIGHT_EXECUTE, "execute"},
	        {RIGHT_DEVICE, "ioctl"}};

	if (!p->place[0].what)
		puts("No file.");
	for (unsigned i = 0; i < PROFILE_PLACES_MAX && p->place[i].what; i++) {
		const char *comma = "";
		printf("%s%s: ", i ? ".br\n" : "", p->place[i].what);
		for (size_t k = 0; k < sizeof rights / sizeof *rights; k++)
			if (p->place[i].rights & rights[k].right) {
				printf("%s%s", comma, rights[k].name);
				comma = ", ";
			}
		puts(".");
	}
}

static void ports(const struct profile *p)
{
	if (p->ports)
		printf(".br\nTCP: to the server's port%s.\n",
		        p->ports & PORT_NAMES ? " and to 53, where name servers give long answers" : "");
}

static int table(void)
{
	puts(".Bl -tag -width Ds");
	for (size_t i = 0; profile_all[i]; i++) {
		const struct profile *p = profile_all[i];
		printf(".It Xr %s 1 , No %s\n%u system calls (aarch64: %u).\n", p->tool, p->phase,
		        allowed(p, AUDIT_ARCH_X86_64), allowed(p, AUDIT_ARCH_AARCH64));
		places(p);
		ports(p);
	}
	puts(".El");
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "-l") == 0) {
		for (size_t i = 0; profile_all[i]; i++)
			printf("%s\t%s\n", profile_all[i]->tool, profile_all[i]->phase);
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "-t") == 0)
		return table();
	/* what libseccomp can make, whatever the kernel, or an emulator of one, says that it knows */
	if (argc == 2 && seccomp_api_set(API_LEVEL) == 0)
		return judge_all(argv[1]);
	if (argc == 4 && strcmp(argv[1], "-r") == 0)
		return try_all(argv[2], argv[3]);
	fprintf(stderr, "usage: matrix -l | -t | ARCH | -r TOOL PHASE\n");
	return 100;
}
