#define _GNU_SOURCE
#include "removal.h"

#include "msg.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

enum {
	DEPTH_MAX = 8,
	TELL_MS = 1000,
	STALE_MS = 10000, /* how old a look may be where renames are not told of */
	FAILED_TELL_MS = 60000,
};

/* --- names --- */

static bool none_left(const struct candidates *c)
{
	return c->at == c->window.n;
}

/* A name that has come: in its place, if it belongs before the last one that is known. */
static void candidate_insert(struct candidates *c, const struct name *n)
{
	struct window *w = &c->window;
	size_t i;

	if (!c->complete && (none_left(c) || name_compare(n, &w->name[w->n - 1]) > 0))
		return;
	if (w->n == WINDOW_NAMES && c->at) {
		memmove(w->name, w->name + c->at, (w->n - c->at) * sizeof *w->name);
		w->n -= c->at;
		c->at = 0;
	} else if (w->n == WINDOW_NAMES) {
		c->complete = false;
		if (name_compare(n, &w->name[--w->n]) >= 0) {
			w->n++;
			return;
		}
	}
	for (i = w->n; i > c->at && name_compare(&w->name[i - 1], n) > 0; i--)
		;
	if (i > c->at && name_compare(&w->name[i - 1], n) == 0)
		return;
	memmove(w->name + i + 1, w->name + i, (w->n - i) * sizeof *w->name);
	w->name[i] = *n;
	w->n++;
}

static struct candidates *candidates_for(struct room *r, enum name_state s)
{
	return s == NAME_SENT ? &r->sent : s == NAME_CAM ? &r->cam : NULL;
}

static void event_take(struct room *r, const struct inotify_event *e)
{
	struct name n;

	if (e->mask & IN_Q_OVERFLOW) { /* look again when a name is needed */
		r->sent.at = r->sent.window.n;
		r->cam.at = r->cam.window.n;
		r->sent.complete = r->cam.complete = false;
	} else if (e->len && name_parse(e->name, &n) == 0) {
		struct candidates *c = candidates_for(r, n.state);
		if (c)
			candidate_insert(c, &n);
	}
}

/* What was renamed since the last look, by cam-reap or by us. */
static void events_take(struct room *r)
{
	_Alignas(struct inotify_event) char p[4096];
	ssize_t n;

	if (r->notify < 0) {
		if (dir_now_ms() - r->scan_ms > STALE_MS)
			r->sent.complete = false;
		return;
	}
	while ((n = read(r->notify, p, sizeof p)) > 0)
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *e = (const void *)(p + at);
			event_take(r, e);
			at += (ssize_t)(sizeof *e + e->len);
		}
}

/* --- the scan --- */

