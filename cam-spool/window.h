/* window: the first names in the order of recording out of any number of them, in bounded memory. */
#ifndef WINDOW_H
#define WINDOW_H
#include "name.h"

#include <stddef.h>

enum { WINDOW_NAMES = 1024 };

/* The WINDOW_NAMES first names in an order (sign 1: oldest first, -1: newest first) as a heap, worst on top.
 */
struct window {
	int sign;
	size_t n;
	struct name name[WINDOW_NAMES];
};

/* 1 when a name, this one or one before, has been left out because there was no room. */
int window_add(struct window *w, const struct name *n);
/* Oldest first, whatever the sign; no heap any more. */
void window_sort(struct window *w);
#endif
