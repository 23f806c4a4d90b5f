#define _GNU_SOURCE
#include "part.h"

#include "fdio.h"
#include "msg.h"
#include "room.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COPY_BYTES = 64 << 10, TEMPORARY_BYTES_MAX = NAME_BYTES_MAX + 4, ASIDE_MAX = 100 };

static const char temporary_suffix[] = ".new";

void part_init(struct part *p, struct dir *d, struct syncer *s)
{
	*p = (struct part){
	        .dir = d, .syncer = s, .fd = -1, .tail = malloc(PART_TAIL_BYTES + PART_PAGE_BYTES)};
	if (!p->tail)
		die_errno(EXIT_TEMPORARY, "memory");
}

void part_close(struct part *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

int part_temporary(const char *entry, struct name *out)
{
	char text[NAME_BYTES_MAX];
	size_t n = strlen(entry), suffix = sizeof temporary_suffix - 1;

	if (n <= suffix || n - suffix >= sizeof text || strcmp(entry + n - suffix, temporary_suffix) != 0)
		return -1;
	memcpy(text, entry, n - suffix);
	text[n - suffix] = 0;
	return name_parse(text, out) == 0 && out->state == NAME_PART ? 0 : -1;
}

static void temporary_put(char out[TEMPORARY_BYTES_MAX], const struct part *p)
{
	snprintf(out, TEMPORARY_BYTES_MAX, "%s%s", p->text, temporary_suffix);
}

static void begin(struct part *p, const struct name *n, int fd, uint64_t length)
{
	p->fd = fd;
	p->name = *n;
	name_put(p->text, n);
	p->length = p->written = length;
	p->synced = p->tail_from = 0;
	p->suspect = p->listed = p->renamed = p->syncing = p->publishing = false;
	p->synced_ms = dir_now_ms();
}

static bool lacks_space(int err)
{
	return err == ENOSPC || err == EDQUOT;
}

/* --- rewriting --- */

/* The synced beginning, old to new. A piece that cannot be read stays a hole, which readers pass over like
 * any damage: one bad sector must not stop the recording. Nothing was synced: it is all in the tail. */
static int head_copy(const struct part *p, int to)
{
	static uint8_t piece[COPY_BYTES];
	uint64_t lost = 0;
	size_t step = sizeof piece;

	for (uint64_t at = 0; at < p->tail_from;) {
		size_t n = p->tail_from - at < step ? (size_t)(p->tail_from - at) : step;
		ssize_t r = fd_pread(p->fd, piece, n, (off_t)at);
		if (r != (ssize_t)n && step > PART_PAGE_BYTES) {
			step = PART_PAGE_BYTES;
			continue;
		}
		if (r == (ssize_t)n && fd_pwrite(to, piece, n, (off_t)at) < 0)
			return -1;
		lost += r == (ssize_t)n ? 0 : n;
		at += n;
	}
	if (lost)
		msg("%s: %llu bytes cannot be read back: lost", p->text, (unsigned long long)lost);
	return 0;
}

static int rewrite(struct part *p)
{
	char temporary[TEMPORARY_BYTES_MAX];

	temporary_put(temporary, p);
	if (p->dir->room)
		room_make(p->dir->room, p->length);
	int fd = openat(p->dir->fd, temporary, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (fd < 0)
		return -1;
	if (head_copy(p, fd) < 0 ||
	        fd_pwrite(fd, p->tail, p->length - p->tail_from, (off_t)p->tail_from) < 0 ||
	        fdatasync(fd) < 0 || renameat(p->dir->fd, temporary, p->dir->fd, p->text) < 0) {
		int err = errno;
		close(fd);
		unlinkat(p->dir->fd, temporary, 0);
		errno = err;
		return -1;
	}
	close(p->fd);
	p->fd = fd;
	p->written = p->synced = p->length;
	p->suspect = p->listed = false;
	msg("%s: written again to a new file", p->text);
	return 0;
}

/* --- writing and syncing --- */

static int flush(struct part *p)
{
	while (p->written < p->length) {
		ssize_t r = pwrite(p->fd, p->tail + (p->written - p->tail_from), p->length - p->written,
		        (off_t)p->written);
		if (r > 0)
			p->written += (uint64_t)r;
		else if (r == 0 || errno != EINTR) {
			errno = r ? errno : EIO;
			return -1;
		}
	}
	return 0;
}

/* One attempt to have it all on the disk. */
static int settle(struct part *p)
{
	if (p->suspect) {
		if (rewrite(p) < 0)
			return -1;
	} else if (flush(p) < 0 || fdatasync(p->fd) < 0) {
		msg_errno("%s: sync", p->text);
		p->suspect = true;
		return -1;
	}
	p->synced = p->length;
	if (!p->listed && dir_sync(p->dir->fd, p->fd) < 0)
		return -1;
	p->listed = true;
	return 0;
}

/* What is synced need not be kept, except for the last page, which the next sync writes once more. */
static void tail_forget(struct part *p)
{
	uint64_t from = p->synced & ~(uint64_t)(PART_PAGE_BYTES - 1);

	if (from <= p->tail_from)
		return;
	memmove(p->tail, p->tail + (from - p->tail_from), p->length - from);
	p->tail_from = from;
}

/* What the syncer has of ours ends first. */
static int answer_wait(struct part *p)
{
	return p->syncing ? part_answered(p, syncer_answer(p->syncer)) : 0;
}

int part_sync(struct part *p)
{
	bool at_once = true; /* the first failure is answered by a rewrite without a pause */

	if (answer_wait(p) < 0)
		return -1;
	p->synced_ms = dir_now_ms();
	while (settle(p) < 0) {
		if (!(p->suspect && at_once) && dir_trouble(p->dir, "cannot be synced", p->text) < 0)
			return -1;
		at_once = false;
	}
	dir_trouble_over(p->dir);
	tail_forget(p);
	return 0;
}

/* Room in the tail for n bytes more. */
static int tail_room(struct part *p, size_t n)
{
	if (p->length - p->tail_from + n <= PART_TAIL_BYTES)
		return 0;
	if (answer_wait(p) < 0)
		return -1;
	return p->length - p->tail_from + n <= PART_TAIL_BYTES ? 0 : part_sync(p);
}

/* Back to the last whole record, as far as that can be done. */
static void unappend(struct part *p, uint64_t length)
{
	int err = errno;
	p->length = length;
	if (p->written > length) {
		p->written = length;
		(void)!ftruncate(p->fd, (off_t)length);
	}
	errno = err;
}

int part_append(struct part *p, const uint8_t *record, size_t n)
{
	uint64_t before = p->length;

	if (tail_room(p, n) < 0)
		return -1;
	memcpy(p->tail + (before - p->tail_from), record, n);
	p->length += n;
	while (flush(p) < 0) {
		if (errno == EFBIG) {
			unappend(p, before);
			return -1;
		}
		if (!lacks_space(errno)) {
			msg_errno("%s: write", p->text);
			if (answer_wait(p) < 0) {
				unappend(p, before);
				return -1;
			}
			p->suspect = true;
			if (rewrite(p) == 0)
				break;
		}
		if (dir_trouble(p->dir, "cannot be written", p->text) < 0) {
			unappend(p, before);
			return -1;
		}
	}
	dir_trouble_over(p->dir);
	return 0;
}

/* --- beginning and end --- */

static bool in_spool(const struct dir *d, struct name n)
{
	for (n.state = NAME_CAM; n.state <= NAME_GONE; n.state++)
		if (dir_has(d, &n))
			return true;
	return false;
}

/* A NAME.part that recovery could not use is in the way of that very segment. */
static int put_aside(struct part *p, const char *text)
{
	char aside[NAME_BYTES_MAX + 16];

	for (int i = 1; i < ASIDE_MAX; i++) {
		snprintf(aside, sizeof aside, "%s.damaged-%d", text, i);
		if (renameat2(p->dir->fd, text, p->dir->fd, aside, RENAME_NOREPLACE) == 0) {
			msg("%s: damaged and in the way: renamed to %s", text, aside);
			return 0;
		}
		if (errno != EEXIST)
			return -1;
	}
	return -1;
}

int part_create(struct part *p, const struct name *n)
{
	char text[NAME_BYTES_MAX];
	int fd;

	if (in_spool(p->dir, *n)) {
		errno = EEXIST;
		return -1;
	}
	name_put(text, n);
	while ((fd = openat(p->dir->fd, text, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640)) <
	        0) {
		if (errno == EEXIST && put_aside(p, text) == 0)
			continue;
		if (dir_trouble(p->dir, "cannot be created", text) < 0)
			return -1;
	}
	dir_trouble_over(p->dir);
	begin(p, n, fd, 0);
	return 0;
}

int part_adopt(struct part *p, const struct name *n, int fd, uint64_t length, bool unreadable)
{
	uint64_t from = length & ~(uint64_t)(PART_PAGE_BYTES - 1);
	size_t rest = (size_t)(length - from);

	begin(p, n, fd, length);
	p->suspect = unreadable;
	p->tail_from = from;
	if (fd_pread(fd, p->tail, rest, (off_t)from) != (ssize_t)rest) {
		memset(p->tail, 0, rest);
		p->suspect = true;
	}
	return part_sync(p);
}

static void cam_put(char out[NAME_BYTES_MAX], const struct part *p)
{
	struct name cam = p->name;
	cam.state = NAME_CAM;
	name_put(out, &cam);
}

int part_publish(struct part *p)
{
	char text[NAME_BYTES_MAX];

	cam_put(text, p);
	if (!p->renamed && part_sync(p) < 0)
		return -1;
	if (!p->renamed && in_spool(p->dir, p->name)) {
		errno = EEXIST;
		return -1;
	}
	for (;;) {
		if (!p->renamed && renameat(p->dir->fd, p->text, p->dir->fd, text) == 0)
			p->renamed = true;
		else if (!p->renamed && errno == ENOENT) {
			/* removed by somebody; it is still open */
			msg("%s: has vanished", p->text);
			p->suspect = true;
			if (part_sync(p) < 0)
				return -1;
			continue;
		}
		if (p->renamed && dir_sync(p->dir->fd, p->fd) == 0)
			break;
		if (dir_trouble(p->dir, p->renamed ? "directory cannot be synced" : "cannot be renamed",
		            text) < 0)
			return -1;
		/* The entry is written again too, not only the sync repeated. */
		if (p->renamed && renameat(p->dir->fd, text, p->dir->fd, p->text) == 0)
			p->renamed = false;
	}
	dir_trouble_over(p->dir);
	part_close(p);
	return 0;
}

/* --- by the syncer --- */

static void begin_job(struct part *p, bool publish)
{
	struct syncer_job j = {.file = p->fd, .dir = p->dir->fd, .entry = !p->listed};

	if (publish) {
		memcpy(j.from, p->text, sizeof j.from);
		cam_put(j.to, p);
	}
	syncer_give(p->syncer, &j);
	p->syncing = true;
	p->publishing = publish;
	p->syncing_to = p->length;
	p->synced_ms = dir_now_ms();
}

void part_sync_begin(struct part *p)
{
	begin_job(p, false);
}

int part_publish_begin(struct part *p)
{
	if (in_spool(p->dir, p->name)) {
		errno = EEXIST;
		return -1;
	}
	begin_job(p, true);
	return 0;
}

int part_answered(struct part *p, struct syncer_answer a)
{
	bool publish = p->publishing;

	p->syncing = p->publishing = false;
	errno = a.err;
	if (a.step == SYNCER_DATA) {
		msg_errno("%s: sync", p->text);
		p->suspect = true;
	} else {
		p->synced = p->syncing_to;
		p->listed |= a.step != SYNCER_ENTRY;
		p->renamed = a.step == SYNCER_DIRECTORY;
		tail_forget(p);
	}
	if (a.step != SYNCER_DONE)
		return publish ? part_publish(p) : part_sync(p);
	if (publish)
		part_close(p);
	return 0;
}
