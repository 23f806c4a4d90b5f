/* known: continuity over stubs, in whatever order they and footage come.
 *
 * Remembers, by hash, the header and the last mark of each of the KNOWN_MAX segments and stubs that came
 * last, and links to marks that have not come yet: up to KNOWN_AWAITED_MAX, which are answered when they do.
 * Memory grows with what is there, up to these bounds. */
#ifndef KNOWN_H
#define KNOWN_H
#include "record.h"

enum { KNOWN_MAX = 1 << 18, KNOWN_AWAITED_MAX = 1 << 16 };

struct known_mark {
	uint8_t hash[RECORD_HASH_BYTES];
	uint64_t epoch;
	uint8_t stream[RECORD_STREAM_BYTES];
	uint32_t segment, record;
	uint8_t type; /* enum record_type */
	uint8_t stub; /* nothing but a stub of its segment has come */
	uint32_t next;
};

/* A segment whose previous mark has not come. */
struct known_awaited {
	struct record_link link;
	uint8_t device_pk[RECORD_PK_BYTES], stream[RECORD_STREAM_BYTES];
	uint16_t channel;
	uint8_t kind, answered;
	uint64_t epoch;
	uint32_t segment, next;
	int64_t utc_ns;
};

/* Places of entries by hash: number + 1, 0 none; a power of two of them. */
struct known_index {
	uint32_t *bucket;
	uint32_t buckets;
};

struct known {
	struct known_mark *mark; /* a ring once there are KNOWN_MAX */
	uint32_t marks, marks_room, oldest;
	struct known_index by_hash;
	struct known_awaited *awaited;
	uint32_t awaiting, awaiting_room;
	struct known_index by_link;
};

/* NULL when it has not come, or was forgotten. */
struct known_mark *known_find(const struct known *k, const uint8_t hash[RECORD_HASH_BYTES]);
/* m->next is set. -1 with errno: no memory. */
int known_add(struct known *k, const struct known_mark *m);
/* This segment's previous mark may come later. 1; 0 when no more links are remembered; -1 with errno. */
int known_await(struct known *k, const struct record_header *h);
/* A mark with this hash has come. */
void known_answer(struct known *k, const uint8_t hash[RECORD_HASH_BYTES]);
void known_free(struct known *k);
#endif
