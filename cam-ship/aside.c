/* A bounded table. When it is full, the entry that is due first makes room: it is met again by a later
 * reading of the directory. Reads and writes nothing. */
#include "aside.h"

#include <stddef.h>

static struct aside_entry *find(struct aside *a, const struct name *n)
{
	for (unsigned i = 0; i < a->count; i++)
		if (name_compare(&a->entry[i].name, n) == 0 && a->entry[i].name.state == n->state)
			return &a->entry[i];
	return NULL;
}

static struct aside_entry *due_first(struct aside *a)
{
	struct aside_entry *e = &a->entry[0];
	for (unsigned i = 1; i < a->count; i++)
		if (a->entry[i].due_ms < e->due_ms)
			e = &a->entry[i];
	return e;
}

int64_t aside_add(struct aside *a, const struct name *n, int doubt, int64_t now_ms, uint64_t scan)
{
	struct aside_entry *e = find(a, n);

	if (!e) {
		e = a->count < ASIDE_MAX ? &a->entry[a->count++] : due_first(a);
		*e = (struct aside_entry){.name = *n};
	}
	int64_t delay_ms = ASIDE_FIRST_MS;
	for (unsigned i = 0; i < e->tries && delay_ms < ASIDE_CAP_MS; i++)
		delay_ms *= 2;
	if (delay_ms > ASIDE_CAP_MS)
		delay_ms = ASIDE_CAP_MS;
	e->tries++;
	e->doubt = doubt;
	e->met = scan;
	e->due_ms = now_ms + delay_ms;
	return delay_ms;
}

int aside_has(struct aside *a, const struct name *n, uint64_t scan)
{
	struct aside_entry *e = find(a, n);
	if (e)
		e->met = scan;
	return e != NULL;
}

int aside_due(struct aside *a, int64_t now_ms, struct name *out)
{
	if (!a->count)
		return 0;
	struct aside_entry *e = due_first(a);
	if (now_ms < e->due_ms)
		return 0;
	*out = e->name;
	e->due_ms = INT64_MAX;
	return 1;
}

int64_t aside_wake_ms(const struct aside *a)
{
	int64_t first_ms = INT64_MAX;
	for (unsigned i = 0; i < a->count; i++)
		if (a->entry[i].due_ms < first_ms)
			first_ms = a->entry[i].due_ms;
	return first_ms;
}

void aside_remove(struct aside *a, const struct name *n)
{
	struct aside_entry *e = find(a, n);
	if (e)
		*e = a->entry[--a->count];
}

void aside_prune(struct aside *a, uint64_t scan)
{
	for (unsigned i = 0; i < a->count;)
		if (a->entry[i].met < scan)
			a->entry[i] = a->entry[--a->count];
		else
			i++;
}

unsigned aside_count(const struct aside *a, int doubt_only)
{
	unsigned n = 0;
	for (unsigned i = 0; i < a->count; i++)
		n += !doubt_only || a->entry[i].doubt;
	return n;
}
