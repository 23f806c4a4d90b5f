/* Reads /proc/PID/stat and status of every process, and /etc/group: which are the camera's, who they are, and
 * what runs besides. What else is to be known of one of the camera's is looked at in process-may.c,
 * process-place.c and process-holds.c. A file that cannot be read, and a process that ends meanwhile, were
 * not seen. */
#define _GNU_SOURCE
#include "processes.h"

#include "process-audit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
		process_finding(a, KEY_UID, "%ld %ld %ld %ld", s->uid[0], s->uid[1], s->uid[2], s->uid[3]);
	if (s->gid[0] == 0 || s->gid[0] != s->gid[1] || s->gid[0] != s->gid[2] || s->gid[0] != s->gid[3])
		process_finding(a, KEY_GID, "%ld %ld %ld %ld", s->gid[0], s->gid[1], s->gid[2], s->gid[3]);
	if (!s->groups_known)
		list_unseen(&a->list[KEY_GROUPS], "the groups of a process are not known whole");
	for (const long *g = s->group; *g >= 0; g++)
		if (*g != s->gid[0] && !group_allowed(a, *g))
			process_finding(a, KEY_GROUPS, "%ld", *g);
	for (size_t i = 0; i < a->users; i++)
		if (a->user[i].uid == s->uid[0] && !one_tool(a->user[i].role, a->role))
			process_finding(a, KEY_UID_SHARED, "%ld is also the user of %s", s->uid[0],
			        a->user[i].role->name);
	if (a->users < TOOLS_MAX)
		a->user[a->users++] = (struct user){s->uid[0], a->role};
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

/* Is it still the process that it was? One that ends loses one thing after the other. */
static bool still_there(const struct audit *a, const struct where *w)
{
	struct process_stat now;
	size_t n;
	char *text = process_read(w, a->pid, "stat", &n);
	bool same = text && process_stat_parse(text, &now) == 0 && now.born == a->stat.born && !now.ending;

	free(text);
	return same;
}

static void camera_look(struct audit *a, const struct where *w)
{
	size_t users = a->users;

	who_look(a);
	process_may_look(a, w);
	process_place_look(a, w);
	process_holds_look(a, w);
	bool there = still_there(a, w);
	if (!there)
		a->users = users;
	process_audit_settle(a, there);
}

static void process_look(const struct where *w, pid_t pid, void *arg)
{
	struct audit *a = arg;
	size_t n;
	char *stat = process_read(w, pid, "stat", &n);
	char *status = stat ? process_read(w, pid, "status", &n) : NULL;

	if (!stat || !status) {
		/* one that ended is not running; one that may not be looked at could be anything */
		if (errno != ENOENT && errno != ESRCH)
			list_unseen(&a->list[KEY_UNKNOWN], "a process may not be looked at");
	} else if (process_stat_parse(stat, &a->stat) < 0 || process_status_parse(status, &a->status) < 0) {
		list_unseen(&a->list[KEY_UNKNOWN], "a process whose status is not understood");
	} else if (!a->stat.kernel && !a->stat.over) {
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

	if (!w->live)
		return 0;
	const char *why = process_hidden(w);
	if (why)
		return evidence_unseen(e, "process", NULL, why);
	process_audit_begin(&a, e);
	a.groups = where_read(w, "etc/group", 1 << 20, &n);
	int r = process_each(w, 0, process_look, &a) < 0
	                ? evidence_unseen(e, "process", NULL, "/proc cannot be listed")
	                : process_audit_end(&a);
	free(a.groups);
	return r;
}
