/* Reads /proc/PID of the camera's processes and their threads, and /sys/fs/cgroup. Of the environment and the
 * command line only names are ever shown. A file that cannot be read, and a process that ends meanwhile, were
 * not seen. */
#define _GNU_SOURCE
#include "processes.h"

#include "list.h"
#include "process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TOOLS_MAX = 256, NOFILE_MAX = 1024, NPROC_MAX = 4096, MEMLOCK_MAX_BYTES = 64 << 20 };

/* When memory runs out the process with the most of it is ended, as if it had this many thousandths of all
 * memory more or less (proc(5)). What records is spared while it takes less than half; everything else starts
 * at 0. */
enum { OOM_RECORDS_MAX = -500, OOM_HELPS_MIN = 0 };

/* What sets the tools apart; everything else is the same for all. */
struct role {
	const char *name;
	bool records;          /* footage is lost when it ends */
	bool network;          /* may have sockets of the internet, and so a network */
	const char *device[5]; /* beginnings of names; besides /dev/null and the random devices */
	const char *groups[3]; /* supplementary groups; those that begin with "cam" always */
};

static const struct role roles[] = {
        {"cam-capture", true, false, {"/dev/video", "/dev/media", "/dev/v4l-subdev", "/dev/dma_heap/"},
                {"video", "render"}},
        {"cam-seal", true, false, {NULL}, {NULL}},
        {"cam-spool", true, false, {NULL}, {NULL}},
        {"cam-ship", false, true, {NULL}, {NULL}},
        {"cam-ship-dialer", false, true, {NULL}, {NULL}},
        {"cam-reap", false, false, {NULL}, {NULL}},
        {"cam-status", false, false, {NULL}, {NULL}},
};

/* Who may run besides, without being asked why: the supervisor, and who keeps the clock and the watchdog, for
 * which other rules ask. */
static const char *const supervisors[] = {"s6-svscan", "s6-supervise", "s6-log", "s6-rc", "s6-fdholderd",
        "s6-linux-init", "s6-ipcserverd", "cam-harden-chec", "cam-harden-check", "init", "chronyd", "ntpd",
        "watchdog"};

enum key {
	KEY_RUNNING,
	KEY_UNKNOWN,
	KEY_UID,
	KEY_UID_SHARED,
	KEY_GID,
	KEY_GROUPS,
	KEY_NO_NEW_PRIVS,
	KEY_SECCOMP,
	KEY_FILTERS,
	KEY_CAP_INH,
	KEY_CAP_PRM,
	KEY_CAP_EFF,
	KEY_CAP_BND,
	KEY_CAP_AMB,
	KEY_THREADS,
	KEY_DOMAIN,
	KEY_TRACER,
	KEY_CORE_DUMPING,
	KEY_DUMPABLE,
	KEY_LIMIT_CORE,
	KEY_LIMIT_NPROC,
	KEY_LIMIT_NOFILE,
	KEY_LIMIT_MEMLOCK,
	KEY_OOM,
	KEY_NS_NET,
	KEY_NS_MNT,
	KEY_NS_PID,
	KEY_NS_IPC,
	KEY_NS_UTS,
	KEY_CGROUP,
	KEY_FD,
	KEY_DEVICES,
	KEY_ENVIRON,
	KEY_CMDLINE,
	KEY_BYPASS,
	KEY_MEMORY_WX,
	KEYS,
};

static const char *const key_name[KEYS] = {"running", "unknown-process", "Uid", "Uid.shared", "Gid", "Groups",
        "NoNewPrivs", "Seccomp", "Seccomp_filters", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb",
        "threads", "attr/current", "TracerPid", "CoreDumping", "dumpable", "limits:core", "limits:nproc",
        "limits:nofile", "limits:memlock", "oom_score_adj", "ns/net", "ns/mnt", "ns/pid", "ns/ipc", "ns/uts",
        "cgroup", "fd", "devices", "environ", "cmdline", "Speculation_Store_Bypass", "memory-wx"};

struct user {
	long uid;
	const struct role *role;
};

struct audit {
	struct evidence *e;
	struct list list[KEYS];
	struct user user[TOOLS_MAX];
	size_t users;
	char *groups; /* etc/group, or NULL */
	/* of the process that is looked at */
	const struct role *role;
	struct process_status status;
	pid_t pid;
};

static void finding(struct audit *a, enum key key, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));

