/* pack: stubs of segments that had to go before they were stored, many to a file: cam-segment(5).
 *
 * NAME.gone.part is being filled, NAME.gone is whole and waits to be stored; NAME is the first segment in it.
 * A stub is durable before its segment is removed; nothing is ever written in place of anything. */
#ifndef PACK_H
#define PACK_H
#include "dir.h"
#include "record.h"

#include <stdbool.h>
#include <stddef.h>

enum { PACK_STUB_BYTES_MAX = RECORD_HEADER_BYTES(RECORD_RECIPIENTS_MAX) + RECORD_MARK_BYTES };

struct pack {
	struct dir *dir;
	uint64_t bytes_max; /* of one pack */
	uint64_t cap_bytes; /* of all that are not stored yet */
	int fd;             /* -1: none is being filled */
	struct name first;
	uint64_t length; /* whole stubs */
	unsigned long stubs;
	uint64_t added_ms; /* when the last one came */
};

/* What packs that were removed because of the cap took. */
struct pack_lost {
	uint64_t bytes;
	unsigned long packs, stubs;
};

void pack_init(struct pack *k, struct dir *d, uint64_t quota_bytes);

/* NAME.gone.part. 0, and the name that it will have; or -1. */
int pack_unfinished(const char *entry, struct name *out);
/* Whole stubs at the beginning of a pack, and where the last one ends. */
unsigned long pack_count(int fd, uint64_t *end);

/* Header and last mark of NAME.cam. Their length, or 0 and *why: then there is nothing to keep of it. */
size_t pack_stub(
        const struct dir *d, const struct name *cam, uint8_t stub[PACK_STUB_BYTES_MAX], const char **why);
/* Appends a stub, durably; begins another pack when the day changes or the pack is long enough. -1 with
 * errno. */
int pack_add(struct pack *k, const struct name *cam, const uint8_t *stub, size_t n);
/* NAME.gone.part becomes NAME.gone, durably, and its name is said. Trouble is told, and left to the next
 * start. */
void pack_close(struct pack *k);
/* What an earlier run left. */
void pack_recover(struct pack *k);
/* Removes the oldest whole packs until the cap is kept. */
void pack_shorten(struct pack *k, struct pack_lost *lost);
#endif
