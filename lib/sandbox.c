/* Puts a profile into force. Reads nothing, holds nothing; after it the process can do what is in the
 * profile.
 *
 * Constants of Landlock are the kernel's (linux/landlock.h) and are repeated here because Debian 12's headers
 * end before network ports (ABI 4) and scopes (ABI 6). */
#define _GNU_SOURCE
#include "sandbox.h"

#include "msg.h"

#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* A build that runs without, and says why. */
#ifdef WITHOUT_SANDBOX
static const char *const built_without = "built with NOSANDBOX=1";
#elif SANITIZED
static const char *const built_without = "built with sanitizers";
#else
static const char *const built_without = NULL;
#endif

const char sandbox_next[] = "";

enum { INHERITED_FDS = 64 };

static int landlock_waived, said;
static unsigned server_port;
static struct sandbox_address found[SANDBOX_FOUND_MAX];
static size_t found_count;

void sandbox_waive(const char *what)
{
	if (strcmp(what, "landlock") != 0)
		die(EXIT_USAGE, "-Z %s: only landlock can be done without", what);
	landlock_waived = 1;
}

void sandbox_server(unsigned port)
{
	server_port = port;
}

void sandbox_found(const struct sandbox_address *address, size_t n)
{
	found_count = n < SANDBOX_FOUND_MAX ? n : SANDBOX_FOUND_MAX;
	memcpy(found, address, found_count * sizeof *address);
}

/* --- limits --- */

static void limit(int resource, rlim_t most, const char *what)
{
	struct rlimit now;

	if (getrlimit(resource, &now) < 0)
		die_errno(EXIT_TEMPORARY, "sandbox: %s", what);
	struct rlimit l = {.rlim_cur = most < now.rlim_max ? most : now.rlim_max};
	l.rlim_max = l.rlim_cur;
	if (setrlimit(resource, &l) < 0)
		die_errno(EXIT_TEMPORARY, "sandbox: %s", what);
}

/* In a shell, output, messages and readiness may go to files; then the limit would end the tool. */
static int files_are_open(void)
{
	struct stat st;

	for (int fd = 1; fd < INHERITED_FDS; fd++)
		if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		        (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY)
			return 1;
	return 0;
}

static void limits(const struct profile *p)
{
	limit(RLIMIT_CORE, 0, "core files");
	if (p->descriptors_max)
		limit(RLIMIT_NOFILE, p->descriptors_max, "descriptors");
	if (!p->writes_files && !files_are_open())
		limit(RLIMIT_FSIZE, 0, "file sizes");
}

/* --- capabilities --- */

static void capabilities(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

	/* The bounding set while CAP_SETPCAP is still there; on the device the run script has emptied it. */
	for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 && errno == EPERM)
			break;
	(void)prctl(
	        PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); /* nothing is left of it below either */
	if (syscall(SYS_capset, &head, none) < 0)
		die_errno(EXIT_TEMPORARY, "sandbox: capabilities");
}

/* --- Landlock --- */

enum {
	ACCESS_EXECUTE = 1 << 0,
	ACCESS_WRITE_FILE = 1 << 1,
	ACCESS_READ_FILE = 1 << 2,
	ACCESS_READ_DIR = 1 << 3,
	ACCESS_REMOVE_FILE = 1 << 5,
	ACCESS_MAKE_REG = 1 << 8,
	ACCESS_TRUNCATE = 1 << 14,
	ACCESS_IOCTL_DEV = 1 << 15,
	ACCESS_OF_FILES =
	        ACCESS_EXECUTE | ACCESS_WRITE_FILE | ACCESS_READ_FILE | ACCESS_TRUNCATE | ACCESS_IOCTL_DEV,
	ACCESS_CONNECT_TCP = 1 << 1, /* of ports */
	RULE_PATH_BENEATH = 1,
	RULE_NET_PORT = 2,
	CREATE_VERSION = 1 << 0,
	ABI_NET = 4,
	ABI_SCOPED = 6,
	NAMES_PORT = 53,
};

struct ruleset_attr {
	uint64_t fs, net, scoped;
};

struct path_beneath {
	uint64_t access;
	int32_t fd;
} __attribute__((packed));

