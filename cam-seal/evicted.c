#include "evicted.h"

#include "name.h"

#include <stdlib.h>
#include <string.h>

static const char word[] = "evicted ";

struct item {
	uint8_t device_pk[RECORD_PK_BYTES], stream[RECORD_STREAM_BYTES];
	uint32_t segment;
};

struct list {
	struct item *item;
	size_t n, room;
};

static struct list stubs, named;
static char line[NAME_BYTES_MAX + sizeof word];
static size_t line_bytes;

static int order(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int c = memcmp(x->device_pk, y->device_pk, sizeof x->device_pk);

	c = c ? c : memcmp(x->stream, y->stream, sizeof x->stream);
	return c ? c : x->segment < y->segment ? -1 : x->segment > y->segment;
}

static int list_add(struct list *l, const uint8_t device_pk[RECORD_PK_BYTES],
        const uint8_t stream[RECORD_STREAM_BYTES], uint32_t segment)
{
	if (l->n == EVICTED_MAX)
		return 0;
	if (l->n == l->room) {
		size_t room = l->room ? 2 * l->room : 64;
		struct item *p = realloc(l->item, room * sizeof *p);
		if (!p)
			return -1;
		l->item = p;
		l->room = room;
	}
	struct item *i = &l->item[l->n++];
	memset(i, 0, sizeof *i);
	memcpy(i->device_pk, device_pk, sizeof i->device_pk);
	memcpy(i->stream, stream, sizeof i->stream);
	i->segment = segment;
	return 0;
}

int evicted_stub(const struct record_header *h)
{
	return list_add(&stubs, h->device_pk, h->prefix.stream, h->prefix.segment);
}

/* "evicted NAME", where NAME has no suffix. */
static int line_take(const uint8_t device_pk[RECORD_PK_BYTES])
{
	struct name n;

	line[line_bytes] = 0;
	if (strncmp(line, word, sizeof word - 1) != 0)
		return 0;
	memcpy(line + line_bytes, ".cam", sizeof ".cam");
	if (name_parse(line + sizeof word - 1, &n) < 0)
		return 0;
	return list_add(&named, device_pk, n.stream, n.segment);
}

int evicted_report(const uint8_t device_pk[RECORD_PK_BYTES], const uint8_t *p, size_t n)
{
	for (; n; n--, p++)
		if (*p == '\n') {
			if (line_bytes < sizeof line && line_take(device_pk) < 0)
				return -1;
			line_bytes = 0;
		} else if (line_bytes < sizeof line - sizeof ".cam") {
			line[line_bytes++] = (char)*p;
		} else {
			line_bytes = sizeof line; /* too long for a name: skipped */
		}
	return 0;
}

uint64_t evicted_named(void)
{
	uint64_t found = 0;

	if (!named.n)
		return 0;
	qsort(named.item, named.n, sizeof *named.item, order);
	for (size_t i = 0; i < stubs.n; i++)
		found += bsearch(&stubs.item[i], named.item, named.n, sizeof *named.item, order) != NULL;
	return found;
}

void evicted_free(void)
{
	free(stubs.item);
	free(named.item);
	memset(&stubs, 0, sizeof stubs);
	memset(&named, 0, sizeof named);
	line_bytes = 0;
}
