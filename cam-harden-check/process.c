#define _GNU_SOURCE
#include "process.h"

#include "mountinfo.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 8 << 20, KERNEL_THREAD = 0x00200000 };

/* Of the first PID namespace; linux/proc_ns.h. */
static const char pid_namespace_first[] = "pid:[4026531836]";

/* What follows "NAME:" at the beginning of a line, without blanks. */
static const char *field_find(const char *text, const char *name)
{
	size_t n = strlen(name);

	for (const char *s = text; s; s = strchr(s, '\n')) {
		s += *s == '\n';
		if (strncmp(s, name, n) == 0 && s[n] == ':')
			return s + n + 1 + strspn(s + n + 1, " \t");
	}
	return NULL;
}

static long number_find(const char *text, const char *name)
{
	const char *s = field_find(text, name);
	char *end;

	if (!s || !isdigit((unsigned char)*s))
		return -1;
	long v = strtol(s, &end, 10);
	return *end == '\n' ? v : -1;
}

/* sscanf: these are the kernel's texts; a number that does not fit is none that it prints. */
static int four_find(const char *text, const char *name, long out[4])
{
	const char *s = field_find(text, name);

	/* NOLINTNEXTLINE(cert-err34-c) */
	return s && sscanf(s, "%ld %ld %ld %ld", &out[0], &out[1], &out[2], &out[3]) == 4 ? 0 : -1;
}

static void groups_find(const char *text, struct process_status *out)
{
	const size_t max = sizeof out->group / sizeof *out->group;
	const char *s = field_find(text, "Groups");
	size_t n = 0;

	out->groups_known = s && strchr(s, '\n');
	while (s && n + 1 < max && isdigit((unsigned char)*s)) {
		char *end;
		out->group[n++] = strtol(s, &end, 10);
		s = end + strspn(end, " \t");
	}
	if (s && isdigit((unsigned char)*s))
		out->groups_known = false; /* more than we look at */
	out->group[n] = -1;
}

