/* Reads the names in one directory and watches it with inotify. Holds a window of names, the runs of stored
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

int waiting_open(struct waiting *w, const char *path, int64_t now_ms)
{
	memset(w, 0, sizeof *w);
	w->path = path;
	w->window.max = WAITING_WINDOW;
	w->repeat.max = WAITING_REPEAT_MAX;
	w->scan_ms = w->round_ms = w->repeat_ms = now_ms;
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

/* Keep the smallest l->max names, sorted. */
static void list_offer(struct waiting_list *l, const struct name *n)
{
	unsigned lo = 0, hi = l->count;

	if (l->count == l->max) {
		l->more = 1;
		if (name_compare(n, &l->name[l->count - 1]) > 0)
			return;
	}
	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;
		if (name_compare(n, &l->name[mid]) < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	unsigned tail = (l->count < l->max ? l->count : l->max - 1) - lo;
	memmove(&l->name[lo + 1], &l->name[lo], tail * sizeof *n);
	l->name[lo] = *n;
	if (l->count < l->max)
		l->count++;
}

static void list_clear(struct waiting_list *l)
{
	l->next = l->count = 0;
	l->more = 0;
}

static int list_take(struct waiting_list *l, struct name *out)
{
	if (l->next == l->count)
		return 0;
	*out = l->name[l->next++];
	return 1;
}

static void consider(struct waiting *w, const struct name *n, int64_t now_ms, int repeat)
{
	if (acked_has(&w->acked, n, w->scan)) {
		if (repeat)
			list_offer(&w->repeat, n);
		return;
	}
	if (aside_waits(&w->aside, n, now_ms, w->scan))
		return;
	if (w->marked && name_compare(n, &w->mark) <= 0)
		return;
	if (w->bounded > 0 && name_compare(n, &w->bound) > 0)
		return;
	list_offer(&w->window, n);
}

/* Read the whole directory once. -1 when that failed half-way: then what was not met may still be there. */
static int scan(struct waiting *w, int64_t now_ms)
{
	int repeat = now_ms - w->repeat_ms >= WAITING_REPEAT_MS;
	struct name n, last = {0};
	const struct dirent *d;

	list_clear(&w->window);
	if (repeat) {
		list_clear(&w->repeat);
		w->repeat_ms = now_ms;
	}
	w->hint = 0;
	w->scan++;
	w->scan_ms = now_ms;
	struct stat st;
	/* IN_DELETE_SELF does not come while the directory is open. */
	w->gone = fstat(dirfd(w->dir), &st) == 0 && st.st_nlink == 0;
	rewinddir(w->dir);
	while (errno = 0, (d = readdir(w->dir)) != NULL) {
		if (name_parse(d->d_name, &n) < 0 || n.state != NAME_CAM)
			continue;
		if (name_compare(&n, &last) > 0)
			last = n;
		consider(w, &n, now_ms, repeat);
	}
	if (errno) {
		msg_errno("%s: read", w->path);
		w->unreadable = 1;
		return -1;
	}
	w->unreadable = 0;
	aside_prune(&w->aside, w->scan);
	if (w->bounded < 0) {
		w->bounded = 1;
		w->bound = last;
	}
	return 0;
}

static int round_is_due(const struct waiting *w, int64_t now_ms)
{
	int64_t pause = w->acked.forgot ? WAITING_FORGOT_MS : WAITING_ROUND_MS;
	return now_ms - w->round_ms >= (w->late ? WAITING_LATE_MS : pause);
}

int waiting_next(struct waiting *w, int64_t now_ms, struct name *out)
{
	if (w->window.next < w->window.count || w->window.more) {
		/* go on with this round */
	} else if (!w->scan || round_is_due(w, now_ms)) {
		w->marked = w->late = w->acked.forgot = 0;
		w->round_ms = now_ms;
		w->hint = 1;
	} else if (now_ms - w->scan_ms >= WAITING_ROUND_MS) {
		w->hint = 1;
	}
	if (w->window.next == w->window.count && (w->hint || w->window.more))
		(void)scan(w, now_ms);
	if (!list_take(&w->window, out))
		return 0;
	w->mark = *out;
	w->marked = 1;
	return 1;
}

int64_t waiting_wake_ms(const struct waiting *w)
{
	if (w->window.next < w->window.count || w->window.more || w->hint || !w->scan)
		return 0;
	int64_t scan_ms = w->scan_ms + WAITING_ROUND_MS, round_ms = w->round_ms + WAITING_ROUND_MS;
	int64_t late_ms = w->late ? w->round_ms + WAITING_LATE_MS : INT64_MAX;
	if (!w->acked.forgot && round_ms < scan_ms)
		scan_ms = round_ms;
	return late_ms < scan_ms ? late_ms : scan_ms;
}

void waiting_stored(struct waiting *w, const struct name *n)
{
	aside_remove(&w->aside, n);
	acked_add(&w->acked, n, w->scan);
}

int64_t waiting_set_aside(struct waiting *w, const struct name *n, int doubt, int64_t now_ms)
{
	return aside_add(&w->aside, n, doubt, now_ms, w->scan);
}

static void announced(struct waiting *w, const char *text)
{
	struct name n;
	if (name_parse(text, &n) < 0 || n.state != NAME_CAM)
		return;
	w->hint = 1;
	if (w->marked && name_compare(&n, &w->mark) <= 0)
		w->late = 1;
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
			w->hint = w->late = 1;
		else if (e->len)
			announced(w, e->name);
		at += (ssize_t)(sizeof *e + e->len);
	}
}

void waiting_doorbell(struct waiting *w)
{
	w->hint = 1;
}

int waiting_repeat(struct waiting *w, struct name *out)
{
	return list_take(&w->repeat, out);
}

void waiting_last_round(struct waiting *w)
{
	list_clear(&w->window);
	w->marked = w->late = 0;
	w->bounded = -1; /* the next scan finds it */
	w->hint = 1;
}

int waiting_over(const struct waiting *w)
{
	return w->bounded > 0 && !w->hint && !w->late && !w->window.more && w->window.next == w->window.count;
}
