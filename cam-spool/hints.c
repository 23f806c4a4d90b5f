#define _GNU_SOURCE
#include "hints.h"

#include "msg.h"
#include "window.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct waiting {
	struct window oldest, newest;
	uint64_t n, packs;
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

static void consider(void *arg, const char *entry)
{
	struct waiting *w = arg;
	struct name n;

	if (name_parse(entry, &n) < 0 || (n.state != NAME_CAM && n.state != NAME_GONE))
		return;
	w->n += n.state == NAME_CAM;
	w->packs += n.state == NAME_GONE;
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
	window_sort(&w->oldest);
	window_sort(&w->newest);
	for (size_t i = 0; i < w->oldest.n; i++)
		hints_say(&w->oldest.name[i]);
	for (size_t i = 0; i < w->newest.n; i++)
		if (name_compare(&w->newest.name[i], &w->oldest.name[w->oldest.n - 1]) > 0)
			hints_say(&w->newest.name[i]);
	if (w->n)
		msg("%llu segments are waiting to be stored", (unsigned long long)w->n);
	if (w->packs)
		msg("%llu packs of stubs are waiting to be stored", (unsigned long long)w->packs);
	free(w);
}
