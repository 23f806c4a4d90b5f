#include "known.h"

#include "le.h"

#include <stdlib.h>
#include <string.h>

enum { ROOM_FIRST = 1024 };

/* Hashes are as good as random. */
static uint32_t *bucket(const struct known_index *x, const uint8_t *hash)
{
	return &x->bucket[le_get32(hash) & (x->buckets - 1)];
}

static void unlink_mark(struct known *k, uint32_t i)
{
	uint32_t *link = bucket(&k->by_hash, k->mark[i].hash);

	while (*link != i + 1)
		link = &k->mark[*link - 1].next;
	*link = k->mark[i].next;
}

static void link_mark(struct known *k, uint32_t i)
{
	uint32_t *b = bucket(&k->by_hash, k->mark[i].hash);
	k->mark[i].next = *b;
	*b = i + 1;
}

static void link_awaited(struct known *k, uint32_t i)
{
	uint32_t *b = bucket(&k->by_link, k->awaited[i].link.hash);
	k->awaited[i].next = *b;
	*b = i + 1;
}

/* Twice as many entries of `size` bytes, and an index for as many, empty. */
static int grow(void **entries, size_t size, uint32_t *room, struct known_index *x)
{
	uint32_t more = *room ? *room * 2 : ROOM_FIRST;
	void *p = realloc(*entries, more * size);

	if (!p)
		return -1;
	*entries = p;
	uint32_t *b = calloc(more, sizeof *b);
	if (!b)
		return -1;
	free(x->bucket);
	*x = (struct known_index){.bucket = b, .buckets = more};
	*room = more;
	return 0;
}

struct known_mark *known_find(const struct known *k, const uint8_t hash[RECORD_HASH_BYTES])
{
	if (!k->marks)
		return NULL;
	for (uint32_t i = *bucket(&k->by_hash, hash); i; i = k->mark[i - 1].next)
		if (memcmp(k->mark[i - 1].hash, hash, RECORD_HASH_BYTES) == 0)
			return &k->mark[i - 1];
	return NULL;
}

int known_add(struct known *k, const struct known_mark *m)
{
	uint32_t i = k->marks;

	if (known_find(k, m->hash))
		return 0;
	if (k->marks == KNOWN_MAX) {
		i = k->oldest;
		k->oldest = (k->oldest + 1) % KNOWN_MAX;
		unlink_mark(k, i);
	} else if (k->marks == k->marks_room) {
		void *p = k->mark;
		int r = grow(&p, sizeof *k->mark, &k->marks_room, &k->by_hash);
		k->mark = p;
		if (r < 0)
			return -1;
		for (uint32_t n = 0; n < k->marks; n++)
			link_mark(k, n);
	}
	k->marks += i == k->marks;
	k->mark[i] = *m;
	link_mark(k, i);
	return 0;
}

int known_await(struct known *k, const struct record_header *h)
{
	if (k->awaiting == KNOWN_AWAITED_MAX)
		return 0;
	if (k->awaiting == k->awaiting_room) {
		void *p = k->awaited;
		int r = grow(&p, sizeof *k->awaited, &k->awaiting_room, &k->by_link);
		k->awaited = p;
		if (r < 0)
			return -1;
		for (uint32_t n = 0; n < k->awaiting; n++)
			link_awaited(k, n);
	}
	struct known_awaited *a = &k->awaited[k->awaiting];
	*a = (struct known_awaited){.link = h->previous,
	        .channel = h->channel,
	        .kind = h->kind,
	        .epoch = h->epoch,
	        .segment = h->prefix.segment,
	        .utc_ns = h->utc_ns};
	memcpy(a->device_pk, h->device_pk, sizeof a->device_pk);
	memcpy(a->stream, h->prefix.stream, sizeof a->stream);
	link_awaited(k, k->awaiting++);
	return 1;
}

void known_answer(struct known *k, const uint8_t hash[RECORD_HASH_BYTES])
{
	if (!k->awaiting)
		return;
	for (uint32_t i = *bucket(&k->by_link, hash); i; i = k->awaited[i - 1].next)
		if (memcmp(k->awaited[i - 1].link.hash, hash, RECORD_HASH_BYTES) == 0)
			k->awaited[i - 1].answered = 1;
}

void known_free(struct known *k)
{
	free(k->mark);
	free(k->awaited);
	free(k->by_hash.bucket);
	free(k->by_link.bucket);
	memset(k, 0, sizeof *k);
}
