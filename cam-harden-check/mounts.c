/* Reads /proc/self/mountinfo, /proc/swaps and /sys/dev/block. */
#define _GNU_SOURCE
#include "mounts.h"

#include "list.h"
#include "mountinfo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TABLE_BYTES_MAX = 4 << 20, MOUNTS_MAX = 4096, FLAGS_BYTES = 128 };

static const char group[] = "mount", running[] = "/proc/self/mountinfo";

/* A place on a mount of its own or not: what counts is the mount it lies on. */
static const char *const places[] = {"/", "/dev", "/dev/shm", "/dev/pts", "/proc", "/sys", "/run", "/tmp",
        "/var", "/var/tmp", "/var/log", "/home"};
/* These are better not mounted, so that only a mount of their own counts. */
static const char *const mounts_own[] = {"/boot", "/boot/firmware", "/sys/kernel/security",
        "/sys/kernel/debug", "/sys/kernel/tracing", "/sys/fs/bpf"};
static const char spool[] = "/var/spool/cam";

struct table {
	struct mount *mount;
	size_t n;
};

/* false: a line that is none, or too many. */
static bool table_parse(char *text, struct table *t)
{
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (t->n == MOUNTS_MAX)
			return false;
		struct mount *more = realloc(t->mount, (t->n + 1) * sizeof *more);
		if (!more)
			return false;
		t->mount = more;
		if (mountinfo_parse(line, &t->mount[t->n]) < 0)
			return false;
		t->n++;
	}
	return true;
}

static void flags_put(const struct mount *m, char out[FLAGS_BYTES])
{
	static const char *const flags[] = {"nosuid", "nodev", "noexec"};
	unsigned long n;
	const char *hidepid = mount_value(m, "hidepid", &n);
	int at = snprintf(out, FLAGS_BYTES, "%s", mount_has(m, "ro") ? "ro" : "rw");

	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
		if (mount_has(m, flags[i]))
			at += snprintf(out + at, (size_t)(FLAGS_BYTES - at), ",%s", flags[i]);
	if (hidepid && n < 16)
		snprintf(out + at, (size_t)(FLAGS_BYTES - at), ",hidepid=%.*s", (int)n, hidepid);
}

/* Does the path lie at or below the mount point? */
static bool beneath(const char *path, const char *point)
{
	size_t n = strlen(point);

	if (strcmp(point, "/") == 0)
		return true;
	return strncmp(path, point, n) == 0 && (!path[n] || path[n] == '/');
}

/* The mount on which a path lies: the deepest, of several at one point the last. */
static const struct mount *mount_of(const struct table *t, const char *path)
{
	const struct mount *found = NULL;

	for (size_t i = 0; i < t->n; i++)
		if (beneath(path, t->mount[i].point) &&
		        (!found || strlen(t->mount[i].point) >= strlen(found->point)))
			found = &t->mount[i];
	return found;
}

static const struct mount *mount_at(const struct table *t, const char *point)
{
	const struct mount *m = mount_of(t, point);
	return m && strcmp(m->point, point) == 0 ? m : NULL;
}

/* path: absolute. Anything but a clear no. */
static bool may_be_there(const struct where *w, const char *path)
{
	int fd = where_open(w, path[1] ? path + 1 : ".", O_PATH);

	if (fd >= 0)
		close(fd);
	return fd >= 0 || errno != ENOENT;
}

static int place_put(struct evidence *e, const char *key, const struct mount *m, const char *source)
{
	char flags[FLAGS_BYTES];

	if (!m)
		return evidence_none(e, group, key, source);
	flags_put(m, flags);
	return evidence_fact(e, group, key, flags, source);
}

static int places_put(struct evidence *e, const struct where *w, const struct table *t)
{
	int r = 0;

	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		r |= place_put(
		        e, places[i], may_be_there(w, places[i]) ? mount_of(t, places[i]) : NULL, running);
	for (size_t i = 0; i < sizeof mounts_own / sizeof *mounts_own; i++)
		r |= place_put(e, mounts_own[i], mount_at(t, mounts_own[i]), running);
	return r | place_put(e, "data", may_be_there(w, spool) ? mount_of(t, spool) : NULL, running);
}

/* --- block devices --- */

/* The kind that the device mapper's UUID claims: "dm-crypt", "dm-verity", "dm", or "plain". NULL: it is on
 * none. */
