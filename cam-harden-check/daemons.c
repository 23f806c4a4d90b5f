/* Reads /proc/PID/comm, and of those that are asked for stat and cmdline. */
#define _GNU_SOURCE
#include "daemons.h"

#include "process.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct finding {
	const char *const *names;
	struct daemon *out;
	int n, max;
	const char *why;
};

/* One that has ended runs no more, though it still has its name; its arguments are gone. */
static bool is_over(const struct where *w, pid_t pid, const char **why)
{
	struct process_stat s;
	size_t n;
	char *stat = process_read(w, pid, "stat", &n);
	bool ended = !stat && (errno == ENOENT || errno == ESRCH);

	if (!ended && (!stat || process_stat_parse(stat, &s) < 0))
		*why = "a process may not be looked at";
	else if (!ended)
		ended = s.over;
	free(stat);
	return ended;
}

static void process_look(const struct where *w, pid_t pid, void *arg)
{
	struct finding *f = arg;
	size_t n;
	char *comm = process_read(w, pid, "comm", &n);

	if (!comm) {
		if (errno != ENOENT && errno != ESRCH)
			f->why = "a process may not be looked at";
		return;
	}
	comm[strcspn(comm, "\n")] = 0;
	for (const char *const *name = f->names; *name; name++)
		if (strncmp(comm, *name, DAEMONS_NAME_BYTES - 1) == 0 && strlen(comm) <= strlen(*name)) {
			if (is_over(w, pid, &f->why))
				break;
			if (f->n == f->max) {
				f->why = "more of its kind run than are looked at";
				break;
			}
			f->out[f->n].pid = pid;
			snprintf(f->out[f->n++].name, DAEMONS_NAME_BYTES, "%.15s", comm);
			break;
		}
	free(comm);
}

int daemons_find(
        const struct where *w, const char *const *names, struct daemon *out, int max, const char **why)
{
	struct finding f = {names, out, 0, max, process_hidden(w)};

	if (!f.why && process_each(w, 0, process_look, &f) < 0)
		f.why = "/proc cannot be listed";
	*why = f.why;
	return f.why ? -1 : f.n;
}

int daemons_argument(const struct where *w, pid_t pid, char letter, int nth, char out[DAEMONS_ARGUMENT_BYTES])
{
	size_t n;
	char *text = process_read(w, pid, "cmdline", &n), option[3] = {'-', letter, 0};
	const char *found = NULL;

	if (!text || !n) {
		free(text);
		return -1;
	}
	const char *end = text + n, *s = text + strlen(text) + 1;
	for (; s < end && !found; s += strlen(s) + 1) {
		if (strncmp(s, option, 2) != 0 || nth-- > 0)
			continue;
		found = s[2] ? s + 2 : s + 3 < end ? s + 3 : NULL;
		if (!found)
			break;
	}
	int r = found ? strlen(found) < DAEMONS_ARGUMENT_BYTES ? 1 : -1 : 0;
	if (r == 1)
		snprintf(out, DAEMONS_ARGUMENT_BYTES, "%s", found);
	free(text);
	return r;
}

int daemons_arguments(const struct where *w, pid_t pid, void (*take)(char *, void *), void *arg)
{
	size_t n;
	char *text = process_read(w, pid, "cmdline", &n);

	if (!text || !n) {
		free(text);
		return -1;
	}
	for (char *s = text + strlen(text) + 1, *next; s < text + n; s = next) {
		next = s + strlen(s) + 1;
		take(s, arg);
	}
	free(text);
	return 0;
}