static void tree_count(struct room *r, int parent, const char *entry, int depth)
{
	int fd = openat(parent, entry, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	struct stat st;

	if (!list) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((e = readdir(list))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
		        fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		r->bytes += dir_taken(&st);
		if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
			tree_count(r, fd, e->d_name, depth + 1);
	}
	closedir(list);
}

/* Is it the segment that is being published, before its renaming or after? */
static bool is_ending(const struct room *r, const struct name *n)
{
	return r->ending->fd >= 0 && (n->state == NAME_PART || n->state == NAME_CAM) &&
	       name_compare(n, &r->ending->name) == 0;
}

static void scan_entry(void *arg, const char *entry)
{
	struct room *r = arg;
	struct stat st;
	struct name n;
	bool ours = name_parse(entry, &n) == 0;

	if (r->part->fd >= 0 && strcmp(entry, r->part->text) == 0)
		return;
	struct candidates *c = ours ? candidates_for(r, n.state) : NULL;
	if (c && window_add(&c->window, &n))
		c->complete = false;
	/* it may be seen under two names or none, and is counted by itself */
	if ((ours && is_ending(r, &n)) || fstatat(r->dir->fd, entry, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	r->bytes += dir_taken(&st);
	r->files++;
	if (S_ISDIR(st.st_mode))
		tree_count(r, r->dir->fd, entry, 1);
}

static void ending_count(struct room *r)
{
	struct stat st;

	if (r->ending->fd < 0 || fstat(r->ending->fd, &st) < 0 || st.st_nlink == 0)
		return;
	r->bytes += dir_taken(&st);
	r->files++;
}

static void candidates_clear(struct candidates *c)
{
	c->window.sign = 1;
	c->window.n = c->at = 0;
	c->complete = true;
}

void removal_scan(struct room *r)
{
	uint64_t begun = dir_now_ms();

	events_take(r);
	candidates_clear(&r->sent);
	candidates_clear(&r->cam);
	r->bytes = r->files = 0;
	if (dir_each(r->dir, scan_entry, r) < 0)
		msg_errno("counting the spool");
	ending_count(r);
	window_sort(&r->sent.window);
	window_sort(&r->cam.window);
	r->counted = true;
	r->scan_ms = dir_now_ms();
	r->scan_cost_ms = r->scan_ms - begun;
}

void removal_init(struct room *r)
{
	char self[32];

	snprintf(self, sizeof self, "/proc/self/fd/%d", r->dir->fd);
	r->notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (r->notify >= 0 && inotify_add_watch(r->notify, self, IN_MOVED_TO | IN_CREATE) < 0) {
		close(r->notify);
		r->notify = -1;
	}
}

/* --- telling --- */

static void tally_add(struct tally *t, const struct name *n, uint64_t bytes, const char *no_stub)
{
	if (!t->n++)
		t->first = *n;
	t->last = *n;
	t->bytes += bytes;
	t->without += no_stub != NULL;
	if (no_stub)
		t->no_stub = no_stub;
}

static void tally_tell(struct room *r, struct tally *t, const char *of_one, const char *of_many)
{
	char first[NAME_BYTES_MAX], last[NAME_BYTES_MAX], without[128] = "";

	if (!t->n)
		return;
	name_put(first, &t->first);
	name_put(last, &t->last);
	if (t->without && t->n == 1)
		snprintf(without, sizeof without, "; no stub: %s", t->no_stub);
	else if (t->without)
		snprintf(without, sizeof without, "; %lu without a stub: %s", t->without, t->no_stub);
	if (t->n == 1)
		msg("%s: removed to make room: %s; %s%s", first, r->why, of_one, without);
	else
		msg("%lu %s removed to make room, %llu bytes, %s to %s: %s%s", t->n, of_many,
		        (unsigned long long)t->bytes, first, last, r->why, without);
	*t = (struct tally){.told_ms = dir_now_ms()};
}

void removal_tell(struct room *r, bool at_once)
{
	uint64_t now = dir_now_ms();

	if (at_once || now - r->sent_tally.told_ms >= TELL_MS)
		tally_tell(r, &r->sent_tally, "it is stored remotely", "stored segments were");
	if (at_once || now - r->cam_tally.told_ms >= TELL_MS)
		tally_tell(r, &r->cam_tally, "it was NOT stored", "segments that were NOT stored were");
}

/* --- removing --- */

static void failed_tell(const char *what, const char *name)
{
	static uint64_t told_ms;
	uint64_t now = dir_now_ms();

	if (!told_ms || now - told_ms >= FAILED_TELL_MS) {
		msg_errno("%s: %s", name, what);
		told_ms = now;
	}
}

/* 1 done, 0 it is not there or never can be removed. */
static int unlink_counted(struct room *r, const char *text, uint64_t *bytes)
{
	struct stat st;

	if (fstatat(r->dir->fd, text, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	*bytes = dir_taken(&st);
	room_freeing(r);
	if (unlinkat(r->dir->fd, text, 0) < 0) {
		if (errno != ENOENT)
			failed_tell("cannot be removed to make room", text);
		return 0;
	}
	room_freed(r, *bytes);
	return 1;
}

static int remove_sent(struct room *r, const struct name *n)
{
	char text[NAME_BYTES_MAX];
	uint64_t bytes;

	name_put(text, n);
	if (!unlink_counted(r, text, &bytes))
		return 0;
	tally_add(&r->sent_tally, n, bytes, NULL);
	return 1;
}

/* What is kept of it. 0 and *no_stub: nothing, which is why; NULL: a stub. -1 with errno. */
static int stub_keep(struct room *r, const struct name *cam, const char **no_stub)
{
	static const enum name_state twins[] = {NAME_SENT, NAME_GONE};
	static uint8_t stub[PACK_STUB_BYTES_MAX];
	struct name twin = *cam;
	struct pack_lost lost;
	struct stat st;

	for (size_t i = 0; i < sizeof twins / sizeof *twins; i++) {
		twin.state = twins[i];
		if (dir_has(r->dir, &twin)) {
			*no_stub = "it is there in another state";
			return 0;
		}
	}
	size_t n = pack_stub(r->dir, cam, stub, no_stub);
	if (!n)
		return 0;
	*no_stub = NULL;
	unsigned long before = r->pack.fd >= 0 && fstat(r->pack.fd, &st) == 0 ? dir_taken(&st) : 0;
	if (pack_add(&r->pack, cam, stub, n) < 0) {
		/* nothing can be written, and something must go: its proof goes too */
		if (errno != ENOSPC && errno != EDQUOT)
			return -1;
		*no_stub = "no space to write it";
		return 0;
	}
	bool fresh = r->pack.stubs == 1;
	if (fstat(r->pack.fd, &st) == 0) {
		uint64_t grown = dir_taken(&st) - (fresh ? 0 : before);
		r->bytes += grown;
		r->grown += grown;
		r->files += fresh;
	}
	if (fresh) {
		pack_shorten(&r->pack, &lost);
		r->bytes -= lost.bytes < r->bytes ? lost.bytes : r->bytes;
		r->files -= lost.packs < r->files ? lost.packs : r->files;
	}
	return 0;
}

static int remove_cam(struct room *r, const struct name *n)
{
	char text[NAME_BYTES_MAX];
	const char *no_stub;
	uint64_t bytes;

	name_put(text, n);
	if (!dir_has(r->dir, n)) /* cam-reap was faster: it is among the stored ones now */
		return 0;
	if (stub_keep(r, n, &no_stub) < 0) {
		failed_tell("its stub cannot be written", text);
		return -1;
	}
	if (!unlink_counted(r, text, &bytes))
		return 0;
	tally_add(&r->cam_tally, n, bytes, no_stub);
	return 1;
}

static bool candidate(struct room *r, struct candidates *c, bool *scanned)
{
	events_take(r);
	if (none_left(c) && !c->complete && !*scanned) {
		*scanned = true;
		removal_scan(r);
	}
	return !none_left(c);
}

bool removal_sent_waits(struct room *r)
{
	bool scanned = false;
	return candidate(r, &r->sent, &scanned);
}

bool removal_cam_waits(struct room *r)
{
	bool scanned = false;
	return candidate(r, &r->cam, &scanned);
}

int removal_next(struct room *r)
{
	bool scanned = false;
	int done = 0;

	while (!done) {
		struct candidates *c = &r->sent;
		if (!candidate(r, c, &scanned) && (r->keep_unsent || !candidate(r, c = &r->cam, &scanned)))
			return 0;
		const struct name n = c->window.name[c->at];
		done = n.state == NAME_SENT ? remove_sent(r, &n) : remove_cam(r, &n);
		if (done < 0)
			return -1;
		/* a scan on the way may have moved it */
		if (!none_left(c) && name_compare(&c->window.name[c->at], &n) == 0)
			c->at++;
	}
	removal_tell(r, false);
	return 1;
}