struct net_port {
	uint64_t access, port;
};

/* Every right on files that this version of Landlock can take away: bits 0 to 12 from the first, then one
 * more with versions 2, 3 and 5. */
static uint64_t rights_known(int abi)
{
	int bits = abi >= 5 ? 16 : abi >= 3 ? 15 : abi == 2 ? 14 : 13;
	return (UINT64_C(1) << bits) - 1;
}

static uint64_t rights_access(unsigned rights)
{
	uint64_t a = 0;

	a |= rights & RIGHT_READ ? ACCESS_READ_FILE | ACCESS_READ_DIR : 0;
	a |= rights & RIGHT_LIST ? ACCESS_READ_DIR : 0;
	a |= rights & RIGHT_WRITE ? ACCESS_WRITE_FILE | ACCESS_TRUNCATE : 0;
	a |= rights & RIGHT_CREATE ? ACCESS_MAKE_REG : 0;
	a |= rights & RIGHT_REMOVE ? ACCESS_REMOVE_FILE : 0;
	a |= rights & RIGHT_EXECUTE ? ACCESS_EXECUTE : 0;
	a |= rights & RIGHT_DEVICE ? ACCESS_IOCTL_DEV : 0;
	return a;
}

static void place_allow(int ruleset, uint64_t known, const struct profile_place *place, const char *path)
{
	struct path_beneath rule = {.access = rights_access(place->rights) & known};
	struct stat st;

	rule.fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.fd < 0)
		return;
	if (fstat(rule.fd, &st) < 0)
		die_errno(EXIT_TEMPORARY, "sandbox: %s: %s", place->what, path);
	if (!S_ISDIR(st.st_mode))
		rule.access &= ACCESS_OF_FILES;
	if (rule.access && syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0) < 0)
		die_errno(EXIT_TEMPORARY, "sandbox: %s: %s", place->what, path);
	close(rule.fd);
}

static void places_allow(
        const struct profile *p, int ruleset, uint64_t known, const char *const *path, size_t n)
{
	unsigned place = 0;
	int in_groups = 0;

	for (size_t i = 0; i < n; i++)
		in_groups |= path[i] == sandbox_next;
	for (size_t i = 0; i < n; i++) {
		if ((in_groups ? path[i] == sandbox_next : i > 0) && place + 1 < PROFILE_PLACES_MAX &&
		        p->place[place + 1].what)
			place++;
		if (path[i] && path[i] != sandbox_next && p->place[place].what)
			place_allow(ruleset, known, &p->place[place], path[i]);
	}
}

static void port_allow(int ruleset, unsigned port)
{
	struct net_port rule = {.access = ACCESS_CONNECT_TCP, .port = port};

	if (syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &rule, 0) < 0)
		die_errno(EXIT_TEMPORARY, "sandbox: port %u", port);
}

static void landlock(const struct profile *p, const char *const *path, size_t n)
{
	int abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_VERSION);

	if (abi < 1 && !landlock_waived)
		die(EXIT_TEMPORARY, "sandbox: this kernel has no Landlock (%s): -Z landlock does without",
		        strerror(errno));
	if (abi < 1) {
		if (!said)
			msg("sandbox: without Landlock, as -Z says");
		said = 1;
		return;
	}
	struct ruleset_attr attr = {.fs = rights_known(abi),
	        .net = abi >= ABI_NET ? 3 : 0,        /* bind and connect of TCP */
	        .scoped = abi >= ABI_SCOPED ? 3 : 0}; /* abstract sockets and signals to outside */
	size_t size = abi >= ABI_SCOPED ? 24 : abi >= ABI_NET ? 16 : 8;
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	if (ruleset < 0)
		die_errno(EXIT_TEMPORARY, "sandbox: Landlock");
	places_allow(p, ruleset, attr.fs, path, n);
	if (abi >= ABI_NET && p->ports & PORT_SERVER)
		port_allow(ruleset, server_port);
	if (abi >= ABI_NET && p->ports & PORT_NAMES)
		port_allow(ruleset, NAMES_PORT);
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		die_errno(EXIT_TEMPORARY, "sandbox: Landlock");
	close(ruleset);
}

/* --- system calls --- */

