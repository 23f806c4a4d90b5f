/* reader: verifies records of cam-segment(5) from a byte stream and gives out content.
 *
 * Order: the camera's key is one of those asked for, certificate, stream id, header's signature, mark's
 * signature, mark's header hash, stretch hash, chain, file key, commitment, decryption; only then content
 * leaves, a stretch at a time. Whatever does not verify is named and left out; what comes after it is read
 * on. Memory is at most one stretch. */
#ifndef READER_H
#define READER_H
#include "chain.h"
#include "known.h"
#include "record.h"
#include "release.h"

#include <sodium.h>
#include <stddef.h>
#include <stdint.h>

enum {
	READER_DEVICES_MAX = 64,
	READER_KEYS_MAX = 1024,
	READER_BUFFER_BYTES = 64 << 10,
	READER_TEXT_BYTES_MAX = 256
};

enum reader_verdict {
	/* good to know */
	READER_BEGINS,          /* where the history that was given begins */
	READER_RESTARTED,       /* the camera was started anew */
	READER_INPUT_RESTARTED, /* what it recorded from was */
	READER_RECIPIENTS_CHANGED,
	/* exit 1 */
	READER_GAP,
	READER_REORDERED,
	READER_DUPLICATE,
	READER_CONFLICT,
	READER_CLONED,
	READER_CHAIN_BROKEN,
	READER_EPOCH_LOST,
	READER_TRUNCATED,
	READER_UNPROVEN,
	READER_DAMAGED,
	READER_BAD_SIGNATURE,
	READER_STUB,
	READER_UNKNOWN_CAMERA,
	READER_NOT_FOR_KEY,
	READER_WRONG_COMMITMENT,
	READER_UNKNOWN_VERSION,
	READER_NOT_A_SEGMENT,
};

/* "gap", "truncated" and so on. */
const char *reader_verdict_name(enum reader_verdict v);

/* What is known of a segment when it is closed. */
struct reader_segment {
	struct record_header header;
	uint8_t header_hash[RECORD_HASH_BYTES];
	uint8_t data_key[32];
	int opened; /* data_key is known */
	int known_camera;
	int ended;              /* by its end record */
	int duplicate;          /* of one seen whole before, or in conflict with it: not given out */
	int lossy;              /* something of it was missing or did not verify */
	uint32_t expected;      /* number of the next record */
	uint32_t stretch_first; /* number of the first record of the open stretch */
	uint32_t released_to;   /* number of the mark up to which every stretch has come out */
	uint32_t chained_to;    /* of the last one that the chain knows */
	int gapped;             /* records are missing since the last verified mark */
	int mark_failed;        /* a mark was altered since then: what is before it is no tail */
	int absent;             /* only a header and a later mark so far */
	int placed;             /* in the chain */
	int again;              /* its header came again */
	int late;               /* closed: this could be told only at the end */
	uint8_t mark_hash[RECORD_HASH_BYTES]; /* of the last verified mark */
	struct record_mark mark;              /* that mark; prefix.type 0: none but the header */
	uint64_t record_bytes;                /* of verified records and those waiting */
	unsigned findings;                    /* verdicts against it */
	uint32_t released_units, torn_units, unproven_units;
};

/* A verified stretch whose content comes next. Its access units were captured between these times, the last
 * one at the later one; the first one too at the earlier one when it is the segment's first. */
struct reader_stretch {
	int64_t from_utc_ns, to_utc_ns;
	uint64_t from_boot_ns, to_boot_ns;
	uint8_t clock_state;
	uint32_t access_units;
	int first;
};

struct reader_sink {
	void *ctx;
	/* segment is NULL when the verdict is about none */
	void (*verdict)(
	        void *ctx, enum reader_verdict v, const struct reader_segment *segment, const char *text);
	/* Content; 0, or -1 with errno to stop. NULL: verify only. */
	int (*content)(void *ctx, const uint8_t *p, size_t n);
	void (*closed)(void *ctx, const struct reader_segment *segment);
	/* May be NULL. */
	void (*stretch)(void *ctx, const struct reader_stretch *stretch);
};

struct reader_config {
	uint8_t device_pk[READER_DEVICES_MAX][RECORD_PK_BYTES];
	size_t devices; /* 0: any camera, each called unknown */
	uint8_t pk[READER_KEYS_MAX][RECORD_PK_BYTES];
	const uint8_t *sk[READER_KEYS_MAX]; /* locked memory of the caller */
	size_t keys;
	int proven_only;  /* leave out tails without a mark */
	int reports;      /* give out reports and other bytes, instead of video */
	int packs_follow; /* stubs may come behind what follows them: gaps are told at the end */
};

struct reader {
	struct reader_config config;
	struct reader_sink sink;
	struct chain chain;
	struct known known;
	struct reader_segment seg;
	int open; /* seg is */
	struct stretch stretch;
	crypto_generichash_state stretch_hash;
	int fresh; /* content given out next does not follow what was given out last */
	uint8_t buf[READER_BUFFER_BYTES];
	size_t n;
	uint64_t skipped_bytes;  /* not part of any record, since the last one */
	uint8_t skipped_version; /* of an unknown one among them */
	int skipped_camera;      /* a header of a camera that was not asked for is among them: */
	uint8_t skipped_device_pk[RECORD_PK_BYTES];
	uint64_t segments, findings, other_kind; /* in all; of the kind that is not given out */
	uint64_t stubs;
};

void reader_init(struct reader *r, const struct reader_config *config, const struct reader_sink *sink);
/* Bytes of the input. -1 with errno when content() stopped it or memory ran out. */
int reader_push(struct reader *r, const uint8_t *p, size_t n);
/* The end of a file: what is open is closed. May be followed by the next file's bytes. */
int reader_flush(struct reader *r);
/* The end of all files, after the last reader_flush(): tells what was missing. */
void reader_end(struct reader *r);
void reader_free(struct reader *r);
#endif
