/* sealer: writes the records of cam-segment(5), each in one write.
 *
 * Holds the stream's signing key and the open segment's key, in locked memory; both are new each time. Every
 * function returns 0, or -1 with errno when the output took no more. */
#ifndef SEALER_H
#define SEALER_H
#include "clocks.h"
#include "epoch.h"
#include "recipients.h"
#include "record.h"

#include <sodium.h>
#include <stddef.h>
#include <stdint.h>

struct sealer_secrets {
	uint8_t stream_sk[crypto_sign_SECRETKEYBYTES];
	uint8_t file_key[32], data_key[32];
};

struct sealer {
	int out_fd;
	struct epoch *epoch;
	const struct recipients *recipients;
	struct sealer_secrets *secrets; /* locked memory */
	struct record_header header; /* what all headers of this start have in common, and the current one */
	struct epoch_state state;    /* as the epoch file has it: the last mark written */
	uint32_t next_segment;
	struct recipients_set set; /* the keys of the open segment */
	int ended_told;            /* that a calendar has ended */

	int open;               /* a segment is */
	uint32_t record;        /* number of the last record */
	uint64_t segment_bytes; /* of records */
	uint64_t stretch_bytes; /* of data records since the last mark */
	uint32_t stretch_first; /* number of the first record since the last mark */
	uint64_t marked_ns;     /* CLOCK_BOOTTIME of the last mark */
	uint64_t opened_ns;     /* and of the header */
	struct clocks au;       /* of the latest access unit */
	uint32_t access_units, drops;
	uint64_t payload_bytes;
	uint8_t header_hash[RECORD_HASH_BYTES];
	crypto_generichash_state stretch;
	uint8_t pending[RECORD_PAYLOAD_BYTES_MAX]; /* content of the record to come */
	size_t pending_bytes;
	uint8_t pending_flags;
};

/* Makes the stream key, has it certified by the device key (64 bytes; the caller wipes it then), raises the
 * epoch on the disk. state is what the epoch file remembers; lost: it was unreadable. -1 with errno. */
int sealer_start(struct sealer *s, int out_fd, struct epoch *e, const struct epoch_state *state, int lost,
        const uint8_t device_sk[64], uint16_t channel, uint8_t kind);
void sealer_wipe(struct sealer *s);

/* Opens a segment whose first access unit has these times. None may be open. */
int sealer_open(struct sealer *s, const struct clocks *first);
/* Content of an access unit, in order. flags is of enum record_data_flag: RECORD_AU_STARTS and RECORD_IDR
 * with its first bytes. */
int sealer_bytes(struct sealer *s, uint8_t flags, const uint8_t *p, size_t n);
/* Writes what is pending with these further flags. */
int sealer_flush(struct sealer *s, uint8_t flags);
/* Copies of parameter sets that came before this segment. Nothing may be pending. */
int sealer_repeat(struct sealer *s, const uint8_t *p, size_t n);
/* A mark; type RECORD_END closes the segment. What is pending is written before it. */
int sealer_mark(struct sealer *s, uint8_t type, uint8_t reason);
#endif
