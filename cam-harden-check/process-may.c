/* Reads of one process what it may: its status and that of its threads, attr/current, limits and
 * oom_score_adj, and of stat only whose file it is. */
#define _GNU_SOURCE
#include "process-audit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { NOFILE_MAX = 1024, MEMLOCK_MAX_BYTES = 64 << 20 };

/* When memory runs out the process with the most of it is ended, as if it had this many thousandths of all
 * memory more or less (proc(5)). What records is spared while it takes less than half; everything else starts
 * at 0. */
enum { OOM_RECORDS_MAX = -500, OOM_HELPS_MIN = 0 };

/* A number of the status that has to be this one. */
static void number_look(struct audit *a, enum key key, long value, long wanted)
{
	if (value < 0)
		list_unseen(&a->list[key], "this kernel does not say");
	else if (value != wanted)
		process_finding(a, key, "%ld", value);
}

static void status_look(struct audit *a)
{
	const struct process_status *s = &a->status;

	number_look(a, KEY_NO_NEW_PRIVS, s->no_new_privs, 1);
	number_look(a, KEY_SECCOMP, s->seccomp, 2);
	number_look(a, KEY_TRACER, s->tracer, 0);
	number_look(a, KEY_CORE_DUMPING, s->core_dumping, 0);
	if (s->seccomp_filters < 0)
		list_unseen(&a->list[KEY_FILTERS], "this kernel does not say");
	else if (s->seccomp_filters == 0)
		process_finding(a, KEY_FILTERS, "0");
	for (int i = 0; i < CAP_SETS; i++)
		if (!s->caps_known[i])
			list_unseen(
			        &a->list[KEY_CAP_INH + i], "a set of capabilities is missing in the status");
		else if (s->cap[i])
			process_finding(
			        a, (enum key)(KEY_CAP_INH + i), "%016llx", (unsigned long long)s->cap[i]);
	/* "vulnerable" is what a mitigation that can be had but was not asked for is called */
	if (!s->store_bypass[0])
		list_unseen(&a->list[KEY_BYPASS], "this kernel does not say");
	else if (strcmp(s->store_bypass, "vulnerable") == 0 ||
	         strcmp(s->store_bypass, "thread vulnerable") == 0)
		process_finding(a, KEY_BYPASS, "%s", s->store_bypass);
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
		process_unseen(a, KEY_THREADS);
	else if (!same(&s, &a->status))
		process_finding(a, KEY_THREADS,
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
		process_unseen(a, KEY_DOMAIN);
		return;
	}
	if (s)
		s[strcspn(s, "\n")] = 0;
	const char *user = s, *role = user ? strchr(user, ':') : NULL,
	           *type = role ? strchr(role + 1, ':') : NULL;
	if (!type) {
		process_finding(a, KEY_DOMAIN, "no domain of its own (%s)",
		        s && *s ? s : "no module labels processes");
	} else {
		size_t k = strcspn(type + 1, ":");
		for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
			if (strlen(wide[i]) == k && strncmp(type + 1, wide[i], k) == 0)
				process_finding(a, KEY_DOMAIN, "%s", s);
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
		process_unseen(a, KEY_DUMPABLE);
	else if (st.st_uid != 0)
		process_finding(
		        a, KEY_DUMPABLE, "its files in /proc belong to user %lu", (unsigned long)st.st_uid);
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
			process_unseen(a, limits[i].key);
		else if (hard == UINT64_MAX)
			process_finding(a, limits[i].key, "unlimited");
		else if (hard > limits[i].most)
			process_finding(a, limits[i].key, "%llu", (unsigned long long)hard);
	free(text);
}

static void oom_look(struct audit *a, const struct where *w)
{
	size_t n;
	char *text = process_read(w, a->pid, "oom_score_adj", &n);
	long adj;

	if (!text || process_oom_parse(text, &adj) < 0)
		process_unseen(a, KEY_OOM);
	else if (a->role->records ? adj > OOM_RECORDS_MAX : adj < OOM_HELPS_MIN)
		process_finding(a, KEY_OOM, "%ld", adj);
	free(text);
}

void process_may_look(struct audit *a, const struct where *w)
{
	status_look(a);
	if (process_each(w, a->pid, thread_look, a) < 0)
		process_unseen(a, KEY_THREADS);
	domain_look(a, w);
	dumpable_look(a, w);
	limits_look(a, w);
	oom_look(a, w);
}
