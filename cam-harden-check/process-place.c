/* Reads of one process where it lives: its namespaces beside those of init and of this audit, its control
 * group, and the ceilings of that in /sys/fs/cgroup. */
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
			process_finding(a, key, "not its own");
		else if (!known || !inits)
			process_unseen(a, key);
	}
}

static void ceiling_look(struct audit *a, const struct where *w, const char *group, const char *file)
{
	char path[1024];
	size_t n;

	snprintf(path, sizeof path, "sys/fs/cgroup%.700s/%s", group, file);
	char *s = where_read(w, path, 4096, &n);
	if (!s && errno != ENOENT)
		process_unseen(a, KEY_CGROUP);
	else if (!s || strncmp(s, "max", 3) == 0)
		process_finding(a, KEY_CGROUP, "no %s", file);
	free(s);
}

/* "0::/GROUP" of the second version. */
static void cgroup_look(struct audit *a, const struct where *w)
{
	size_t n;
	char *text = process_read(w, a->pid, "cgroup", &n);

	if (!text && errno != ENOENT) {
		process_unseen(a, KEY_CGROUP);
		return;
	}
	char *group = text && strncmp(text, "0::", 3) == 0 ? text + 3 : NULL;
	if (!group) {
		process_finding(a, KEY_CGROUP, "in no control group of its own");
	} else {
		group[strcspn(group, "\n")] = 0;
		ceiling_look(a, w, group, "memory.max");
		ceiling_look(a, w, group, "pids.max");
	}
	free(text);
}

void process_place_look(struct audit *a, const struct where *w)
{
	namespaces_look(a, w);
	cgroup_look(a, w);
}
