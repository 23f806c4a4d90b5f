/* Reads the names in one directory and watches it with inotify. Holds windows of names, the runs of stored
 * ones and those set aside, all bounded. Never opens, writes, renames or deletes a file. */
#define _GNU_SOURCE
#include "waiting.h"

#include "msg.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

int waiting_open(struct waiting *w, const char *path, int newest, int64_t now_ms)
{
	memset(w, 0, sizeof *w);
	w->path = path;
	w->newest = newest;
	window_init(&w->low, 0, WINDOW_MAX);
	window_init(&w->high, 1, WINDOW_MAX);
	window_init(&w->fresh, newest, WAITING_FRESH_MAX);
	window_init(&w->repeat, 0, WAITING_REPEAT_MAX);
	w->round_ms = w->repeat_ms = now_ms;
	w->dir = opendir(path);
	if (!w->dir)
		return -1;
	w->notify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	/* A segment appears by rename; one that is copied in by hand is whole when it is closed. */
	const uint32_t mask = IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
	if (w->notify_fd < 0 || inotify_add_watch(w->notify_fd, path, mask) < 0) {
		int saved = errno;
		closedir(w->dir);
		if (w->notify_fd >= 0)
			close(w->notify_fd);
		errno = saved;
		return -1;
	}
	return 0;
}

/* --- what is in hand --- */

static struct name *hand_find(struct waiting *w, const struct name *n)
{
	for (unsigned i = 0; i < w->in_hand; i++)
		if (window_compare(&w->hand[i], n) == 0)
			return &w->hand[i];
	return NULL;
}

static void hand_drop(struct waiting *w, const struct name *n)
{
	struct name *h = hand_find(w, n);
	if (h)
		*h = w->hand[--w->in_hand];
}

void waiting_stored(struct waiting *w, const struct name *n)
{
	hand_drop(w, n);
	aside_remove(&w->aside, n);
	acked_add(&w->acked, n, w->scan);
}

int64_t waiting_set_aside(struct waiting *w, const struct name *n, int doubt, int64_t now_ms)
{
	hand_drop(w, n);
	return aside_add(&w->aside, n, doubt, now_ms, w->scan);
}

void waiting_vanished(struct waiting *w, const struct name *n)
{
	hand_drop(w, n);
	aside_remove(&w->aside, n);
}

/* --- reading the directory --- */

static int shipped(const struct name *n)
{
	return n->state == NAME_CAM || n->state == NAME_GONE;
}

static int beyond_marks(const struct waiting *w, const struct name *n)
{
	return (w->low_marked && window_compare(n, &w->low_mark) <= 0) ||
	       (w->high_marked && window_compare(n, &w->high_mark) >= 0);
}

static void offer(struct waiting *w, const struct name *n)
{
	window_offer(&w->low, n);
	if (w->newest)
		window_offer(&w->high, n);
}

static void consider(struct waiting *w, const struct name *n, int repeat)
{
	if (acked_has(&w->acked, n, w->scan)) {
		if (repeat)
			window_offer(&w->repeat, n);
		return;
	}
	if (aside_has(&w->aside, n, w->scan) || hand_find(w, n) || beyond_marks(w, n))
		return;
	if (w->bounded > 0 && window_compare(n, &w->bound) > 0)
		return;
	w->waiting++;
	offer(w, n);
}

static void scan_begin(struct waiting *w)
{
	struct stat st;

	window_clear(&w->low);
	window_clear(&w->high);
	w->waiting = w->fresh.count;
	w->names = 0;
	w->last = (struct name){0};
	w->scan++;
	w->scanning = 1;
	/* IN_DELETE_SELF does not come while the directory is open. */
	w->gone = fstat(dirfd(w->dir), &st) == 0 && st.st_nlink == 0;
	rewinddir(w->dir);
}

static void scan_end(struct waiting *w, int64_t now_ms, int repeat)
{
	w->scanning = 0;
	if (repeat)
		w->repeat_ms = now_ms;
	aside_prune(&w->aside, w->scan);
	if (w->bounded < 0) {
		w->bounded = 1;
		w->bound = w->last;
	}
}

static void scan_slice(struct waiting *w, int64_t now_ms)
{
	int repeat = now_ms - w->repeat_ms >= WAITING_REPEAT_MS;
	struct name n;

	for (unsigned i = 0; i < WAITING_SLICE; i++) {
		errno = 0;
		const struct dirent *d = readdir(w->dir);
		if (!d && errno) {
			/* What was met so far is shipped; what was not may still be there. */
			msg_errno("%s: read", w->path);
			w->unreadable = 1;
			w->scanning = 0;
			return;
		}
		if (!d) {
			w->unreadable = 0;
			scan_end(w, now_ms, repeat);
			return;
		}
		w->names++;
		if (name_parse(d->d_name, &n) < 0 || !shipped(&n))
			continue;
		if (window_compare(&n, &w->last) > 0)
			w->last = n;
		consider(w, &n, repeat);
	}
}

/* --- rounds --- */

