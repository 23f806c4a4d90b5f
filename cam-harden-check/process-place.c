/* Reads of one process where it lives: its namespaces beside those of init and of this audit, its limits,
 * its control group, and the ceilings of that in /sys/fs/cgroup. */
#define _GNU_SOURCE
#include "process-audit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One that init or this audit lives in is not its own. */
static bool same_place(const struct where *w, pid_t pid, const char *name, const char *its, bool *known)
{
	char place[PROCESS_PATH_BYTES];

	*known = process_link(w, pid, name, place) == 0;
	return *known && strcmp(its, place) == 0;
}

/* A namespace of its own, or a /proc that shows it nothing but itself: no two tools have one user. */
static void not_its_own(struct audit *a, const struct where *w, enum key key)
{
	const int hides = key == KEY_NS_PID ? process_hidepid(w, a->pid) : HIDEPID_OFF;

	if (hides < 0)
		process_unseen(a, key);
	else if (hides != HIDEPID_INVISIBLE)
		process_finding(
		        a, key, key == KEY_NS_PID ? "not its own, and /proc shows it others" : "not its own");
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
			not_its_own(a, w, key);
		else if (!known || !inits)
			process_unseen(a, key);
	}
}

/* --- ceilings: of a control group, or of the process itself --- */

enum { DATA_MAX_BYTES = 1 << 30 };

/* Has its control group ("0::/GROUP": version 2) this ceiling? -1 with errno: it cannot be told. */
static int group_has(const struct where *w, pid_t pid, const char *file)
{
	char path[1024] = "";
	size_t n;
	char *s = process_read(w, pid, "cgroup", &n);

	if (!s)
		return errno == ENOENT ? 0 : -1;
	if (strncmp(s, "0::", 3) == 0)
		snprintf(path, sizeof path, "sys/fs/cgroup%.*s/%s", (int)strcspn(s + 3, "\n"), s + 3, file);
	free(s);
	if (!*path)
		return 0;
	s = where_read(w, path, 4096, &n);
	if (!s)
		return errno == ENOENT ? 0 : -1;
	const int has = strncmp(s, "max", 3) != 0;
	free(s);
	return has;
}

/* A limit of this name that is not above most? -1 with errno. */
static int limit_has(const struct where *w, pid_t pid, const char *name, uint64_t most)
{
	size_t n;
	uint64_t soft, hard;
	char *text = process_read(w, pid, "limits", &n);
	int has = -1;

	if (text && process_limit_parse(text, name, &soft, &hard) == 0)
		has = hard <= most;
	else if (text)
		errno = EINVAL;
	free(text);
	return has;
}

static void ceiling_look(
        struct audit *a, const struct where *w, const char *file, const char *limit, uint64_t most)
{
	const int limited = limit_has(w, a->pid, limit, most);
	const int grouped = limited == 1 ? 0 : group_has(w, a->pid, file);

	if (limited == 1 || grouped == 1)
		return;
	if (limited < 0 || grouped < 0)
		process_unseen(a, KEY_CEILING);
	else
		process_finding(a, KEY_CEILING, "no %s, nor a limit of its own", file);
}

void process_place_look(struct audit *a, const struct where *w)
{
	namespaces_look(a, w);
	ceiling_look(a, w, "memory.max", "Max data size", DATA_MAX_BYTES);
	ceiling_look(a, w, "pids.max", "Max processes", NPROC_MAX);
}