static void finding(struct audit *a, enum key key, const char *fmt, ...)
{
	char text[LIST_ITEM_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	list_add(&a->list[key], "%s[%d]: %s", a->role->name, (int)a->pid, text);
}

static void unseen(struct audit *a, enum key key)
{
	list_unseen(&a->list[key],
	        errno == ENOENT || errno == ESRCH   ? "a process ended while it was looked at"
	        : errno == EACCES || errno == EPERM ? "files of a process may not be read: root is needed"
	                                            : "a file of a process cannot be read or understood");
}

/* --- who --- */

static bool group_allowed(const struct audit *a, long gid)
{
	/* NAME:x:GID:... */
	for (const char *s = a->groups; s; s = strchr(s, '\n')) {
		s += *s == '\n';
		size_t n = strcspn(s, ":\n");
		const char *id = s[n] == ':' ? strchr(s + n + 1, ':') : NULL;
		if (!id || strtol(id + 1, NULL, 10) != gid)
			continue;
		if (n >= 3 && strncmp(s, "cam", 3) == 0)
			return true;
		for (const char *const *g = a->role->groups; *g; g++)
			if (strlen(*g) == n && strncmp(s, *g, n) == 0)
				return true;
	}
	return false;
}

/* A helper bears the name of its tool and something. */
static bool one_tool(const struct role *a, const struct role *b)
{
	size_t n = strlen(a->name), k = strlen(b->name);
	return strncmp(a->name, b->name, n < k ? n : k) == 0;
}

static void who_look(struct audit *a)
{
	const struct process_status *s = &a->status;

	if (s->uid[0] == 0 || s->uid[0] != s->uid[1] || s->uid[0] != s->uid[2] || s->uid[0] != s->uid[3])
		finding(a, KEY_UID, "%ld %ld %ld %ld", s->uid[0], s->uid[1], s->uid[2], s->uid[3]);
	if (s->gid[0] == 0 || s->gid[0] != s->gid[1] || s->gid[0] != s->gid[2] || s->gid[0] != s->gid[3])
		finding(a, KEY_GID, "%ld %ld %ld %ld", s->gid[0], s->gid[1], s->gid[2], s->gid[3]);
	if (!s->groups_known)
		list_unseen(&a->list[KEY_GROUPS], "the groups of a process are not known whole");
	for (const long *g = s->group; *g >= 0; g++)
		if (*g != s->gid[0] && !group_allowed(a, *g))
			finding(a, KEY_GROUPS, "%ld", *g);
	for (size_t i = 0; i < a->users; i++)
		if (a->user[i].uid == s->uid[0] && !one_tool(a->user[i].role, a->role))
			finding(a, KEY_UID_SHARED, "%ld is also the user of %s", s->uid[0],
			        a->user[i].role->name);
	if (a->users < TOOLS_MAX)
		a->user[a->users++] = (struct user){s->uid[0], a->role};
}

/* --- what it may --- */

/* A number of the status that has to be this one. */
static void number_look(struct audit *a, enum key key, long value, long wanted)
{
	if (value < 0)
		list_unseen(&a->list[key], "this kernel does not say");
	else if (value != wanted)
		finding(a, key, "%ld", value);
}

static void may_look(struct audit *a)
{
	const struct process_status *s = &a->status;

	number_look(a, KEY_NO_NEW_PRIVS, s->no_new_privs, 1);
	number_look(a, KEY_SECCOMP, s->seccomp, 2);
	number_look(a, KEY_TRACER, s->tracer, 0);
	number_look(a, KEY_CORE_DUMPING, s->core_dumping, 0);
	if (s->seccomp_filters < 0)
		list_unseen(&a->list[KEY_FILTERS], "this kernel does not say");
	else if (s->seccomp_filters == 0)
		finding(a, KEY_FILTERS, "0");
	for (int i = 0; i < CAP_SETS; i++)
		if (!s->caps_known[i])
			list_unseen(
			        &a->list[KEY_CAP_INH + i], "a set of capabilities is missing in the status");
		else if (s->cap[i])
			finding(a, (enum key)(KEY_CAP_INH + i), "%016llx", (unsigned long long)s->cap[i]);
	/* "vulnerable" is what a mitigation that can be had but was not asked for is called */
	if (!s->store_bypass[0])
		list_unseen(&a->list[KEY_BYPASS], "this kernel does not say");
	else if (strcmp(s->store_bypass, "vulnerable") == 0 ||
	         strcmp(s->store_bypass, "thread vulnerable") == 0)
		finding(a, KEY_BYPASS, "%s", s->store_bypass);
}

static bool same(const struct process_status *a, const struct process_status *b)
{
	return memcmp(a->uid, b->uid, sizeof a->uid) == 0 && memcmp(a->gid, b->gid, sizeof a->gid) == 0 &&
	       memcmp(a->cap, b->cap, sizeof a->cap) == 0 && a->no_new_privs == b->no_new_privs &&
	       a->seccomp == b->seccomp && a->seccomp_filters == b->seccomp_filters;
}

static void thread_look(const struct where *w, pid_t tid, void *arg)
{
	struct audit *a = arg;
	struct process_status s;
	char name[64];
	size_t n;

	snprintf(name, sizeof name, "task/%d/status", (int)tid);
	char *text = process_read(w, a->pid, name, &n);
	if (!text || process_status_parse(text, &s) < 0)
		unseen(a, KEY_THREADS);
	else if (!same(&s, &a->status))
		finding(a, KEY_THREADS,
		        "thread %d differs: uid %ld, seccomp %ld (%ld), no new privileges %ld, effective "
		        "%llx",
		        (int)tid, s.uid[1], s.seccomp, s.seccomp_filters, s.no_new_privs,
		        (unsigned long long)s.cap[CAP_EFFECTIVE]);
	free(text);
}

/* SELinux calls it USER:ROLE:TYPE:LEVEL. Without any module that labels, reading it is an error. */
static void domain_look(struct audit *a, const struct where *w)
{
	static const char *const wide[] = {"unconfined_t", "init_t", "kernel_t", "initrc_t"};
	size_t n;
	char *s = process_read(w, a->pid, "attr/current", &n);

	if (!s && errno != EINVAL) {
		unseen(a, KEY_DOMAIN);
		return;
	}
	if (s)
		s[strcspn(s, "\n")] = 0;
	const char *user = s, *role = user ? strchr(user, ':') : NULL,
	           *type = role ? strchr(role + 1, ':') : NULL;
	if (!type) {
		finding(a, KEY_DOMAIN, "no domain of its own (%s)",
		        s && *s ? s : "no module labels processes");
	} else {
		size_t k = strcspn(type + 1, ":");
		for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
			if (strlen(wide[i]) == k && strncmp(type + 1, wide[i], k) == 0)
				finding(a, KEY_DOMAIN, "%s", s);
	}
	free(s);
}

/* The kernel gives the files of a process that may not be dumped to root. */
static void dumpable_look(struct audit *a, const struct where *w)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof path, "proc/%d/stat", (int)a->pid);
	if (fstatat(w->root, path, &st, 0) < 0)
		unseen(a, KEY_DUMPABLE);
	else if (st.st_uid != 0)
		finding(a, KEY_DUMPABLE, "its files in /proc belong to user %lu", (unsigned long)st.st_uid);
	else if (a->status.uid[1] == 0)
		list_unseen(&a->list[KEY_DUMPABLE], "of root's processes it cannot be told");
}