static int64_t round_pause_ms(const struct waiting *w)
{
	int64_t large_ms = (int64_t)w->names * WAITING_PER_NAME_MS;
	if (w->announced && !w->acked.forgot)
		return WAITING_LATE_MS;
	if (w->acked.forgot)
		return WAITING_FORGOT_MS;
	return large_ms > WAITING_ROUND_MS ? large_ms : WAITING_ROUND_MS;
}

static int windows_empty(const struct waiting *w)
{
	return !w->low.count && !w->high.count;
}

/* Of the windows one may have run out while the other has not. */
static int refill_is_due(const struct waiting *w)
{
	return w->newest ? (!w->high.count && w->high.more) || (!w->low.count && w->low.more)
	                 : !w->low.count && w->low.more;
}

static int round_is_due(const struct waiting *w, int64_t now_ms)
{
	if (!w->scan)
		return 1;
	return windows_empty(w) && now_ms - w->round_ms >= round_pause_ms(w);
}

int waiting_turn(struct waiting *w, int64_t now_ms)
{
	if (!w->scanning && refill_is_due(w)) {
		scan_begin(w);
	} else if (!w->scanning && round_is_due(w, now_ms)) {
		w->low_marked = w->high_marked = w->announced = w->acked.forgot = 0;
		w->round_ms = now_ms;
		scan_begin(w);
	}
	if (w->scanning)
		scan_slice(w, now_ms);
	return w->scanning;
}

static int low_take(struct waiting *w, struct name *out)
{
	if (w->scanning || !window_take(&w->low, out))
		return 0;
	window_remove(&w->high, out);
	w->low_mark = *out;
	w->low_marked = 1;
	return 1;
}

static int high_take(struct waiting *w, struct name *out)
{
	if (w->scanning || !window_take(&w->high, out))
		return 0;
	window_remove(&w->low, out);
	w->high_mark = *out;
	w->high_marked = 1;
	return 1;
}

static int front_take(struct waiting *w, struct name *out)
{
	return window_take(&w->fresh, out) || (w->newest ? high_take(w, out) : low_take(w, out));
}

/* The share of what would otherwise wait for ever while there is always something newer, or better. */
static int back_take(struct waiting *w, int64_t now_ms, struct name *out)
{
	return aside_due(&w->aside, now_ms, out) || low_take(w, out);
}

int waiting_next(struct waiting *w, int64_t now_ms, struct name *out)
{
	if (w->in_hand == WAITING_HAND_MAX)
		return 0;
	int back = w->starts % WAITING_SHARE == WAITING_SHARE - 1;
	int got = back ? back_take(w, now_ms, out) || front_take(w, out)
	               : front_take(w, out) || back_take(w, now_ms, out);
	if (!got)
		return 0;
	w->starts++;
	w->waiting -= w->waiting > 0;
	w->hand[w->in_hand++] = *out;
	return 1;
}

int64_t waiting_wake_ms(const struct waiting *w)
{
	if (w->scanning || !w->scan || refill_is_due(w) || !windows_empty(w) || w->fresh.count)
		return 0;
	int64_t round_ms = w->round_ms + round_pause_ms(w), aside_ms = aside_wake_ms(&w->aside);
	return round_ms < aside_ms ? round_ms : aside_ms;
}

int waiting_repeat(struct waiting *w, struct name *out)
{
	return !w->scanning && window_take(&w->repeat, out);
}

void waiting_last_round(struct waiting *w)
{
	window_clear(&w->fresh);
	w->low_marked = w->high_marked = w->announced = 0;
	w->bounded = -1;
	scan_begin(w);
}

int waiting_over(const struct waiting *w)
{
	return w->bounded > 0 && !w->scanning && !w->announced && windows_empty(w) && !refill_is_due(w) &&
	       !w->fresh.count;
}

/* --- announcements --- */

static void announced(struct waiting *w, const char *text)
{
	struct name n;

	if (name_parse(text, &n) < 0 || !shipped(&n))
		return;
	/* Segments do not change; a stub may be replaced by one that tells of more. */
	if (n.state == NAME_GONE)
		acked_remove(&w->acked, &n, w->scan);
	if (w->bounded || acked_has(&w->acked, &n, w->scan) || aside_has(&w->aside, &n, w->scan) ||
	        hand_find(w, &n))
		return;
	w->waiting++;
	if (!w->scan)
		return; /* the first reading meets it */
	if (!beyond_marks(w, &n)) {
		offer(w, &n);
		return;
	}
	window_offer(&w->fresh, &n);
	if (w->fresh.more)
		w->announced = 1;
	w->fresh.more = 0;
}

void waiting_notified(struct waiting *w)
{
	_Alignas(struct inotify_event) char buf[4096];
	ssize_t n = read(w->notify_fd, buf, sizeof buf);

	for (ssize_t at = 0; at < n;) {
		const struct inotify_event *e = (const void *)(buf + at);
		if (e->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT))
			w->gone = 1;
		if (e->mask & IN_Q_OVERFLOW)
			w->announced = 1;
		else if (e->len)
			announced(w, e->name);
		at += (ssize_t)(sizeof *e + e->len);
	}
}

void waiting_doorbell(struct waiting *w)
{
	w->announced = 1;
}
