#define _GNU_SOURCE
#include "recover.h"

#include "fdio.h"
#include "msg.h"
#include "pack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BATCH = 64 };

/* --- what is there --- */

struct survey {
	struct dir *dir;
	unsigned long foreign;
	char one[NAME_BYTES_MAX];
};

static void survey_entry(void *arg, const char *entry)
{
	struct survey *s = arg;
	struct name n;

	if (part_temporary(entry, &n) == 0 && dir_has(s->dir, &n)) {
		if (unlinkat(s->dir->fd, entry, 0) < 0)
			msg_errno("%s: left over, cannot be removed", entry);
		else
			msg("%s: left over from an interrupted rewrite: removed", entry);
	} else if (name_parse(entry, &n) < 0 && pack_unfinished(entry, &n) < 0 && !s->foreign++) {
		snprintf(s->one, sizeof s->one, "%s", entry);
	}
}

/* The BATCH oldest NAME.part files after the one called after, oldest first. */
struct batch {
	const struct name *after;
	size_t n;
	struct name name[BATCH];
};

static int order(const struct name *a, const struct name *b)
{
	int c = name_compare(a, b);
	return c ? c : a->utc_s < b->utc_s ? -1 : a->utc_s > b->utc_s;
}

static void batch_entry(void *arg, const char *entry)
{
	struct batch *b = arg;
	struct name n;
	size_t i;

	if (!dir_ends(entry, ".part") || name_parse(entry, &n) < 0 || n.state != NAME_PART ||
	        (b->after && order(&n, b->after) <= 0))
		return;
	if (b->n == BATCH && order(&n, &b->name[BATCH - 1]) >= 0)
		return;
	for (i = b->n < BATCH ? b->n++ : BATCH - 1; i && order(&n, &b->name[i - 1]) < 0; i--)
		b->name[i] = b->name[i - 1];
	b->name[i] = n;
}

/* --- what one file holds --- */

struct walked {
	uint64_t end;        /* of the last whole record; 0: does not begin with a header */
	uint64_t damaged;    /* bytes before end that are no records */
	uint64_t unreadable; /* bytes that the disk did not give back */
	bool complete;       /* its end record is there */
	bool mixed;          /* another segment's header is in it */
};

static void walk_event(struct walked *w, const struct incoming *in, enum incoming_event e, uint64_t *gap)
{
	if (e == INCOMING_GAP) {
		*gap += in->told.bytes;
		return;
	}
	if (e == INCOMING_HEADER && in->record_offset) {
		w->mixed = true;
		return;
	}
	w->damaged += *gap;
	*gap = 0;
	w->end = in->record_offset + in->record_bytes;
	w->complete = e == INCOMING_END;
}

/* A page that cannot be read counts as zeros. */
static ssize_t page_read(int fd, uint8_t *p, size_t room, off_t off, struct walked *w)
{
	ssize_t r = fd_pread(fd, p, room, off);
	if (r >= 0)
		return r;
	size_t n = PART_PAGE_BYTES - (size_t)(off % PART_PAGE_BYTES);
	struct stat st;
	if (n > room)
		n = room;
	r = fd_pread(fd, p, n, off);
	if (r >= 0 || fstat(fd, &st) < 0 || off >= st.st_size)
		return r > 0 ? r : 0;
	memset(p, 0, n);
	w->unreadable += n;
	return (ssize_t)n;
}

static void walk(int fd, struct incoming *in, struct walked *w)
{
	uint64_t gap = 0;
	off_t off = 0;
	bool final = false;

	memset(in, 0, sizeof *in);
	memset(w, 0, sizeof *w);
	for (;;) {
		enum incoming_event e;
		while ((e = incoming_pull(in, final)) != INCOMING_MORE) {
			walk_event(w, in, e, &gap);
			if (w->complete || w->mixed || !w->end)
				return;
		}
		if (final || (!w->end && in->gap.bytes))
			return;
		size_t room;
		uint8_t *p = incoming_room(in, &room);
		ssize_t r = page_read(fd, p, room, off, w);
		incoming_pushed(in, (size_t)r);
		off += r;
		final = r == 0;
	}
}

