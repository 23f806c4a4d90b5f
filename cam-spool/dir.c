#define _GNU_SOURCE
#include "dir.h"

#include "msg.h"
#include "room.h"
#include "stop.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { RETRY_MS = 1000, TELL_MS = 60000, REMOVED_MAX = 8, LOCK_TRIES = 5, LOCK_PAUSE_MS = 100 };

uint64_t dir_now_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

void dir_open(struct dir *d, const char *path)
{
	memset(d, 0, sizeof *d);
	d->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->fd < 0)
		die_errno(EXIT_TEMPORARY, "%s", path);
	if (faccessat(d->fd, ".", W_OK | X_OK, AT_EACCESS) < 0)
		die_errno(EXIT_TEMPORARY, "%s: not writable", path);
	/* whoever looks whether we are here holds it for a moment */
	int locked;
	for (int try = 0;
	        (locked = flock(d->fd, LOCK_EX | LOCK_NB)) < 0 && errno == EWOULDBLOCK && try < LOCK_TRIES;
	        try++)
		if (stop_asked(LOCK_PAUSE_MS))
			break;
	if (locked < 0) {
		if (errno == EWOULDBLOCK)
			die(EXIT_TEMPORARY, "%s: another cam-spool is at work here", path);
		die_errno(EXIT_TEMPORARY, "%s: lock", path);
	}
	/* A description of its own: reading it moves its offset. */
	int fd = openat(d->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d->list = fd < 0 ? NULL : fdopendir(fd);
	if (!d->list)
		die_errno(EXIT_TEMPORARY, "%s", path);
}

int dir_each(struct dir *d, void (*fn)(void *arg, const char *entry), void *arg)
{
	rewinddir(d->list);
	for (;;) {
		errno = 0;
		const struct dirent *e = readdir(d->list);
		if (!e)
			return errno ? -1 : 0;
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			fn(arg, e->d_name);
	}
}

bool dir_ends(const char *entry, const char *suffix)
{
	size_t n = strlen(entry), m = strlen(suffix);
	return n > m && strcmp(entry + n - m, suffix) == 0;
}

int dir_sync(int dir, int file)
{
	struct stat st;
	return fsync(dir) < 0 || fstat(file, &st) < 0 ? -1 : 0;
}

uint64_t dir_taken(const struct stat *st)
{
	uint64_t blocks = (uint64_t)st->st_blocks * 512, length = (uint64_t)st->st_size;
	return blocks > length ? blocks : length;
}

bool dir_has(const struct dir *d, const struct name *n)
{
	char text[NAME_BYTES_MAX];
	struct stat st;

	name_put(text, n);
	return fstatat(d->fd, text, &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

int dir_trouble(struct dir *d, const char *what, const char *name)
{
	uint64_t now = dir_now_ms();
	int err = errno;

	if ((err == ENOSPC || err == EDQUOT) && d->room && room_evict(d->room) == 1 &&
	        d->removed++ < REMOVED_MAX)
		return 0;
	if (!d->trouble_ms)
		d->trouble_ms = now;
	if (!d->told_ms || now - d->told_ms >= TELL_MS) {
		errno = err;
		msg_errno("%s: %s, trying again every second", name, what);
		d->told_ms = now;
	}
	if (d->meanwhile)
		d->meanwhile(d->meanwhile_arg);
	if (stop_asked(RETRY_MS)) {
		errno = ECANCELED;
		return -1;
	}
	return 0;
}

void dir_trouble_over(struct dir *d)
{
	if (d->trouble_ms)
		msg("disk works again after %llu s",
		        (unsigned long long)(dir_now_ms() - d->trouble_ms) / 1000);
	d->trouble_ms = d->told_ms = 0;
	d->removed = 0;
}