static const char *device_kind(const struct where *w, unsigned major, unsigned minor)
{
	char path[64];
	size_t n;

	if (!major)
		return NULL;
	snprintf(path, sizeof path, "sys/dev/block/%u:%u/dm/uuid", major, minor);
	char *uuid = where_read(w, path, 4096, &n);
	if (!uuid)
		return errno == ENOENT ? "plain" : NULL;
	const char *kind = strncmp(uuid, "CRYPT-VERITY", 12) == 0 ? "dm-verity"
	                   : strncmp(uuid, "CRYPT-", 6) == 0      ? "dm-crypt"
	                                                          : "dm";
	free(uuid);
	return kind;
}

/* --- lists --- */

static bool writable(const struct mount *m)
{
	return !mount_has(m, "ro") && mount_holds_files(m);
}

/* Places whose programs and settings count as verified. */
static bool over_root(const struct mount *m)
{
	static const char *const verified[] = {
	        "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc", "/opt", "/root"};

	for (size_t i = 0; i < sizeof verified / sizeof *verified; i++)
		if (beneath(m->point, verified[i]))
			return true;
	return false;
}

static int lists_put(struct evidence *e, const struct table *t, const char *source)
{
	struct list both = {e, group, "writable-and-executable", source, 0, NULL, 0};
	struct list over = {e, group, "over-root", source, 0, NULL, 0};
	struct list unbounded = {e, group, "tmpfs-unbounded", source, 0, NULL, 0};
	unsigned long n;

	for (size_t i = 0; i < t->n; i++) {
		const struct mount *m = &t->mount[i];
		if (writable(m) && !mount_has(m, "noexec"))
			list_add(&both, "%s (%s)", m->point, m->type);
		if (over_root(m))
			list_add(&over, "%s (%s)", m->point, m->type);
		if (strcmp(m->type, "tmpfs") == 0 && writable(m) && !mount_value(m, "size", &n) &&
		        !mount_value(m, "nr_blocks", &n))
			list_add(&unbounded, "%s", m->point);
	}
	return list_end(&both) | list_end(&over) | list_end(&unbounded);
}

/* /proc/swaps: a heading, then lines that begin with the file. zram is memory, not a card. */
static int swaps_put(struct evidence *e, const struct where *w)
{
	struct list l = {e, group, "swap", "/proc/swaps", 0, NULL, 0};
	size_t n;
	char *text = where_read(w, "proc/swaps", 1 << 20, &n), *save = NULL;

	if (!text && errno == ENOENT && may_be_there(w, "/proc/version"))
		return evidence_none(e, group, "swap", "/proc/swaps"); /* a kernel without it */
	if (!text)
		list_unseen(&l, "/proc/swaps cannot be read");
	else if (strncmp(text, "Filename", 8) != 0)
		list_unseen(&l, "/proc/swaps does not look like itself");
	char *line = text ? strtok_r(text, "\n", &save) : NULL;
	while (line && (line = strtok_r(NULL, "\n", &save)))
		if (strncmp(line, "/dev/zram", 9) != 0)
			list_add(&l, "%.*s", (int)strcspn(line, " \t"), line);
	free(text);
	return list_end(&l);
}

static int live_collect(struct evidence *e, const struct where *w)
{
	struct table t = {0};
	size_t n;
	char *text = where_read(w, running + 1, TABLE_BYTES_MAX, &n);
	int r;

	if (!text || !n || text[n - 1] != '\n' || !table_parse(text, &t) || !mount_of(&t, "/")) {
		r = evidence_unseen(e, group, NULL, "/proc/self/mountinfo cannot be read or understood");
	} else {
		const struct mount *data = may_be_there(w, spool) ? mount_of(&t, spool) : NULL;
		const char *kind = data ? device_kind(w, data->major, data->minor) : NULL;
		r = places_put(e, w, &t) | lists_put(e, &t, running) | swaps_put(e, w);
		if (kind)
			r |= evidence_fact(e, group, "data-device", kind, "/sys/dev/block");
		else
			r |= evidence_unseen(
			        e, group, "data-device", "no block device below /var/spool/cam is known");
	}
	free(text);
	free(t.mount);
	return r;
}

int mounts_collect(struct evidence *e, const struct where *w)
{
	return w->live ? live_collect(e, w) : 0;
}
