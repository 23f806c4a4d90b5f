#define _GNU_SOURCE
#include "file-look.h"

#include "elf-file.h"
#include "secret-key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/xattr.h>
#include <unistd.h>

enum {
	PATH_BYTES = 4096,
	KEYFILE_BYTES_MAX = 256 << 10, /* as cam-key(1) reads them */
	ELF_BYTES_MAX = 1 << 30,
};

static const struct {
	const char *group, *name;
} keys[LOOK_KEYS] = {{"exec", "setuid-files"}, {"exec", "file-caps"}, {"exec", "world-writable"},
        {"exec", "interpreters"}, {"exec", "shells"}, {"exec", "busybox-applets"},
        {"exec", "secret-recipient-key"}, {"exec", "exposed-signing-key"}, {"exec", "elf:pie"},
        {"exec", "elf:relro"}, {"exec", "elf:bindnow"}, {"exec", "elf:nx"}, {"exec", "elf:canary"},
        {"exec", "elf:rpath"}, {"exec", "elf:wx"}, {"exec", "elf:broken"}, {"net", "ssh"},
        {"net", "discovery"}};

/* Names of programs; '*' at the end: and what begins so. */
static const struct {
	enum look_key key;
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

static void elf_look(struct look *l, const struct elf *f)
{
	const char *path = l->path;

	if (!f->program)
		return;
	if (!f->pie)
		list_add(&l->list[KEY_PIE], "%s", path);
	if (f->dynamic && !f->relro)
		list_add(&l->list[KEY_RELRO], "%s", path);
	if (f->dynamic && !f->bind_now)
		list_add(&l->list[KEY_BIND_NOW], "%s", path);
	if (f->stack_executable || !f->stack_known)
		list_add(&l->list[KEY_NX], "%s", path);
	if (f->rpath)
		list_add(&l->list[KEY_RPATH], "%s", path);
	if (f->write_execute || f->text_relocations)
		list_add(&l->list[KEY_WX], "%s", path);
	if (f->symbols_known && !f->canary)
		list_add(&l->list[KEY_CANARY], "%s", path);
	else if (!f->symbols_known)
		list_unseen(&l->list[KEY_CANARY], "a program whose names were stripped away");
}

static void map_look(struct look *l, int fd, size_t n)
{
	struct elf f;
	void *p = n <= ELF_BYTES_MAX ? mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;

	if (p == MAP_FAILED) {
		list_unseen(&l->list[KEY_BROKEN], "a program cannot be mapped");
		return;
	}
	enum elf_result r = elf_parse(p, n, &f);
	munmap(p, n);
	if (r == ELF_BROKEN)
		list_add(&l->list[KEY_BROKEN], "%s", l->path);
	else if (r == ELF_OK)
		elf_look(l, &f);
}

/* Nothing that is in it counts as looked at. The first such file is named. */
static void unreadable(struct look *l, const char *why)
{
	static const enum look_key needs[] = {KEY_CAPS, KEY_SECRET, KEY_SIGNING, KEY_PIE, KEY_RELRO,
	        KEY_BIND_NOW, KEY_NX, KEY_CANARY, KEY_RPATH, KEY_WX, KEY_BROKEN};

	if (!l->unread[0]) {
		snprintf(l->unread, sizeof l->unread, "%.400s: %s", l->path, why);
		list_clean(l->unread);
	}
	for (size_t i = 0; i < sizeof needs / sizeof *needs; i++)
		list_unseen(&l->list[needs[i]], l->unread);
	l->labels.unseen = l->unread;
}

static void text_look(struct look *l, int fd, const struct stat *st)
{
	static char text[KEYFILE_BYTES_MAX];
	size_t n = 0;
	ssize_t r = 0;

	while (n < sizeof text && (r = pread(fd, text + n, sizeof text - n, (off_t)n)) > 0)
		n += (size_t)r;
	if (r < 0)
		unreadable(l, strerror(errno));
	if (secret_key_is_in(text, n, "cam-recipient-secret1"))
		list_add(&l->list[KEY_SECRET], "%s", l->path);
	if (st->st_mode & (S_IRWXG | S_IRWXO) && secret_key_is_in(text, n, "cam-device-secret1"))
		list_add(&l->list[KEY_SIGNING], "%s: mode %04o", l->path, (unsigned)st->st_mode & 07777);
	explicit_bzero(text, n);
}

static void capability_look(struct look *l, int fd)
{
	if (fgetxattr(fd, "security.capability", NULL, 0) > 0)
		list_add(&l->list[KEY_CAPS], "%s", l->path);
	else if (errno != ENODATA && errno != ENOTSUP)
		list_unseen(&l->list[KEY_CAPS], "the capabilities of a file cannot be read");
}

/* A policy can keep a private file from root too: the signing key is cam-seal's. Its mode says that it is no
 * program and that nobody else may read it; what secret is in it stays unseen. */
static bool withheld(struct look *l, const struct stat *st)
{
	static const char why[] = "a file of its user alone, which not even root may read";

	if (errno != EACCES || geteuid() != 0 || st->st_mode & (S_IXUSR | S_IRWXG | S_IRWXO))
		return false;
	list_unseen(&l->list[KEY_SECRET], why);
	l->labels.unseen = why;
	return true;
}

static void content_look(struct look *l, int dir, const char *name, const struct stat *was)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOATIME);
	struct stat st;
	char magic[4];
	ssize_t n;

	if (fd < 0 && errno == EPERM)
		fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		if (errno != ENOENT && !withheld(l, was))
			unreadable(l, errno == EACCES ? "may not be read: root is needed" : strerror(errno));
		return;
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_ino != was->st_ino) {
		unreadable(l, "became another file while it was looked at");
	} else {
		labels_look(&l->labels, fd, l->path);
		capability_look(l, fd);
		n = pread(fd, magic, sizeof magic, 0);
		if (n < 0)
			unreadable(l, strerror(errno));
		else if (n == sizeof magic && memcmp(magic, "\177ELF", sizeof magic) == 0)
			map_look(l, fd, (size_t)st.st_size);
		else if (st.st_size > 0 && st.st_size <= KEYFILE_BYTES_MAX)
			text_look(l, fd, &st);
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

bool look_name_interprets(const char *name)
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
static void program_look(struct look *l, const char *name)
{
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (name_is(name, known[i].name))
			list_add(&l->list[known[i].key], "%s", l->path);
}

static void link_look(struct look *l, int dir, const char *name)
{
	char target[PATH_BYTES];
	ssize_t n = readlinkat(dir, name, target, sizeof target - 1);

	if (n < 0) {
		if (errno != ENOENT)
			list_unseen(&l->list[KEY_APPLETS], "a link cannot be read");
		return;
	}
	target[n] = 0;
	const char *slash = strrchr(target, '/'), *base = slash ? slash + 1 : target;
	if (strcmp(base, "busybox") != 0 && strcmp(base, "toybox") != 0)
		return;
	for (size_t i = 0; i < sizeof applets / sizeof *applets; i++)
		if (strcmp(name, applets[i]) == 0)
			list_add(&l->list[KEY_APPLETS], "%s", l->path);
}

void look_file(struct look *l, const char *path, int dir, const char *name, const struct stat *st)
{
	l->path = path;
	if (S_ISREG(st->st_mode) && st->st_mode & (S_ISUID | S_ISGID) &&
	        st->st_mode & (S_IXUSR | S_IXGRP | S_IXOTH))
		list_add(&l->list[KEY_SETUID], "%s: mode %04o", path, (unsigned)st->st_mode & 07777);
	if (st->st_mode & S_IWOTH &&
	        (S_ISREG(st->st_mode) || (S_ISDIR(st->st_mode) && !(st->st_mode & S_ISVTX))))
		list_add(&l->list[KEY_WORLD], "%s%s", path, S_ISDIR(st->st_mode) ? "/" : "");
	if (S_ISREG(st->st_mode)) {
		if (st->st_mode & (S_IXUSR | S_IXGRP | S_IXOTH))
			program_look(l, name);
		content_look(l, dir, name, st);
	} else if (S_ISLNK(st->st_mode)) {
		link_look(l, dir, name);
	}
}

void look_folder(struct look *l, const char *path, int fd)
{
	labels_look(&l->labels, fd, path);
}

void look_begin(struct look *l, struct evidence *e)
{
	*l = (struct look){0};
	for (int k = 0; k < LOOK_KEYS; k++)
		l->list[k] = (struct list){e, keys[k].group, keys[k].name, "file walk", 0, NULL, 0};
}

int look_end(struct look *l, const char *stopped)
{
	struct evidence *e = l->list[0].e;
	int r = 0;

	for (int k = 0; k < LOOK_KEYS; k++) {
		if (stopped)
			list_unseen(&l->list[k], stopped);
		r |= list_end(&l->list[k]);
	}
	l->labels.unseen = stopped ? stopped : l->labels.unseen;
	return r | labels_end(&l->labels, e);
}

int look_unseen(struct evidence *e, const char *why)
{
	int r = evidence_unseen(e, "image", "unlabelled", why);

	for (int k = 0; k < LOOK_KEYS; k++)
		r |= evidence_unseen(e, keys[k].group, keys[k].name, why);
	return r;
}
