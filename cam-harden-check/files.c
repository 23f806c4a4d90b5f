/* Never follows a link, opens regular files only, never crosses from one filesystem into another; stops after
 * ENTRIES_MAX names, and then nothing was seen whole. Each file is opened once: for its capabilities, its ELF
 * headers, or, when it is small enough to be a key file, its lines. A file that shrinks meanwhile ends the
 * process, and with it the phase: not seen. */
#define _GNU_SOURCE
#include "files.h"

#include "elf-file.h"
#include "labels.h"
#include "list.h"
#include "mountinfo.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum {
	ENTRIES_MAX = 4 << 20,
	DEPTH_MAX = 64,
	PATH_BYTES = 4096,
	FILESYSTEMS_MAX = 64,
	KEYFILE_BYTES_MAX = 256 << 10, /* as cam-key(1) reads them */
	ELF_BYTES_MAX = 1 << 30,
};

enum key {
	KEY_SETUID,
	KEY_CAPS,
	KEY_WORLD,
	KEY_INTERPRETERS,
	KEY_SHELLS,
	KEY_APPLETS,
	KEY_SECRET,
	KEY_SIGNING,
	KEY_PIE,
	KEY_RELRO,
	KEY_BIND_NOW,
	KEY_NX,
	KEY_CANARY,
	KEY_RPATH,
	KEY_WX,
	KEY_BROKEN,
	KEY_SSH,
	KEY_DISCOVERY,
	KEYS,
};

static const struct {
	const char *group, *name;
} keys[KEYS] = {{"exec", "setuid-files"}, {"exec", "file-caps"}, {"exec", "world-writable"},
        {"exec", "interpreters"}, {"exec", "shells"}, {"exec", "busybox-applets"},
        {"exec", "secret-recipient-key"}, {"exec", "exposed-signing-key"}, {"exec", "elf:pie"},
        {"exec", "elf:relro"}, {"exec", "elf:bindnow"}, {"exec", "elf:nx"}, {"exec", "elf:canary"},
        {"exec", "elf:rpath"}, {"exec", "elf:wx"}, {"exec", "elf:broken"}, {"net", "ssh"},
        {"net", "discovery"}};

/* Names of programs; '*' at the end: and what begins so. */
static const struct {
	enum key key;
	const char *name;
} known[] = {{KEY_INTERPRETERS, "python*"}, {KEY_INTERPRETERS, "perl*"}, {KEY_INTERPRETERS, "ruby*"},
        {KEY_INTERPRETERS, "lua*"}, {KEY_INTERPRETERS, "node"}, {KEY_INTERPRETERS, "php*"},
        {KEY_INTERPRETERS, "tclsh*"}, {KEY_INTERPRETERS, "awk"}, {KEY_INTERPRETERS, "gawk"},
        {KEY_INTERPRETERS, "mawk"}, {KEY_INTERPRETERS, "expect"}, {KEY_INTERPRETERS, "guile*"},
        {KEY_INTERPRETERS, "execlineb"}, {KEY_SHELLS, "sh"}, {KEY_SHELLS, "bash"}, {KEY_SHELLS, "dash"},
        {KEY_SHELLS, "ash"}, {KEY_SHELLS, "zsh*"}, {KEY_SHELLS, "ksh*"}, {KEY_SHELLS, "mksh*"},
        {KEY_SHELLS, "fish"}, {KEY_SHELLS, "busybox*"}, {KEY_SHELLS, "toybox*"}, {KEY_SSH, "sshd"},
        {KEY_SSH, "dropbear"}, {KEY_SSH, "telnetd"}, {KEY_SSH, "in.telnetd"}, {KEY_DISCOVERY, "avahi-daemon"},
        {KEY_DISCOVERY, "miniupnpd"}, {KEY_DISCOVERY, "systemd-resolved"}, {KEY_DISCOVERY, "wsdd*"},
        {KEY_DISCOVERY, "mdnsd"}, {KEY_DISCOVERY, "minidlnad"}};

/* Applets of busybox that fetch or serve. */
static const char *const applets[] = {"nc", "wget", "tftp", "tftpd", "telnet", "telnetd", "ftpget", "ftpput",
        "ftpd", "httpd", "inetd", "udpsvd", "tcpsvd", "dnsd", "awk", "vi"};

struct walk {
	struct list list[KEYS];
	struct labels labels;
	unsigned long entries;
	dev_t device;
	char path[PATH_BYTES];
	size_t path_n;
	const char *stopped; /* why the walk did not get everywhere */
};

/* --- keys --- */

