/* Reads /proc/PID/fd, stat, comm and cmdline. Whether it is fed only while all services are up is a matter of
 * the feeder's program, which nobody can read off a running process. */
#define _GNU_SOURCE
#include "feeder.h"

#include "list.h"
#include "process.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAME_BYTES = 64 };

static void name_read(const struct where *w, pid_t pid, char out[NAME_BYTES])
{
	size_t n;
	char *comm = process_read(w, pid, "comm", &n);

	snprintf(out, NAME_BYTES, "%.*s", comm ? (int)strcspn(comm, "\n") : 1, comm ? comm : "?");
	free(comm);
}

/* The name of the service when the parent is its s6-supervise, whose only argument it is; else "". */
static void service_read(const struct where *w, pid_t pid, char out[NAME_BYTES])
{
	char parent[NAME_BYTES];
	size_t n;
	int of;
	char *stat = process_read(w, pid, "stat", &n), *s = stat ? strrchr(stat, ')') : NULL;

	*out = 0;
	/* NOLINTNEXTLINE(cert-err34-c): the kernel prints it */
	bool known = s && sscanf(s + 1, " %*c %d", &of) == 1;
	free(stat);
	if (!known)
		return;
	name_read(w, of, parent);
	char *text = strcmp(parent, "s6-supervise") == 0 ? process_read(w, of, "cmdline", &n) : NULL;
	if (text && strlen(text) + 1 < n)
		snprintf(out, NAME_BYTES, "%s", text + strlen(text) + 1);
	free(text);
}

/* -1: cannot be looked at. */
static int holds(const struct where *w, pid_t pid)
{
	char path[64], target[64];
	int held = 0, err = 0;

	snprintf(path, sizeof path, "proc/%d/fd", (int)pid);
	DIR *d = where_folder(w, path);
	if (!d)
		return -1;
	for (const char *name; !err && (name = where_folder_next(d));) {
		ssize_t n = readlinkat(dirfd(d), name, target, sizeof target - 1);
		if (n < 0) {
			err = errno == ENOENT ? 0 : errno; /* closed since */
			continue;
		}
		target[n] = 0;
		held |= strncmp(target, "/dev/watchdog", 13) == 0;
	}
	err = err ? err : errno;
	closedir(d);
	errno = err;
	return held || !err ? held : -1;
}

static void process_look(const struct where *w, pid_t pid, void *arg)
{
	char name[NAME_BYTES], service[NAME_BYTES];

	switch (holds(w, pid)) {
	case 0: return;
	case 1:
		name_read(w, pid, name);
		service_read(w, pid, service);
		if (*service)
			list_add(arg, "%s (service %s)", name, service);
		else
			list_add(arg, "%s", name);
		return;
	default:
		if (errno != ENOENT && errno != ESRCH)
			list_unseen(arg, "the descriptors of a process may not be read: root is needed");
	}
}

int feeder_collect(struct evidence *e, const struct where *w)
{
	struct list l = {e, "watchdog", "watchdog.supervisor", "/proc/PID/fd", 0, NULL, 0};
	const char *why = process_hidden(w);

	if (!w->live)
		return 0;
	if (why)
		list_unseen(&l, why);
	else if (process_each(w, 0, process_look, &l) < 0)
		list_unseen(&l, "/proc cannot be listed");
	return list_end(&l);
}
