/* incoming: whole records out of a byte stream that may begin, tear and go wrong anywhere.
 *
 * Push bytes, pull events; nothing here reads, writes or allocates. What is accepted:
 *   - a header that verifies by itself (certificate, stream id, signature): it opens its segment;
 *   - of the open segment and with a number above the last one: a checkpoint or end that is signed by the
 *     header's stream key and names the header's hash, and a data record (which nobody can check without the
 *     key) unless it looks torn: see data_judge().
 * Anything else is passed over from sync + 1 on, never by its claimed length, and told as one gap. */
#ifndef INCOMING_H
#define INCOMING_H
#include "record.h"

#include <stdbool.h>

enum { INCOMING_BYTES = 2 * RECORD_BYTES_MAX };

enum incoming_event {
	INCOMING_MORE,   /* nothing more in these bytes */
	INCOMING_GAP,    /* told: what was passed over before the next record */
	INCOMING_HEADER, /* the other segment, if one was open, is over; header is filled in */
	INCOMING_DATA,
	INCOMING_CHECKPOINT,
	INCOMING_END, /* the segment is complete and no longer open */
};

struct incoming_gap {
	uint64_t bytes;     /* everything passed over, the records counted below included */
	uint32_t strangers; /* records of one other segment (stream, segment) that is not open */
	uint8_t stream[RECORD_STREAM_BYTES];
	uint32_t segment;
	uint32_t repeated; /* of the open segment, not above its last number */
	uint32_t refused;  /* headers and marks that do not verify */
	uint32_t torn;     /* data records of the open segment that are damaged or cut off */
	uint32_t versions; /* of a version that this program does not know, the last of which was */
	uint8_t version;
};

struct incoming {
	uint8_t bytes[INCOMING_BYTES];
	size_t at, have;
	uint64_t offset; /* of bytes[at] since incoming_restart() */
	struct incoming_gap gap;
	bool judged; /* a record to take is at bytes[at], once the gap before it is told */

	bool open; /* the segment that records are taken for */
	uint8_t stream[RECORD_STREAM_BYTES], stream_pk[RECORD_PK_BYTES], header_hash[RECORD_HASH_BYTES];
	uint32_t segment, last;

	/* The last event. record points into bytes and lasts until the next call. */
	struct incoming_gap told;
	struct record_header header;
	const uint8_t *record;
	size_t record_bytes;
	uint64_t record_offset;
	uint32_t missing; /* record numbers left out before this record */
};

/* Forget the bytes, keep the open segment. */
void incoming_restart(struct incoming *in);
/* No segment is open any more. */
void incoming_close(struct incoming *in);
/* Where to put bytes, and how many there is room for (never 0 after a pull that answered INCOMING_MORE). */
uint8_t *incoming_room(struct incoming *in, size_t *room);
/* How many would complete the record that has begun: who takes no more loses no more than that one when
 * killed. */
size_t incoming_wants(const struct incoming *in);
void incoming_pushed(struct incoming *in, size_t n);
/* How many are there that nothing could be decided about. */
size_t incoming_left(const struct incoming *in);
/* The last n of them are forgotten, and will be pushed again. */
void incoming_pull_back(struct incoming *in, size_t n);
/* The next event. final: nothing will follow these bytes, so decide now; INCOMING_MORE then means all is
 * told. */
enum incoming_event incoming_pull(struct incoming *in, bool final);
#endif
