/* epoch: the one file that cam-seal writes. It counts starts, and remembers the last mark, so that the next
 * start's first header can carry its position and hash; and which recipients that was for.
 *
 * Two slots, each in its own 512-byte block, written in turn, so that a torn write costs one of them:
 *
 *     0 "cam-epoch1" zero-padded to 16 · 16 sequence u64 · 24 epoch of the latest start u64 ·
 *     of the last mark: 32 segment u32 · 36 record u32 · 40 stream id 8 · 48 record type u8 (0: no mark yet),
 *     zero 1 · 50 latest month of calendars u16 (12 * year + month - 1; 0 unknown), zero 4 · 56 hash 32 ·
 *     88 epoch u64 · 96 H(recipients' keys) 32 · 128 H of bytes 0..127, 32
 *
 * The slot with the higher sequence counts. Functions return 0, or -1 with errno. */
#ifndef EPOCH_H
#define EPOCH_H
#include "record.h"

#include <stdint.h>

struct epoch {
	int fd, dir_fd;
	uint64_t sequence;
};

struct epoch_state {
	uint64_t raised; /* epoch of the latest start */
	/* the last mark */
	uint64_t epoch;
	uint8_t stream[RECORD_STREAM_BYTES];
	uint32_t segment, record;
	uint8_t type; /* enum record_type, or 0: no mark yet */
	uint8_t hash[RECORD_HASH_BYTES];
	unsigned month;                        /* latest that calendars were used for; 0 none */
	uint8_t recipients[RECORD_HASH_BYTES]; /* H of the keys sealed to */
};

/* Opens or makes the file and locks it; EWOULDBLOCK: another process holds it. *last is what it remembers;
 * all zero for a new file. *lost is set when the file has content, but no good slot. */
int epoch_open(struct epoch *e, const char *path, struct epoch_state *last, int *lost);
/* Writes the next slot. */
int epoch_write(struct epoch *e, const struct epoch_state *s);
/* To the disk: the file, and with folder its name too. */
int epoch_sync(struct epoch *e, int folder);
#endif
