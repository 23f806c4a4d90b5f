/* Reads /proc/PID/maps, exe and environ (names only) of every process but the kernel's own threads. */
#define _GNU_SOURCE
#include "programs.h"

#include "list.h"
#include "mountinfo.h"
#include "process.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum key { KEY_EXE, KEY_MAPS, KEY_DELETED, KEY_ANONYMOUS, KEY_PRELOAD, KEYS };

static const char *const key_name[KEYS] = {
        "exe-device", "maps-device", "deleted-exe", "anon-exec", "preload-env"};

struct audit {
	struct list list[KEYS];
	bool root_known;
	unsigned major, minor; /* of the root */
	char name[PROCESS_NAME_BYTES];
	pid_t pid;
};

static void root_find(struct audit *a, const struct where *w)
{
	static struct mount m;
	size_t n;
	char *text = where_read(w, "proc/self/mountinfo", 4 << 20, &n), *save = NULL;

	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save))
		if (mountinfo_parse(line, &m) == 0 && strcmp(m.point, "/") == 0) {
			a->root_known = true;
			a->major = m.major;
			a->minor = m.minor;
		}
	free(text);
}

static void all_unseen(struct audit *a, const char *why)
{
	for (int k = 0; k < KEYS; k++)
		list_unseen(&a->list[k], why);
}

/* Pages that the kernel itself puts there. */
static bool is_kernels(const char *path)
{
	static const char *const names[] = {
	        "[vdso]", "[vvar]", "[vsyscall]", "[vvar_vclock]", "[vectors]", "[sigpage]", "[uprobes]"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(path, names[i]) == 0)
			return true;
	return false;
}

static void map_note(struct audit *a, const struct process_map *m, const char *exe)
{
	if (!m->execute || is_kernels(m->path))
		return;
	if (!m->inode)
		list_add(&a->list[KEY_ANONYMOUS], "%s[%d]: %s", a->name, (int)a->pid,
		        *m->path ? m->path : "memory without a file");
	else if (m->major != a->major || m->minor != a->minor)
		list_add(&a->list[strcmp(m->path, exe) == 0 ? KEY_EXE : KEY_MAPS], "%s[%d]: %s on %u:%u",
		        a->name, (int)a->pid, m->path, m->major, m->minor);
}

static void maps_look(struct audit *a, char *text, const char *exe)
{
	struct process_map m;
	char *save = NULL, last[256] = "";

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (process_map_parse(line, &m) < 0) {
			list_unseen(&a->list[KEY_MAPS], "a line of maps that is not understood");
			continue;
		}
		if (*m.path && m.execute && strcmp(m.path, last) == 0)
			continue; /* one file in several pieces */
		map_note(a, &m, exe);
		snprintf(last, sizeof last, "%s", m.execute ? m.path : "");
	}
}

static void environment_look(struct audit *a, const char *text, size_t n)
{
	for (const char *s = text; s < text + n; s += strlen(s) + 1)
		if (strncmp(s, "LD_PRELOAD=", 11) == 0 || strncmp(s, "LD_AUDIT=", 9) == 0 ||
		        strncmp(s, "LD_LIBRARY_PATH=", 16) == 0)
			list_add(&a->list[KEY_PRELOAD], "%s[%d]: %.*s", a->name, (int)a->pid,
			        (int)strcspn(s, "="), s);
}

static bool user_process(struct audit *a, const struct where *w, pid_t pid)
{
	struct process_stat s;
	size_t n;
	char *stat = process_read(w, pid, "stat", &n);

	if (!stat) {
		if (errno != ENOENT && errno != ESRCH) /* ended */
			all_unseen(a, "a process may not be looked at");
		return false;
	}
	const char *name = strchr(stat, '('), *end = strrchr(stat, ')');
	snprintf(a->name, sizeof a->name, "%.*s", name && end ? (int)(end - name - 1) : 0,
	        name ? name + 1 : "");
	a->pid = pid;
	if (process_stat_parse(stat, &s) < 0)
		all_unseen(a, "a process whose state is not understood");
	free(stat);
	return !s.kernel;
}

/* A zombie has no memory and no program any more; its maps are empty, and its link is not there. */
static void process_look(const struct where *w, pid_t pid, void *arg)
{
	struct audit *a = arg;
	char exe[PROCESS_PATH_BYTES];
	size_t n, k;

	if (pid == getpid() || !user_process(a, w, pid))
		return;
	if (process_link(w, pid, "exe", exe) < 0) {
		if (errno != ENOENT && errno != ESRCH)
			all_unseen(a, "the program of a process may not be seen: root is needed");
		return;
	}
	char *maps = process_read(w, pid, "maps", &n),
	     *environment = maps ? process_read(w, pid, "environ", &k) : NULL;
	size_t length = strlen(exe), tail = strlen(" (deleted)");
	if (!maps || !environment) {
		if (errno != ENOENT && errno != ESRCH)
			all_unseen(a, "the memory of a process may not be seen: root is needed");
	} else {
		if (length > tail && strcmp(exe + length - tail, " (deleted)") == 0)
			list_add(&a->list[KEY_DELETED], "%s[%d]: %s", a->name, (int)pid, exe);
		maps_look(a, maps, exe);
		environment_look(a, environment, k);
	}
	free(maps);
	if (environment)
		explicit_bzero(environment, k);
	free(environment);
}

int programs_collect(struct evidence *e, const struct where *w)
{
	static struct audit a;
	int r = 0;

	if (!w->live)
		return 0;
	a = (struct audit){0};
	for (int k = 0; k < KEYS; k++)
		a.list[k] = (struct list){e, "exec", key_name[k], "/proc", 0, NULL, 0};
	const char *why = process_hidden(w);
	root_find(&a, w);
	if (why)
		all_unseen(&a, why);
	else if (!a.root_known)
		all_unseen(&a, "the root's device is not known");
	else if (process_each(w, 0, process_look, &a) < 0)
		all_unseen(&a, "/proc cannot be listed");
	for (int k = 0; k < KEYS; k++)
		r |= list_end(&a.list[k]);
	return r;
}