static void limits_look(struct audit *a, const struct where *w)
{
	static const struct {
		const char *name;
		enum key key;
		uint64_t most;
	} limits[] = {{"Max core file size", KEY_LIMIT_CORE, 0},
	        {"Max processes", KEY_LIMIT_NPROC, NPROC_MAX},
	        {"Max open files", KEY_LIMIT_NOFILE, NOFILE_MAX},
	        {"Max locked memory", KEY_LIMIT_MEMLOCK, MEMLOCK_MAX_BYTES}};
	size_t n;
	char *text = process_read(w, a->pid, "limits", &n);
	uint64_t soft, hard;

	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
		if (!text || process_limit_parse(text, limits[i].name, &soft, &hard) < 0)
			unseen(a, limits[i].key);
		else if (hard == UINT64_MAX)
			finding(a, limits[i].key, "unlimited");
		else if (hard > limits[i].most)
			finding(a, limits[i].key, "%llu", (unsigned long long)hard);
	free(text);
}

static void oom_look(struct audit *a, const struct where *w)
{
	size_t n;
	char *text = process_read(w, a->pid, "oom_score_adj", &n);
	long adj;

	if (!text || process_oom_parse(text, &adj) < 0)
		unseen(a, KEY_OOM);
	else if (a->role->records ? adj > OOM_RECORDS_MAX : adj < OOM_HELPS_MIN)
		finding(a, KEY_OOM, "%ld", adj);
	free(text);
}

/* --- where it lives --- */

/* One that init or this audit lives in is not its own. */
static bool same_place(const struct where *w, pid_t pid, const char *name, const char *its, bool *known)
{
	char place[PROCESS_PATH_BYTES];

	*known = process_link(w, pid, name, place) == 0;
	return *known && strcmp(its, place) == 0;
}

