/* chain: do the segments follow each other? Each header names the mark before it, across restarts.
 *
 * Remembers the latest CHAIN_MARKS_MAX marks (headers too) of each of the CHAIN_CAMERAS_MAX cameras and
 * channels that were used last; nothing grows with the length of the footage. */
#ifndef CHAIN_H
#define CHAIN_H
#include "record.h"

enum { CHAIN_MARKS_MAX = 256, CHAIN_CAMERAS_MAX = 64 };

/* What a header is to the segments before it. */
enum chain_place {
	CHAIN_FIRST,     /* the first of its camera and channel that was seen */
	CHAIN_FOLLOWS,   /* links to the mark before */
	CHAIN_RESTARTED, /* the same, and the camera was started anew in between */
	CHAIN_GAP,       /* links to a mark that was not seen */
	CHAIN_REORDERED, /* belongs before what was seen last */
	CHAIN_DUPLICATE, /* was seen already, the same, and whole */
	CHAIN_AGAIN,     /* was seen already, the same, but not whole */
	CHAIN_CONFLICT,  /* another header of this very position was seen: both are signed */
	CHAIN_CLONED,    /* the same epoch under another stream id: a copied or restored card */
	CHAIN_BROKEN,    /* says that nothing came before it, but something did */
};

struct chain_position {
	uint64_t epoch;
	uint8_t stream[RECORD_STREAM_BYTES];
	uint32_t segment, record;
	uint8_t type;  /* enum record_type */
	uint8_t whole; /* of a header: all of its segment was there */
	uint8_t hash[RECORD_HASH_BYTES];
};

struct chain_camera {
	uint8_t device_pk[RECORD_PK_BYTES];
	uint16_t channel;
	uint8_t kind;
	struct chain_position newest; /* the last mark of the foremost segment */
	uint64_t oldest_epoch;        /* of segments and stubs */
	uint32_t oldest_segment;
	struct chain_position mark[CHAIN_MARKS_MAX];
	unsigned marks; /* ever added */
	uint64_t used;  /* by the clock below */
};

struct chain {
	struct chain_camera *camera[CHAIN_CAMERAS_MAX];
	uint64_t clock; /* counts look-ups */
};

/* The place of a verified header whose record has this hash, and its position and hash are remembered (not
 * those of a copy or a conflict). *before is the newest mark of its camera until then (zero for the
 * first). -1 with errno: no memory. */
int chain_header(struct chain *c, const struct record_header *h, const uint8_t hash[RECORD_HASH_BYTES],
        struct chain_position *before);
/* A verified mark of the segment with this header. */
void chain_mark(struct chain *c, const struct record_header *h, const struct record_prefix *p,
        const uint8_t hash[RECORD_HASH_BYTES]);
/* The place of a stub: CHAIN_DUPLICATE, CHAIN_CONFLICT, CHAIN_CLONED, or else CHAIN_FOLLOWS. It is not
 * remembered here: that is known.h's. -1 with errno: no memory. */
int chain_stub(struct chain *c, const struct record_header *h, const uint8_t hash[RECORD_HASH_BYTES]);
/* Is the mark that this header links to remembered here? */
int chain_link_seen(struct chain *c, const struct record_header *h);
/* Did something come of its camera and channel that is older than this header? */
int chain_older_seen(struct chain *c, const struct record_header *h);
/* All of the segment with this header was there and verified. */
void chain_whole(struct chain *c, const struct record_header *h);
void chain_free(struct chain *c);
#endif