typedef int adder(scmp_filter_ctx ctx, int nr);

static int allow(scmp_filter_ctx ctx, int nr)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 0);
}

static int allow_data(scmp_filter_ctx ctx, int nr)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
}

/* RLIMIT_DATA counts neither shared memory nor stacks that grow. */
static int allow_memory(scmp_filter_ctx ctx, int nr)
{
	int r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 2, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
	        SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS | MAP_GROWSDOWN, 0));
	return r ? r
	         : seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 2, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
	                   SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_TYPE,
	                           MAP_ANONYMOUS | MAP_PRIVATE));
}

static int allow_code(scmp_filter_ctx ctx, int nr)
{
	int r = allow_memory(ctx, nr);
	return r ? r
	         : seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 2,
	                   SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC | PROT_WRITE, PROT_EXEC),
	                   SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, 0));
}

static int allow_self(scmp_filter_ctx ctx, int nr)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 1, SCMP_A0_32(SCMP_CMP_EQ, (uint32_t)getpid(), 0));
}

static int allow_one_of(scmp_filter_ctx ctx, int nr, const uint32_t *second, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n && !r; i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 1, SCMP_A1_32(SCMP_CMP_EQ, second[i], 0));
	return r;
}

static int allow_flags(scmp_filter_ctx ctx, int nr)
{
	static const uint32_t commands[] = {F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETPIPE_SZ, F_SETPIPE_SZ};
	return allow_one_of(ctx, nr, commands, sizeof commands / sizeof *commands);
}

static int allow_buffers(scmp_filter_ctx ctx, int nr)
{
	static const uint32_t commands[] = {F_DUPFD_CLOEXEC, F_ADD_SEALS, F_GET_SEALS};
	int r = allow_flags(ctx, nr);
	return r ? r : allow_one_of(ctx, nr, commands, sizeof commands / sizeof *commands);
}

static int allow_locks(scmp_filter_ctx ctx, int nr)
{
	static const uint32_t commands[] = {F_GETLK, F_SETLK};
	int r = allow_buffers(ctx, nr);
	return r ? r : allow_one_of(ctx, nr, commands, sizeof commands / sizeof *commands);
}

static int allow_asking(scmp_filter_ctx ctx, int nr)
{
	static const uint32_t requests[] = {FIONREAD, TCGETS};
	return allow_one_of(ctx, nr, requests, sizeof requests / sizeof *requests);
}

static int allow_terminal(scmp_filter_ctx ctx, int nr)
{
	static const uint32_t requests[] = {FIONREAD, TCGETS, TCSETS, TCSETSF};
	return allow_one_of(ctx, nr, requests, sizeof requests / sizeof *requests);
}

/* Only requests that carry something: type V without is the consoles'. */
static int allow_video(scmp_filter_ctx ctx, int nr)
{
	static const uint32_t asking[] = {FIONREAD, TCGETS, DMA_HEAP_IOCTL_ALLOC, DMA_BUF_IOCTL_SYNC,
	        DMA_BUF_SET_NAME_A, DMA_BUF_SET_NAME_B};
	static const uint32_t type[] = {'V' << 8, '|' << 8};
	static const uint32_t way[] = {UINT32_C(1) << 30, UINT32_C(2) << 30, UINT32_C(3) << 30};
	int r = allow_one_of(ctx, nr, asking, sizeof asking / sizeof *asking);

	for (size_t i = 0; i < 6 && !r; i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 1,
		        SCMP_A1_32(SCMP_CMP_MASKED_EQ, UINT32_C(0xc000ff00), way[i / 2] | type[i % 2]));
	return r;
}

static int allow_read_only(scmp_filter_ctx ctx, int nr)
{
	const uint32_t writing = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY);
	return seccomp_rule_add(
	        ctx, SCMP_ACT_ALLOW, nr, 1, SCMP_A2_32(SCMP_CMP_MASKED_EQ, writing, O_RDONLY));
}

static int allow_thread(scmp_filter_ctx ctx, int nr)
{
	const uint32_t thread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
	                        CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
	int r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), nr, 1, SCMP_A0_32(SCMP_CMP_NE, thread, 0));
	return r ? r : seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 1, SCMP_A0_32(SCMP_CMP_EQ, thread, 0));
}

