/* A sorted array of fixed size. Reads and writes nothing. */
#include "window.h"

#include <string.h>

int window_compare(const struct name *a, const struct name *b)
{
	int c = name_compare(a, b);
	return c ? c : (a->state > b->state) - (a->state < b->state);
}

void window_init(struct window *w, int newest, unsigned max)
{
	w->newest = newest;
	w->max = max;
	window_clear(w);
}

void window_clear(struct window *w)
{
	w->count = 0;
	w->more = 0;
}

/* The first place whose name is not before n. */
static unsigned place(const struct window *w, const struct name *n)
{
	unsigned lo = 0, hi = w->count;

	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;
		if (window_compare(&w->name[mid], n) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void cut(struct window *w, unsigned at)
{
	w->count--;
	memmove(&w->name[at], &w->name[at + 1], (w->count - at) * sizeof *w->name);
}

static int here(const struct window *w, unsigned at, const struct name *n)
{
	return at < w->count && window_compare(&w->name[at], n) == 0;
}

void window_offer(struct window *w, const struct name *n)
{
	unsigned at = place(w, n);

	if (here(w, at, n))
		return;
	if (w->count == w->max)
		w->more = 1;
	/* Behind the last one that is kept there are others: it is not known that n would be next. */
	if (w->more && at == (w->newest ? 0 : w->count))
		return;
	if (w->count == w->max) {
		cut(w, w->newest ? 0 : w->count - 1);
		at -= (unsigned)w->newest;
	}
	memmove(&w->name[at + 1], &w->name[at], (w->count - at) * sizeof *w->name);
	w->name[at] = *n;
	w->count++;
}

int window_take(struct window *w, struct name *out)
{
	if (!w->count)
		return 0;
	unsigned at = w->newest ? w->count - 1 : 0;
	*out = w->name[at];
	cut(w, at);
	return 1;
}

void window_remove(struct window *w, const struct name *n)
{
	unsigned at = place(w, n);
	if (here(w, at, n))
		cut(w, at);
}