static bool is_base64(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
	       c == '_';
}

static bool key_line(const char *s, size_t n)
{
	size_t at = 0, run = 0;

	if (n > 8 && s[4] == '-' && s[7] == ' ')
		at = 8; /* a month */
	for (; at < n && is_base64(s[at]); at++)
		run++;
	if (run < 43 || at >= n || s[at] != ' ')
		return false;
	at++;
	return (n - at > 6 && memcmp(s + at, "plain ", 6) == 0) ||
	       (n - at > 9 && memcmp(s + at, "argon2id ", 9) == 0);
}

bool files_have_key(const char *text, size_t n, const char *word)
{
	size_t k = strlen(word);
	const char *end = text + n, *s = text;

	while ((s = memmem(s, (size_t)(end - s), word, k))) {
		const char *after = s + k;
		if ((s == text || s[-1] == '\n') && after < end && *after == ' ' &&
		        key_line(after + 1, (size_t)(end - after - 1)))
			return true;
		s = after;
	}
	return false;
}

/* --- one file --- */

static void elf_look(struct walk *w, const struct elf *f)
{
	const char *path = w->path;

	if (!f->program)
		return;
	if (!f->pie)
		list_add(&w->list[KEY_PIE], "%s", path);
	if (f->dynamic && !f->relro)
		list_add(&w->list[KEY_RELRO], "%s", path);
	if (f->dynamic && !f->bind_now)
		list_add(&w->list[KEY_BIND_NOW], "%s", path);
	if (f->stack_executable || !f->stack_known)
		list_add(&w->list[KEY_NX], "%s", path);
	if (f->rpath)
		list_add(&w->list[KEY_RPATH], "%s", path);
	if (f->write_execute || f->text_relocations)
		list_add(&w->list[KEY_WX], "%s", path);
	if (f->symbols_known && !f->canary)
		list_add(&w->list[KEY_CANARY], "%s", path);
	else if (!f->symbols_known)
		list_unseen(&w->list[KEY_CANARY], "a program whose names were stripped away");
}

static void map_look(struct walk *w, int fd, size_t n)
{
	struct elf f;
	void *p = n <= ELF_BYTES_MAX ? mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;

	if (p == MAP_FAILED) {
		list_unseen(&w->list[KEY_BROKEN], "a program cannot be mapped");
		return;
	}
	enum elf_result r = elf_parse(p, n, &f);
	munmap(p, n);
	if (r == ELF_BROKEN)
		list_add(&w->list[KEY_BROKEN], "%s", w->path);
	else if (r == ELF_OK)
		elf_look(w, &f);
}

static void text_look(struct walk *w, int fd, const struct stat *st)
{
	static char text[KEYFILE_BYTES_MAX];
	size_t n = 0;
	ssize_t r;

	while (n < sizeof text && (r = pread(fd, text + n, sizeof text - n, (off_t)n)) > 0)
		n += (size_t)r;
	if (files_have_key(text, n, "cam-recipient-secret1"))
		list_add(&w->list[KEY_SECRET], "%s", w->path);
	if (st->st_mode & (S_IRWXG | S_IRWXO) && files_have_key(text, n, "cam-device-secret1"))
		list_add(&w->list[KEY_SIGNING], "%s: mode %04o", w->path, (unsigned)st->st_mode & 07777);
	explicit_bzero(text, n);
}

static void unreadable(struct walk *w)
{
	static const enum key needs[] = {KEY_CAPS, KEY_SECRET, KEY_SIGNING, KEY_PIE, KEY_RELRO, KEY_BIND_NOW,
	        KEY_NX, KEY_CANARY, KEY_RPATH, KEY_WX, KEY_BROKEN};

	for (size_t i = 0; i < sizeof needs / sizeof *needs; i++)
		list_unseen(&w->list[needs[i]], "a file may not be read: root is needed");
	w->labels.unseen = "a file may not be read: root is needed";
}

static void content_look(struct walk *w, int dir, const char *name, const struct stat *was)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOATIME);
	struct stat st;
	char magic[4];

	if (fd < 0 && errno == EPERM)
		fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		if (errno != ENOENT)
			unreadable(w);
		return;
	}
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_ino == was->st_ino) {
		labels_look(&w->labels, fd, w->path);
		if (fgetxattr(fd, "security.capability", NULL, 0) > 0)
			list_add(&w->list[KEY_CAPS], "%s", w->path);
		if (st.st_size >= 4 && pread(fd, magic, 4, 0) == 4 && memcmp(magic, "\177ELF", 4) == 0)
			map_look(w, fd, (size_t)st.st_size);
		else if (st.st_size > 0 && st.st_size <= KEYFILE_BYTES_MAX)
			text_look(w, fd, &st);
	}
	close(fd);
}

