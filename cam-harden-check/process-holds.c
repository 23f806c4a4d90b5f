/* Reads of one process what it holds: its descriptors, environment, command line and memory map. Of the
 * environment only names, and of the command line nothing, are ever shown. Descriptors are not followed,
 * memory is not read. */
#define _GNU_SOURCE
#include "process-audit.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
			process_finding(a, KEY_DEVICES, "%s is %s", number, target);
	} else if (strncmp(target, "socket:", 7) == 0) {
		if (!a->role->network)
			process_finding(a, KEY_FD, "%s is a socket", number);
	} else if (strstr(target, " (deleted)") || strncmp(target, "/memfd:", 7) == 0 ||
	           strncmp(target, "/proc", 5) == 0) {
		process_finding(a, KEY_FD, "%s is %s", number, target);
	}
}

static void descriptors_look(struct audit *a, const struct where *w)
{
	char path[64], target[PROCESS_PATH_BYTES];

	snprintf(path, sizeof path, "proc/%d/fd", (int)a->pid);
	DIR *d = where_folder(w, path);
	bool whole = d;
	for (const char *name; d && (name = where_folder_next(d));) {
		ssize_t n = readlinkat(dirfd(d), name, target, sizeof target - 1);
		if (n < 0) {
			whole &= errno == ENOENT; /* closed since */
			continue;
		}
		target[n] = 0;
		descriptor_note(a, name, target);
	}
	if (!whole || errno) {
		process_unseen(a, KEY_FD);
		process_unseen(a, KEY_DEVICES);
	}
	if (d)
		closedir(d);
}

/* Names only: values are secrets, and not ours to read out. */
static void environment_look(struct audit *a, const struct where *w)
{
	static const char *const parts[] = {"SECRET", "PASSWORD", "PASSPHRASE", "TOKEN", "CREDENTIAL"};
	size_t n;
	char *text = process_read(w, a->pid, "environ", &n);

	if (!text) {
		process_unseen(a, KEY_ENVIRON);
		return;
	}
	for (char *s = text; s < text + n; s += strlen(s) + 1) {
		char name[64];
		snprintf(name, sizeof name, "%.*s", (int)strcspn(s, "="), s);
		bool bad = strncmp(name, "LD_", 3) == 0;
		for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
			bad |= strstr(name, parts[i]) != NULL;
		if (bad)
			process_finding(a, KEY_ENVIRON, "%s", name);
	}
	explicit_bzero(text, n);
	free(text);
}

static void arguments_look(struct audit *a, const struct where *w)
{
	size_t n;
	char *text = process_read(w, a->pid, "cmdline", &n);

	if (!text) {
		process_unseen(a, KEY_CMDLINE);
		return;
	}
	for (char *s = text; s < text + n; s += strlen(s) + 1) {
		const char *host = strstr(s, "://"), *at = host ? strchr(host, '@') : NULL;
		if (at && memchr(host + 3, ':', (size_t)(at - host - 3)))
			process_finding(a, KEY_CMDLINE, "a password in an address");
		if (strstr(s, "-secret1 "))
			process_finding(a, KEY_CMDLINE, "a secret key");
	}
	explicit_bzero(text, n);
	free(text);
}

static void memory_look(struct audit *a, const struct where *w)
{
	size_t n;
	char *text = process_read(w, a->pid, "maps", &n), *save = NULL;
	struct process_map m;

	if (text && !n)
		errno = ESRCH; /* what has ended has none */
	if (!text || !n) {
		process_unseen(a, KEY_MEMORY_WX);
		free(text);
		return;
	}
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (process_map_parse(line, &m) < 0)
			list_unseen(&a->list[KEY_MEMORY_WX], "a line of maps that is not understood");
		else if (m.write && m.execute)
			process_finding(a, KEY_MEMORY_WX, "%s can be written and executed",
			        *m.path ? m.path : "anonymous memory");
	free(text);
}

void process_holds_look(struct audit *a, const struct where *w)
{
	descriptors_look(a, w);
	environment_look(a, w);
	arguments_look(a, w);
	memory_look(a, w);
}
