#include "window.h"

#include <stdlib.h>

static int worse(const struct window *w, const struct name *a, const struct name *b)
{
	return name_compare(a, b) * w->sign > 0;
}

static void swap(struct name *a, struct name *b)
{
	struct name t = *a;
	*a = *b;
	*b = t;
}

static void sift_up(struct window *w, size_t i)
{
	for (; i && worse(w, &w->name[i], &w->name[(i - 1) / 2]); i = (i - 1) / 2)
		swap(&w->name[i], &w->name[(i - 1) / 2]);
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
		swap(&w->name[i], &w->name[top]);
		i = top;
	}
}

int window_add(struct window *w, const struct name *n)
{
	if (w->n < WINDOW_NAMES) {
		w->name[w->n] = *n;
		sift_up(w, w->n++);
		return 0;
	}
	if (worse(w, &w->name[0], n)) {
		w->name[0] = *n;
		sift_down(w);
	}
	return 1;
}

static int by_age(const void *a, const void *b)
{
	return name_compare(a, b);
}

void window_sort(struct window *w)
{
	qsort(w->name, w->n, sizeof *w->name, by_age);
}