static int allow_child(scmp_filter_ctx ctx, int nr)
{
	const uint32_t fork = CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD;
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 1, SCMP_A0_32(SCMP_CMP_EQ, fork, 0));
}

static int allow_sending(scmp_filter_ctx ctx, int nr)
{
	const uint32_t harmless = MSG_NOSIGNAL | MSG_DONTWAIT;
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 2, SCMP_A3_32(SCMP_CMP_MASKED_EQ, ~harmless, 0),
	        SCMP_A4(SCMP_CMP_EQ, 0, 0));
}

static int allow_socket(scmp_filter_ctx ctx, int nr, uint32_t family, uint32_t type)
{
	const uint32_t without = ~(uint32_t)(SOCK_CLOEXEC | SOCK_NONBLOCK);
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 2, SCMP_A0_32(SCMP_CMP_EQ, family, 0),
	        SCMP_A1_32(SCMP_CMP_MASKED_EQ, without, type));
}

static int allow_internet(scmp_filter_ctx ctx, int nr)
{
	int r = allow_socket(ctx, nr, AF_INET, SOCK_STREAM);
	return r ? r : allow_socket(ctx, nr, AF_INET6, SOCK_STREAM);
}

static int allow_netlink(scmp_filter_ctx ctx, int nr, uint32_t type, uint32_t protocol)
{
	const uint32_t without = ~(uint32_t)(SOCK_CLOEXEC | SOCK_NONBLOCK);
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 3, SCMP_A0_32(SCMP_CMP_EQ, AF_NETLINK, 0),
	        SCMP_A1_32(SCMP_CMP_MASKED_EQ, without, type), SCMP_A2_32(SCMP_CMP_EQ, protocol, 0));
}

static int allow_resolving(scmp_filter_ctx ctx, int nr)
{
	int r = allow_internet(ctx, nr);
	r = r ? r : allow_socket(ctx, nr, AF_INET, SOCK_DGRAM);
	r = r ? r : allow_socket(ctx, nr, AF_INET6, SOCK_DGRAM);
	r = r ? r : allow_socket(ctx, nr, AF_UNIX, SOCK_STREAM);
	return r ? r : allow_netlink(ctx, nr, SOCK_RAW, NETLINK_ROUTE);
}

static int allow_uevents(scmp_filter_ctx ctx, int nr)
{
	return allow_netlink(ctx, nr, SOCK_RAW, NETLINK_KOBJECT_UEVENT);
}

static int allow_found(scmp_filter_ctx ctx, int nr)
{
	int r = 0;

	for (size_t i = 0; i < found_count && !r; i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 2,
		        SCMP_A1(SCMP_CMP_EQ, (uintptr_t)found[i].at, 0),
		        SCMP_A2_32(SCMP_CMP_EQ, found[i].bytes, 0));
	return r;
}

static int allow_narrowing(scmp_filter_ctx ctx, int nr)
{
	const uint32_t all_threads = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
	static const uint32_t process[] = {PR_SET_NO_NEW_PRIVS, PR_SET_PDEATHSIG};
	int r = 0;

	if (nr == SCMP_SYS(seccomp))
		return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 2,
		        SCMP_A0_32(SCMP_CMP_EQ, SECCOMP_SET_MODE_FILTER, 0),
		        SCMP_A1_32(SCMP_CMP_MASKED_EQ, ~all_threads, 0));
	for (size_t i = 0; i < sizeof process / sizeof *process && !r; i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 1, SCMP_A0_32(SCMP_CMP_EQ, process[i], 0));
	return r;
}

static int do_nothing(scmp_filter_ctx ctx, int nr)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ERRNO(0), nr, 0);
}

static int refuse_no_sys(scmp_filter_ctx ctx, int nr)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), nr, 0);
}

static int refuse_no_access(scmp_filter_ctx ctx, int nr)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EACCES), nr, 0);
}

static int refuse_no_perm(scmp_filter_ctx ctx, int nr)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), nr, 0);
}

