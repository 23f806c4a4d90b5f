/* Never crosses from one filesystem into another; stops after ENTRIES_MAX names, and then nothing was seen
 * whole. */
#define _GNU_SOURCE
#include "files.h"

#include "file-look.h"
#include "mountinfo.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	ENTRIES_MAX = 4 << 20,
	DEPTH_MAX = 64,
	PATH_BYTES = 4096,
	FILESYSTEMS_MAX = 64,
};

struct walk {
	struct look look;
	unsigned long entries;
	dev_t device, namespaces; /* 0: unknown */
	char path[PATH_BYTES];
	size_t path_n;
	const char *stopped; /* why the walk did not get everywhere */
};

static void folder_walk(struct walk *w, int dir, unsigned depth);

static void entry_look(struct walk *w, int dir, const char *name, unsigned depth)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0) {
		if (errno != ENOENT)
			w->stopped = "a file cannot be looked at";
		return;
	}
	/* one that is kept by a name looks like a file, and has nothing in it */
	if (S_ISREG(st.st_mode) && w->namespaces && st.st_dev == w->namespaces)
		return;
	look_file(&w->look, w->path, dir, name, &st);
	if (S_ISDIR(st.st_mode) && st.st_dev == w->device) {
		int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0)
			folder_walk(w, fd, depth + 1);
		else if (errno != ENOENT)
			w->stopped = "a folder may not be read: root is needed";
	}
}

/* Takes the descriptor. */
static void folder_walk(struct walk *w, int fd, unsigned depth)
{
	DIR *d = depth <= DEPTH_MAX ? fdopendir(fd) : NULL;
	size_t was = w->path_n;

	if (!d) {
		w->stopped = depth > DEPTH_MAX ? "folders lie too deep" : "a folder cannot be read";
		close(fd);
		return;
	}
	look_folder(&w->look, w->path, fd);
	errno = 0;
	for (struct dirent *x; (x = readdir(d)); errno = 0) {
		if (strcmp(x->d_name, ".") == 0 || strcmp(x->d_name, "..") == 0)
			continue;
		int n = snprintf(w->path + was, sizeof w->path - was, "/%s", x->d_name);
		if (n >= (int)(sizeof w->path - was) || ++w->entries > ENTRIES_MAX) {
			w->stopped = "more files than are looked at";
			break;
		}
		w->path_n = was + (size_t)n;
		entry_look(w, fd, x->d_name, depth);
	}
	if (errno)
		w->stopped = "a folder cannot be read whole";
	w->path_n = was;
	w->path[was] = 0;
	closedir(d);
}

/* point: "" for the root itself. */
static void filesystem_walk(struct walk *w, const struct where *at, const char *point)
{
	/* mount points of a running device only, so that nothing has to be kept within a tree */
	int fd = openat(at->root, *point ? point + 1 : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		if (fd < 0 && errno == ENOENT && *point)
			return; /* below another mount */
		if (fd >= 0)
			close(fd);
		w->stopped = "a filesystem cannot be looked at";
		return;
	}
	w->device = st.st_dev;
	w->path_n = (size_t)snprintf(w->path, sizeof w->path, "%s", point);
	folder_walk(w, fd, 0);
}

static bool is_remote(const char *type)
{
	static const char *const remote[] = {"nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "afs"};

	for (size_t i = 0; i < sizeof remote / sizeof *remote; i++)
		if (strcmp(type, remote[i]) == 0)
			return true;
	return strncmp(type, "fuse", 4) == 0;
}

/* The other filesystems of a running device, each once. */
static void others_walk(struct walk *w, const struct where *at)
{
	static struct mount m;
	char *save = NULL, seen[FILESYSTEMS_MAX][32];
	size_t n, have = 0;
	char *text = where_read(at, "proc/self/mountinfo", 4 << 20, &n);

	if (!text)
		w->stopped = "the mounts are not known";
	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line;
	        line = strtok_r(NULL, "\n", &save)) {
		char id[32];
		bool known_already = false;
		if (mountinfo_parse(line, &m) < 0 || !mount_holds_files(&m))
			continue;
		snprintf(id, sizeof id, "%u:%u", m.major, m.minor);
		for (size_t i = 0; i < have; i++)
			known_already |= strcmp(seen[i], id) == 0;
		if (known_already)
			continue;
		if (have == FILESYSTEMS_MAX) {
			w->stopped = "more filesystems than are looked at";
			break;
		}
		memcpy(seen[have++], id, sizeof id);
		if (is_remote(m.type))
			w->stopped = "a filesystem of another computer is not walked";
		else
			filesystem_walk(w, at, m.point[1] ? m.point : "");
	}
	free(text);
}

/* /etc/ld.so.preload, and the errno of reading it. */
static char *preload;
static int preload_errno = ENODATA;
/* What is not there cannot be wrong: a folder that holds no system must not look like a good one. */
static bool plausible;
static const char no_system[] = "there is no etc: not the root of a system";

void files_open(const struct where *at)
{
	size_t n;

	preload = where_read(at, "etc/ld.so.preload", 64 << 10, &n);
	preload_errno = preload ? 0 : errno;
	plausible = where_exists(at, "etc");
}

static int preload_collect(struct evidence *e)
{
	struct list l = {e, "exec", "preload", "/etc/ld.so.preload", 0, NULL, 0};
	char *save = NULL;

	if (!plausible)
		list_unseen(&l, no_system);
	if (preload_errno && preload_errno != ENOENT)
		list_unseen(&l, "/etc/ld.so.preload cannot be read");
	for (char *s = preload ? strtok_r(preload, " \t\n:", &save) : NULL; s;
	        s = strtok_r(NULL, " \t\n:", &save))
		list_add(&l, "%s", s);
	free(preload);
	preload = NULL;
	preload_errno = ENODATA;
	return list_end(&l);
}

int files_unseen(struct evidence *e, const char *why)
{
	return evidence_unseen(e, "exec", "preload", why) | look_unseen(e, why);
}

int files_collect(struct evidence *e, const struct where *at)
{
	static struct walk w;
	struct stat st;

	if (at->root < 0)
		return 0;
	w = (struct walk){0};
	look_begin(&w.look, e);
	if (at->live && fstatat(at->root, "proc/self/ns/mnt", &st, 0) == 0)
		w.namespaces = st.st_dev;
	if (at->live)
		others_walk(&w, at);
	else
		filesystem_walk(&w, at, "");
	if (!plausible)
		w.stopped = no_system;
	if (!w.entries)
		w.stopped = "there is not one file";
	return preload_collect(e) | look_end(&w.look, w.stopped);
}
