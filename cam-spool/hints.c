#define _GNU_SOURCE
#include "hints.h"

#include "msg.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The HINTS_WINDOW first names in an order (sign 1: oldest first, -1: newest first) as a heap, worst on top.
 */
struct window {
	int sign;
	size_t n;
	struct name name[HINTS_WINDOW];
};

struct waiting {
	struct window oldest, newest;
	uint64_t n;
};

static bool nobody_reads;
static unsigned long dropped;

static int writable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	return poll(&p, 1, 0) == 1;
}

void hints_say(const struct name *n)
{
	char line[NAME_BYTES_MAX + 1];

	if (nobody_reads)
		return;
	name_put(line, n);
	size_t bytes = strlen(line);
	line[bytes++] = '\n';
	if (!writable(STDOUT_FILENO)) {
		if (!dropped++)
			msg("stdout is full: names are left out until it is read");
		return;
	}
	if (write(STDOUT_FILENO, line, bytes) == (ssize_t)bytes) {
		if (dropped)
			msg("stdout is read again: %lu names were left out", dropped);
		dropped = 0;
		return;
	}
	if (errno == EPIPE) {
		nobody_reads = true;
		msg("stdout is closed: recording goes on, names are no longer written");
	} else if (!dropped++)
		msg_errno("stdout: names are left out");
}

static bool worse(const struct window *w, const struct name *a, const struct name *b)
{
	return name_compare(a, b) * w->sign > 0;
}

static void sift_up(struct window *w, size_t i)
{
	for (; i && worse(w, &w->name[i], &w->name[(i - 1) / 2]); i = (i - 1) / 2) {
		struct name t = w->name[i];
		w->name[i] = w->name[(i - 1) / 2];
		w->name[(i - 1) / 2] = t;
	}
}

static void sift_down(struct window *w)
{
	for (size_t i = 0;;) {
		size_t top = i;
		for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < w->n; child++)
			if (worse(w, &w->name[child], &w->name[top]))
				top = child;
		if (top == i)
			return;
		struct name t = w->name[i];
		w->name[i] = w->name[top];
		w->name[top] = t;
		i = top;
	}
}

static void window_add(struct window *w, const struct name *n)
{
	if (w->n < HINTS_WINDOW) {
		w->name[w->n] = *n;
		sift_up(w, w->n++);
	} else if (worse(w, &w->name[0], n)) {
		w->name[0] = *n;
		sift_down(w);
	}
}

static int by_age(const void *a, const void *b)
{
	return name_compare(a, b);
}

static void consider(void *arg, const char *entry)
{
	struct waiting *w = arg;
	struct name n;

	if (name_parse(entry, &n) < 0 || n.state != NAME_CAM)
		return;
	w->n++;
	window_add(&w->oldest, &n);
	window_add(&w->newest, &n);
}

void hints_waiting(struct dir *d)
{
	struct waiting *w = calloc(1, sizeof *w);

	if (!w) {
		msg_errno("names of waiting segments");
		return;
	}
	w->oldest.sign = 1;
	w->newest.sign = -1;
	if (dir_each(d, consider, w) < 0)
		msg_errno("names of waiting segments");
	qsort(w->oldest.name, w->oldest.n, sizeof *w->oldest.name, by_age);
	qsort(w->newest.name, w->newest.n, sizeof *w->newest.name, by_age);
	for (size_t i = 0; i < w->oldest.n; i++)
		hints_say(&w->oldest.name[i]);
	for (size_t i = 0; i < w->newest.n; i++)
		if (name_compare(&w->newest.name[i], &w->oldest.name[w->oldest.n - 1]) > 0)
			hints_say(&w->newest.name[i]);
	if (w->n)
		msg("%llu segments are waiting to be stored", (unsigned long long)w->n);
	free(w);
}
