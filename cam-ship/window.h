/* window: some names in order, the oldest or the newest of a directory that may hold any number. */
#ifndef WINDOW_H
#define WINDOW_H
#include "name.h"

enum { WINDOW_MAX = 1024 };

struct window {
	struct name name[WINDOW_MAX]; /* ascending */
	unsigned count, max;
	int newest; /* which end is kept, and taken from */
	int more;   /* there were more than fit */
};

void window_init(struct window *w, int newest, unsigned max);
void window_clear(struct window *w);
/* Keeps n if it is not there yet and among the first max from the end that is kept. */
void window_offer(struct window *w, const struct name *n);
/* The first from that end. 1, or 0 when empty. */
int window_take(struct window *w, struct name *out);
void window_remove(struct window *w, const struct name *n);

/* The order of recording; a segment comes before its stub. */
int window_compare(const struct name *a, const struct name *b);
#endif