static adder *const add[] = {
        [CALL_ANY] = allow,
        [CALL_DATA] = allow_data,
        [CALL_MEMORY] = allow_memory,
        [CALL_CODE] = allow_code,
        [CALL_SELF] = allow_self,
        [CALL_FLAGS] = allow_flags,
        [CALL_BUFFERS] = allow_buffers,
        [CALL_LOCKS] = allow_locks,
        [CALL_ASKING] = allow_asking,
        [CALL_READ_ONLY] = allow_read_only,
        [CALL_THREAD] = allow_thread,
        [CALL_TERMINAL] = allow_terminal,
        [CALL_VIDEO] = allow_video,
        [CALL_CHILD] = allow_child,
        [CALL_SENDING] = allow_sending,
        [CALL_RESOLVING] = allow_resolving,
        [CALL_INTERNET] = allow_internet,
        [CALL_UEVENTS] = allow_uevents,
        [CALL_FOUND] = allow_found,
        [CALL_NARROWING] = allow_narrowing,
        [CALL_NOTHING] = do_nothing,
        [CALL_NO_SYS] = refuse_no_sys,
        [CALL_NO_ACCESS] = refuse_no_access,
        [CALL_NO_PERM] = refuse_no_perm,
};

/* A call that a later group names too has the later group's rule. */
static int named_later(const struct profile *p, size_t group, const char *name)
{
	while (++group < PROFILE_GROUPS_MAX && p->group[group])
		for (const struct profile_call *c = p->group[group]; c->name; c++)
			if (strcmp(c->name, name) == 0)
				return 1;
	return 0;
}

static int calls_add(scmp_filter_ctx ctx, const struct profile *p)
{
	for (size_t g = 0; g < PROFILE_GROUPS_MAX && p->group[g]; g++)
		for (const struct profile_call *c = p->group[g]; c->name; c++) {
			int nr = seccomp_syscall_resolve_name(c->name);
			if (nr == __NR_SCMP_ERROR || named_later(p, g, c->name))
				continue;
			int r = add[c->rule](ctx, nr);
			if (r < 0)
				return r;
		}
	return 0;
}

void *sandbox_context(const struct profile *p, unsigned arch)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int r = ctx ? 0 : -ENOMEM;

	if (!r && arch && arch != seccomp_arch_native()) {
		r = seccomp_arch_add(ctx, arch);
		r = r ? r : seccomp_arch_remove(ctx, seccomp_arch_native());
	}
	r = r ? r : seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	r = r ? r
	      : seccomp_attr_set(
	                ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a tree: calls late in the list cost no more */
	/* A tracer that skips a call makes its number -1 (strace does when it injects faults). */
	r = r ? r : seccomp_attr_set(ctx, SCMP_FLTATR_API_TSKIP, 1);
	r = r ? r : seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), -1, 0);
	r = r ? r : calls_add(ctx, p);
	if (r) {
		seccomp_release(ctx);
		errno = -r;
		return NULL;
	}
	return ctx;
}

/* --- all of it --- */

static int runs_without(void)
{
	/* the tests run such builds to find other things than this line */
	if (built_without && !said && !getenv("CAM_TESTS_KNOW"))
		msg("%s: runs without a sandbox", built_without);
	said |= built_without != NULL;
	return built_without != NULL;
}

int sandbox_is_built(void)
{
	return !runs_without();
}

void sandbox_confine(const struct profile *p, const char *const *path, size_t n)
{
	if (runs_without())
		return;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		die_errno(EXIT_TEMPORARY, "sandbox");
	limits(p);
	capabilities();
	landlock(p, path, n);
}

void sandbox_filter(const struct profile *p)
{
	if (runs_without())
		return;
	scmp_filter_ctx ctx = sandbox_context(p, 0);
	if (!ctx)
		die_errno(EXIT_TEMPORARY, "sandbox: system calls");
	int r = seccomp_load(ctx);
	if (r < 0)
		die(EXIT_TEMPORARY, "sandbox: system calls: %s", strerror(-r));
	seccomp_release(ctx);
}

void sandbox_enter(const struct profile *p, const char *const *path, size_t n)
{
	sandbox_confine(p, path, n);
	sandbox_filter(p);
}

void sandbox_narrow(const struct profile *p, const char *const *path, size_t n)
{
	if (runs_without())
		return;
	landlock(p, path, n);
	sandbox_filter(p);
}
