/* Exact as long as it remembers: a number that was never added is never said to be there. What it forgets is
 * sent again, which the server then answers with "is there already". Reads and writes nothing. */
#include "acked.h"

#include <stddef.h>
#include <string.h>

static int same_stream(const struct acked_run *r, const struct name *n)
{
	return r->epoch == n->epoch && r->state == n->state &&
	       memcmp(r->stream, n->stream, sizeof r->stream) == 0;
}

static void drop(struct acked *a, unsigned i)
{
	a->run[i] = a->run[--a->count];
}

/* The run whose files have been gone from the directory for longest: most likely they were all renamed. */
static void make_room(struct acked *a, uint64_t scan)
{
	unsigned oldest = 0;
	for (unsigned i = 1; i < a->count; i++)
		if (a->run[i].met < a->run[oldest].met)
			oldest = i;
	if (a->run[oldest].met + 1 >= scan)
		a->forgot = 1;
	drop(a, oldest);
}

/* Run i has just grown: swallow the one it touches now, if any. */
static void join(struct acked *a, unsigned i)
{
	for (unsigned j = 0; j < a->count; j++) {
		struct acked_run *r = &a->run[i], *s = &a->run[j];
		if (j == i || r->epoch != s->epoch || r->state != s->state ||
		        memcmp(r->stream, s->stream, sizeof r->stream) != 0)
			continue;
		if ((uint64_t)r->last + 1 == s->first || (uint64_t)s->last + 1 == r->first) {
			r->first = r->first < s->first ? r->first : s->first;
			r->last = r->last > s->last ? r->last : s->last;
			drop(a, j);
			return;
		}
	}
}

static void run_new(struct acked *a, const struct name *n, uint32_t first, uint32_t last, uint64_t scan)
{
	if (a->count == ACKED_RUNS_MAX)
		make_room(a, scan);
	struct acked_run *r = &a->run[a->count++];
	*r = (struct acked_run){
	        .epoch = n->epoch, .state = n->state, .first = first, .last = last, .met = scan};
	memcpy(r->stream, n->stream, sizeof r->stream);
}

void acked_add(struct acked *a, const struct name *n, uint64_t scan)
{
	for (unsigned i = 0; i < a->count; i++) {
		struct acked_run *r = &a->run[i];
		if (!same_stream(r, n) || (uint64_t)n->segment + 1 < r->first ||
		        n->segment > (uint64_t)r->last + 1)
			continue;
		r->first = n->segment < r->first ? n->segment : r->first;
		r->last = n->segment > r->last ? n->segment : r->last;
		r->met = scan;
		join(a, i);
		return;
	}
	run_new(a, n, n->segment, n->segment, scan);
}

static struct acked_run *find(struct acked *a, const struct name *n)
{
	for (unsigned i = 0; i < a->count; i++) {
		struct acked_run *r = &a->run[i];
		if (same_stream(r, n) && n->segment >= r->first && n->segment <= r->last)
			return r;
	}
	return NULL;
}

void acked_remove(struct acked *a, const struct name *n, uint64_t scan)
{
	struct acked_run *r = find(a, n);

	if (!r)
		return;
	uint32_t first = r->first, last = r->last;
	drop(a, (unsigned)(r - a->run));
	if (first < n->segment)
		run_new(a, n, first, n->segment - 1, scan);
	if (last > n->segment)
		run_new(a, n, n->segment + 1, last, scan);
}

int acked_has(struct acked *a, const struct name *n, uint64_t scan)
{
	struct acked_run *r = find(a, n);
	if (r)
		r->met = scan;
	return r != NULL;
}