static void namespaces_look(struct audit *a, const struct where *w)
{
	static const char *const names[] = {"ns/net", "ns/mnt", "ns/pid", "ns/ipc", "ns/uts"};
	char its[PROCESS_PATH_BYTES];

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		enum key key = (enum key)(KEY_NS_NET + (int)i);
		bool known = process_link(w, a->pid, names[i], its) == 0, ours, inits;
		if (i == 0 && a->role->network)
			continue;
		if (known && (same_place(w, getpid(), names[i], its, &ours) ||
		                     same_place(w, 1, names[i], its, &inits)))
			finding(a, key, "not its own");
		else if (!known || !inits)
			unseen(a, key);
	}
}

static void ceiling_look(struct audit *a, const struct where *w, const char *group, const char *file)
{
	char path[1024];
	size_t n;

	snprintf(path, sizeof path, "sys/fs/cgroup%.700s/%s", group, file);
	char *s = where_read(w, path, 4096, &n);
	if (!s && errno != ENOENT)
		unseen(a, KEY_CGROUP);
	else if (!s || strncmp(s, "max", 3) == 0)
		finding(a, KEY_CGROUP, "no %s", file);
	free(s);
}

/* "0::/GROUP" of the second version. */
static void cgroup_look(struct audit *a, const struct where *w)
{
	size_t n;
	char *text = process_read(w, a->pid, "cgroup", &n);

	if (!text && errno != ENOENT) {
		unseen(a, KEY_CGROUP);
		return;
	}
	char *group = text && strncmp(text, "0::", 3) == 0 ? text + 3 : NULL;
	if (!group) {
		finding(a, KEY_CGROUP, "in no control group of its own");
	} else {
		group[strcspn(group, "\n")] = 0;
		ceiling_look(a, w, group, "memory.max");
		ceiling_look(a, w, group, "pids.max");
	}
	free(text);
}

/* --- what it holds --- */

static bool device_allowed(const struct role *r, const char *name)
{
	static const char *const all[] = {"/dev/null", "/dev/zero", "/dev/urandom", "/dev/random"};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (strcmp(name, all[i]) == 0)
			return true;
	for (const char *const *d = r->device; *d; d++)
		if (strncmp(name, *d, strlen(*d)) == 0)
			return true;
	return false;
}

static void descriptor_note(struct audit *a, const char *number, const char *target)
{
	if (strncmp(target, "/dev/", 5) == 0 && strncmp(target, "/dev/shm/", 9) != 0) {
		if (!device_allowed(a->role, target))
			finding(a, KEY_DEVICES, "%s is %s", number, target);
	} else if (strncmp(target, "socket:", 7) == 0) {
		if (!a->role->network)
			finding(a, KEY_FD, "%s is a socket", number);
	} else if (strstr(target, " (deleted)") || strncmp(target, "/memfd:", 7) == 0 ||
	           strncmp(target, "/proc", 5) == 0) {
		finding(a, KEY_FD, "%s is %s", number, target);
	}
}

static void descriptors_look(struct audit *a, const struct where *w)
{
	char path[64], target[PROCESS_PATH_BYTES];

	snprintf(path, sizeof path, "proc/%d/fd", (int)a->pid);
	int fd = where_open(w, path, O_RDONLY | O_DIRECTORY);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		unseen(a, KEY_FD);
		unseen(a, KEY_DEVICES);
		if (fd >= 0)
			close(fd);
		return;
	}
	for (struct dirent *x; (x = readdir(d));) {
		if (x->d_name[0] == '.')
			continue;
		ssize_t n = readlinkat(fd, x->d_name, target, sizeof target - 1);
		if (n < 0 && errno == ENOENT)
			continue; /* closed since */
		if (n < 0) {
			unseen(a, KEY_FD);
			unseen(a, KEY_DEVICES);
			continue;
		}
		target[n] = 0;
		descriptor_note(a, x->d_name, target);
	}
	closedir(d);
}

/* Names only: values are secrets, and not ours to read out. */
static void environment_look(struct audit *a, const struct where *w)
{
	static const char *const parts[] = {"SECRET", "PASSWORD", "PASSPHRASE", "TOKEN", "CREDENTIAL"};
	size_t n;
	char *text = process_read(w, a->pid, "environ", &n);

	if (!text) {
		unseen(a, KEY_ENVIRON);
		return;
	}
	for (char *s = text; s < text + n; s += strlen(s) + 1) {
		char name[64];
		snprintf(name, sizeof name, "%.*s", (int)strcspn(s, "="), s);
		bool bad = strncmp(name, "LD_", 3) == 0;
		for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
			bad |= strstr(name, parts[i]) != NULL;
		if (bad)
			finding(a, KEY_ENVIRON, "%s", name);
	}
	explicit_bzero(text, n);
	free(text);
}