int process_status_parse(const char *text, struct process_status *out)
{
	static const char *const caps[] = {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"};
	const char *name = field_find(text, "Name"), *bypass = field_find(text, "Speculation_Store_Bypass");

	*out = (struct process_status){0};
	if (!name || four_find(text, "Uid", out->uid) < 0 || four_find(text, "Gid", out->gid) < 0)
		return -1;
	snprintf(out->name, sizeof out->name, "%.*s", (int)strcspn(name, "\n"), name);
	out->no_new_privs = number_find(text, "NoNewPrivs");
	out->seccomp = number_find(text, "Seccomp");
	out->seccomp_filters = number_find(text, "Seccomp_filters");
	out->tracer = number_find(text, "TracerPid");
	out->core_dumping = number_find(text, "CoreDumping");
	for (int i = 0; i < CAP_SETS; i++) {
		const char *s = field_find(text, caps[i]);
		out->caps_known[i] = s && strspn(s, "0123456789abcdef") == 16 && s[16] == '\n';
		out->cap[i] = out->caps_known[i] ? strtoull(s, NULL, 16) : 0;
	}
	groups_find(text, out);
	if (bypass)
		snprintf(out->store_bypass, sizeof out->store_bypass, "%.*s", (int)strcspn(bypass, "\n"),
		        bypass);
	return 0;
}

int process_map_parse(const char *line, struct process_map *out)
{
	char perms[5] = "";
	int at = 0;

	*out = (struct process_map){0};
	/* NOLINTNEXTLINE(cert-err34-c) */
	if (sscanf(line, "%*x-%*x %4s %*x %x:%x %lu%n", perms, &out->major, &out->minor, &out->inode, &at) !=
	                4 ||
	        !at || strlen(perms) != 4)
		return -1;
	out->write = perms[1] == 'w';
	out->execute = perms[2] == 'x';
	out->path = line + at + strspn(line + at, " ");
	return 0;
}

static const char *limit_take(const char *s, uint64_t *out)
{
	char *end;

	s += strspn(s, " ");
	if (strncmp(s, "unlimited", 9) == 0) {
		*out = UINT64_MAX;
		return s + 9;
	}
	if (!isdigit((unsigned char)*s))
		return NULL;
	*out = strtoull(s, &end, 10);
	return end;
}

int process_limit_parse(const char *text, const char *name, uint64_t *soft, uint64_t *hard)
{
	size_t n = strlen(name);

	for (const char *s = text; s; s = strchr(s, '\n')) {
		s += *s == '\n';
		if (strncmp(s, name, n) == 0 && s[n] == ' ')
			return (s = limit_take(s + n, soft)) && limit_take(s, hard) ? 0 : -1;
	}
	return -1;
}

/* PID (NAME) STATE PPID PGRP SESSION TTY TPGID FLAGS ...: the name ends at the last bracket. */
int process_is_kernel(const char *stat, bool *is_kernel)
{
	const char *s = strrchr(stat, ')');
	unsigned long flags;

	/* NOLINTNEXTLINE(cert-err34-c) */
	if (!s || sscanf(s + 1, " %*c %*d %*d %*d %*d %*d %lu", &flags) != 1)
		return -1;
	*is_kernel = flags & KERNEL_THREAD;
	return 0;
}

int process_oom_parse(const char *text, long *out)
{
	char *end;

	if (*text != '-' && !isdigit((unsigned char)*text))
		return -1;
	*out = strtol(text, &end, 10);
	return end > text && *end == '\n' && !end[1] && *out >= -1000 && *out <= 1000 ? 0 : -1;
}

char *process_read(const struct where *w, pid_t pid, const char *name, size_t *n)
{
	char path[320];

	snprintf(path, sizeof path, "proc/%d/%.255s", (int)pid, name);
	return where_read(w, path, FILE_BYTES_MAX, n);
}

/* Not where_link(): a link of /proc that is not followed cannot be opened in between without being allowed
 * more. */
int process_link(const struct where *w, pid_t pid, const char *name, char out[PROCESS_PATH_BYTES])
{
	char path[320];

	snprintf(path, sizeof path, "proc/%d/%.255s", (int)pid, name);
	ssize_t n = readlinkat(w->root, path, out, PROCESS_PATH_BYTES - 1);
	if (n < 0)
		return -1;
	out[n] = 0;
	return 0;
}

int process_each(
        const struct where *w, pid_t of, void (*look)(const struct where *, pid_t, void *), void *arg)
{
	char path[64] = "proc";
	int n = 0;

	if (of > 0)
		snprintf(path, sizeof path, "proc/%d/task", (int)of);
	DIR *d = where_folder(w, path);
	if (!d)
		return -1;
	for (const char *name; n < PROCESSES_MAX && (name = where_folder_next(d));)
		if (isdigit((unsigned char)name[0])) {
			look(w, (pid_t)strtol(name, NULL, 10), arg);
			n++;
		}
	int err = errno;
	closedir(d);
	errno = err ? err : E2BIG;
	return err || n == PROCESSES_MAX ? -1 : 0;
}

/* proc(5): 2 and 4 have had names since Linux 5.8. Members of the group of gid= see everything. */
static enum process_hidepid hidepid_parse(const struct mount *m)
{
	static const char *const hiding[] = {"2", "invisible", "4", "ptraceable"};
	unsigned long n, gid;
	const char *v = mount_value(m, "hidepid", &n);

	if (!v || *v == '0' || strncmp(v, "off", 3) == 0)
		return HIDEPID_OFF;
	for (size_t i = 0; i < sizeof hiding / sizeof *hiding; i++)
		if (n == strlen(hiding[i]) && strncmp(v, hiding[i], n) == 0 && !mount_value(m, "gid", &gid))
			return HIDEPID_INVISIBLE;
	return HIDEPID_NO_ACCESS;
}

int process_hidepid(const struct where *w, pid_t pid)
{
	char path[64] = "proc/self/mountinfo";
	size_t n;
	static struct mount m;
	int found = -1; /* the last one hides those below it */

	if (pid)
		snprintf(path, sizeof path, "proc/%d/mountinfo", (int)pid);
	char *save = NULL, *text = where_read(w, path, FILE_BYTES_MAX, &n);
	if (!text)
		return -1;
	errno = EINVAL;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (mountinfo_parse(line, &m) == 0 && strcmp(m.point, "/proc") == 0)
			found = (int)hidepid_parse(&m);
	free(text);
	return found;
}

const char *process_hidden(const struct where *w)
{
	char link[PROCESS_PATH_BYTES];
	ssize_t n = readlinkat(w->root, "proc/self/ns/pid", link, sizeof link - 1);

	if (n < 0)
		return "/proc is not mounted, or not whole";
	link[n] = 0;
	if (strcmp(link, pid_namespace_first) != 0)
		return "this is run in a PID namespace: processes outside are not seen";
	if (geteuid() != 0 && process_hidepid(w, 0) != HIDEPID_OFF)
		return "/proc hides the processes of other users (hidepid): root is needed";
	return NULL;
}