static bool name_is(const char *name, const char *pattern)
{
	size_t n = strlen(pattern);

	if (n && pattern[n - 1] == '*')
		return strncmp(name, pattern, n - 1) == 0 &&
		       strspn(name + n - 1, "0123456789.-abcdefghijklmnopqrstuvwxyz") ==
		               strlen(name + n - 1) &&
		       !strchr("abcdefghijklmnopqrstuvwxyz", name[n - 1] ? name[n - 1] : '.');
	return strcmp(name, pattern) == 0;
}

bool files_name_interprets(const char *name)
{
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (name_is(name, known[i].name))
			return true;
	for (size_t i = 0; i < sizeof applets / sizeof *applets; i++)
		if (strcmp(name, applets[i]) == 0)
			return true;
	return false;
}

/* A regular file that can be run, by its name. */
static void program_look(struct walk *w, const char *name)
{
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (name_is(name, known[i].name))
			list_add(&w->list[known[i].key], "%s", w->path);
}

static void link_look(struct walk *w, int dir, const char *name)
{
	char target[PATH_BYTES];
	ssize_t n = readlinkat(dir, name, target, sizeof target - 1);

	if (n < 0)
		return;
	target[n] = 0;
	const char *slash = strrchr(target, '/'), *base = slash ? slash + 1 : target;
	if (strcmp(base, "busybox") != 0 && strcmp(base, "toybox") != 0)
		return;
	for (size_t i = 0; i < sizeof applets / sizeof *applets; i++)
		if (strcmp(name, applets[i]) == 0)
			list_add(&w->list[KEY_APPLETS], "%s", w->path);
}

/* --- walking --- */

static void folder_walk(struct walk *w, int dir, unsigned depth);

static void entry_look(struct walk *w, int dir, const char *name, unsigned depth)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0) {
		if (errno != ENOENT)
			w->stopped = "a file cannot be looked at";
		return;
	}
	if (S_ISREG(st.st_mode) && st.st_mode & (S_ISUID | S_ISGID) &&
	        st.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH))
		list_add(&w->list[KEY_SETUID], "%s: mode %04o", w->path, (unsigned)st.st_mode & 07777);
	if (st.st_mode & S_IWOTH && (S_ISREG(st.st_mode) || (S_ISDIR(st.st_mode) && !(st.st_mode & S_ISVTX))))
		list_add(&w->list[KEY_WORLD], "%s%s", w->path, S_ISDIR(st.st_mode) ? "/" : "");
	if (S_ISREG(st.st_mode)) {
		if (st.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH))
			program_look(w, name);
		content_look(w, dir, name, &st);
	} else if (S_ISLNK(st.st_mode)) {
		link_look(w, dir, name);
	} else if (S_ISDIR(st.st_mode) && st.st_dev == w->device) {
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
	labels_look(&w->labels, fd, w->path);
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

void files_open(const struct where *at)
{
	size_t n;

	preload = where_read(at, "etc/ld.so.preload", 64 << 10, &n);
	preload_errno = preload ? 0 : errno;
}

static int preload_collect(struct evidence *e)
{
	struct list l = {e, "exec", "preload", "/etc/ld.so.preload", 0, NULL, 0};
	char *save = NULL;

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
	int r = evidence_unseen(e, "exec", "preload", why) | evidence_unseen(e, "image", "unlabelled", why);

	for (int k = 0; k < KEYS; k++)
		r |= evidence_unseen(e, keys[k].group, keys[k].name, why);
	return r;
}

int files_collect(struct evidence *e, const struct where *at)
{
	static struct walk w;
	int r;

	if (at->root < 0)
		return 0;
	w = (struct walk){0};
	for (int k = 0; k < KEYS; k++)
		w.list[k] = (struct list){e, keys[k].group, keys[k].name, "file walk", 0, NULL, 0};
	if (at->live)
		others_walk(&w, at);
	else
		filesystem_walk(&w, at, "");
	if (!w.entries)
		w.stopped = "there is not one file";
	r = preload_collect(e);
	for (int k = 0; k < KEYS; k++) {
		if (w.stopped)
			list_unseen(&w.list[k], w.stopped);
		r |= list_end(&w.list[k]);
	}
	w.labels.unseen = w.stopped ? w.stopped : w.labels.unseen;
	return r | labels_end(&w.labels, e);
}