static void arguments_look(struct audit *a, const struct where *w)
{
	size_t n;
	char *text = process_read(w, a->pid, "cmdline", &n);

	if (!text) {
		unseen(a, KEY_CMDLINE);
		return;
	}
	for (char *s = text; s < text + n; s += strlen(s) + 1) {
		const char *host = strstr(s, "://"), *at = host ? strchr(host, '@') : NULL;
		if (at && memchr(host + 3, ':', (size_t)(at - host - 3)))
			finding(a, KEY_CMDLINE, "a password in an address");
		if (strstr(s, "-secret1 "))
			finding(a, KEY_CMDLINE, "a secret key");
	}
	explicit_bzero(text, n);
	free(text);
}

static void memory_look(struct audit *a, const struct where *w)
{
	size_t n;
	char *text = process_read(w, a->pid, "maps", &n), *save = NULL;
	struct process_map m;

	if (!text || !n) {
		unseen(a, KEY_MEMORY_WX);
		free(text);
		return;
	}
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (process_map_parse(line, &m) < 0)
			list_unseen(&a->list[KEY_MEMORY_WX], "a line of maps that is not understood");
		else if (m.write && m.execute)
			finding(a, KEY_MEMORY_WX, "%s can be written and executed",
			        *m.path ? m.path : "anonymous memory");
	free(text);
}

/* --- all of them --- */

static const struct role *role_of(const char *name)
{
	for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
		if (strcmp(name, roles[i].name) == 0)
			return &roles[i];
	return NULL;
}

static bool is_supervisor(const char *name)
{
	for (size_t i = 0; i < sizeof supervisors / sizeof *supervisors; i++)
		if (strncmp(name, supervisors[i], 15) == 0)
			return true;
	return false;
}

/* What cam-log-hold ends as: it keeps the FIFO of the messages open. */
static bool is_holder(const struct process_status *s)
{
	return strcmp(s->name, "sleep") == 0 && s->uid[1] > 0 && s->no_new_privs == 1;
}

static void camera_look(struct audit *a, const struct where *w)
{
	list_add(&a->list[KEY_RUNNING], "%s", a->role->name);
	who_look(a);
	may_look(a);
	if (process_each(w, a->pid, thread_look, a) < 0)
		unseen(a, KEY_THREADS);
	domain_look(a, w);
	dumpable_look(a, w);
	limits_look(a, w);
	oom_look(a, w);
	namespaces_look(a, w);
	cgroup_look(a, w);
	descriptors_look(a, w);
	environment_look(a, w);
	arguments_look(a, w);
	memory_look(a, w);
}

static void process_look(const struct where *w, pid_t pid, void *arg)
{
	struct audit *a = arg;
	bool kernel = false;
	size_t n;
	char *stat = process_read(w, pid, "stat", &n);
	char *status = stat ? process_read(w, pid, "status", &n) : NULL;

	if (!stat || !status) {
		/* one that ended is not running; one that may not be looked at could be anything */
		if (errno != ENOENT && errno != ESRCH)
			list_unseen(&a->list[KEY_UNKNOWN], "a process may not be looked at");
	} else if (process_is_kernel(stat, &kernel) < 0 || process_status_parse(status, &a->status) < 0) {
		list_unseen(&a->list[KEY_UNKNOWN], "a process whose status is not understood");
	} else if (!kernel) {
		a->pid = pid;
		a->role = role_of(a->status.name);
		if (a->role)
			camera_look(a, w);
		else if (!is_supervisor(a->status.name) && !is_holder(&a->status) && pid != getpid())
			list_add(&a->list[KEY_UNKNOWN], "%s (user %ld)", a->status.name, a->status.uid[1]);
	}
	free(stat);
	free(status);
}

int processes_collect(struct evidence *e, const struct where *w)
{
	static struct audit a;
	size_t n;
	int r = 0;

	if (!w->live)
		return 0;
	const char *why = process_hidden(w);
	if (why)
		return evidence_unseen(e, "process", NULL, why);
	a = (struct audit){.e = e, .groups = where_read(w, "etc/group", 1 << 20, &n)};
	for (int k = 0; k < KEYS; k++)
		a.list[k] = (struct list){e, "process", key_name[k], "/proc", 0, NULL, 0};
	if (process_each(w, 0, process_look, &a) < 0)
		return evidence_unseen(e, "process", NULL, "/proc cannot be listed");
	for (int k = 0; k < KEYS; k++) {
		if (!a.list[KEY_RUNNING].n && k != KEY_RUNNING && k != KEY_UNKNOWN)
			list_unseen(&a.list[k], "no process of the camera is running");
		r |= list_end(&a.list[k]);
	}
	free(a.groups);
	return r;
}
