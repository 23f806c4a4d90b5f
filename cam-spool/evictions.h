/* evictions: which segments have become stubs since the last time, from the packs of cam-spool(1).
 *
 * A pack is NAME.gone.part while it is filled, then NAME.gone, and NAME.sent once it is stored; NAME is that
 * of its first stub. What was told of the newest one is remembered, so that each is told once for each start.
 */
#ifndef EVICTIONS_H
#define EVICTIONS_H
#include "name.h"

#include <stdbool.h>
#include <stdint.h>

/* Told at a time, so that a report fits a pipe (64 KiB); the others next time. */
enum { EVICTIONS_MAX = 900 };

struct evictions {
	struct name pack; /* being told; of which offset bytes have been */
	bool started;
	uint64_t offset;
	uint64_t total; /* told since the start */
};

/* A pack was seen in the directory; of those that are not told yet the oldest counts. */
struct evictions_next {
	struct name pack;
	bool found;
};
void evictions_seen(const struct evictions *e, struct evictions_next *next, const struct name *pack);

/* NAME.gone.part: 0 and the name of the pack, or -1. */
int evictions_unfinished(const char *entry, struct name *pack);

/* Tells the stubs that came in the pack e->pack, at most *left, which is lowered. -1 when it is nowhere. */
int evictions_tell(struct evictions *e, int dir_fd, void (*tell)(const struct name *n), unsigned *left);
#endif