void recover_name(struct name *out, const struct record_header *h)
{
	memset(out, 0, sizeof *out);
	out->epoch = h->epoch;
	out->segment = h->prefix.segment;
	out->utc_s = h->utc_ns < 0 ? 0 : (uint64_t)h->utc_ns / 1000000000;
	memcpy(out->stream, h->prefix.stream, sizeof out->stream);
	out->state = NAME_PART;
}

/* --- taking over --- */

/* Opens and walks one. The descriptor, or -1 when the file is no segment; that is reported unless it is
 * empty. */
static int examine(
        struct dir *d, const struct name *n, const char *text, struct incoming *in, struct walked *w)
{
	struct name own;
	struct stat st;
	int fd = openat(d->fd, text, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0) {
		msg_errno("%s: left alone", text);
		return -1;
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		msg("%s: left alone: not a file", text);
		close(fd);
		return -1;
	}
	if (st.st_size == 0) { /* killed or cut off before its header was written: nothing to keep */
		if (unlinkat(d->fd, text, 0) < 0)
			msg_errno("%s: empty, cannot be removed", text);
		close(fd);
		return -1;
	}
	walk(fd, in, w);
	if (w->end && !w->mixed) {
		recover_name(&own, &in->header);
		if (order(&own, n) == 0)
			return fd;
	}
	msg("%s: left alone: %s", text,
	        !w->end    ? "does not begin with a valid header"
	        : w->mixed ? "holds more than one segment"
	                   : "its header belongs to another name");
	close(fd);
	return -1;
}

static int publish(struct part *p, const struct incoming *in, bool complete)
{
	char stem[NAME_BYTES_MAX];

	if (part_publish(p) < 0) {
		if (errno != EEXIST)
			return -1;
		msg("%s: left alone: this segment is in the spool already", p->text);
		part_close(p);
		return 0;
	}
	snprintf(stem, sizeof stem, "%.*s", (int)(strlen(p->text) - strlen(".part")), p->text);
	if (complete)
		msg("%s.cam: recovered, complete", stem);
	else
		msg("%s.cam: recovered, truncated after record %lu", stem, (unsigned long)in->last);
	return 0;
}

/* in: of the unfinished one in p, if any. */
static int take_over(struct dir *d, struct part *p, struct incoming *in, const struct name *n)
{
	static struct incoming found;
	struct walked w;
	struct stat st;
	char text[NAME_BYTES_MAX];

	name_put(text, n);
	int fd = examine(d, n, text, &found, &w);
	if (fd < 0)
		return 0;
	if (p->fd >= 0 && publish(p, in, false) < 0) {
		close(fd);
		return -1;
	}
	if (fstat(fd, &st) == 0 && (uint64_t)st.st_size > w.end) {
		msg("%s: %llu bytes after the last whole record are cut off", text,
		        (unsigned long long)((uint64_t)st.st_size - w.end));
		while (ftruncate(fd, (off_t)w.end) < 0)
			if (dir_trouble(d, "cannot be cut", text) < 0) {
				close(fd);
				return -1;
			}
	}
	if (w.damaged)
		msg("%s: %llu damaged bytes inside", text, (unsigned long long)w.damaged);
	*in = found;
	incoming_restart(in);
	if (part_adopt(p, n, fd, w.end, w.unreadable != 0) < 0)
		return -1;
	return w.complete ? publish(p, in, true) : 0;
}

int recover(struct dir *d, struct part *p, struct incoming *in)
{
	struct survey s = {.dir = d};
	struct batch b = {.after = NULL};
	struct name last;

	if (dir_each(d, survey_entry, &s) < 0)
		msg_errno("reading the spool");
	if (s.foreign)
		msg("%lu files that are no segments are left alone, %s is one", s.foreign, s.one);
	do {
		b.n = 0;
		if (dir_each(d, batch_entry, &b) < 0)
			msg_errno("reading the spool");
		for (size_t i = 0; i < b.n; i++)
			if (take_over(d, p, in, &b.name[i]) < 0)
				return -1;
		if (b.n)
			last = b.name[b.n - 1];
		b.after = &last;
	} while (b.n == BATCH);
	/* Names that were renamed but not synced when an earlier run was killed are about to be printed. */
	while (fsync(d->fd) < 0)
		if (dir_trouble(d, "cannot be synced", "directory") < 0)
			return -1;
	dir_trouble_over(d);
	return 0;
}
