/* annexb: cuts an H.264 byte stream (ITU-T H.264, annex B) into access units as it flows.
 *
 * Every byte that goes in comes out once and in order, whatever it is. Memory is the fixed buffer below: of
 * an access unit only what stands before its first slice is held (at most ANNEXB_HEAD_BYTES_MAX), and the few
 * bytes that may begin a start code.
 *
 * An access unit is complete when as many bytes have come as cam-capture's SEI message says, else when a NAL
 * unit comes that begins another one (7.4.1.2.3; a slice does when its first_mb_in_slice is 0), else when the
 * caller knows of a silence. One with the message that is cut short by a delimiter is torn if the frame
 * numbers then begin again: a killed cam-capture was replaced. If they go on, the message does not fit the
 * bytes (somebody remultiplexed the stream), nothing is torn, and announced sizes are no longer believed. */
#ifndef ANNEXB_H
#define ANNEXB_H
#include "sei.h"

#include <stddef.h>
#include <stdint.h>

enum {
	ANNEXB_HEAD_BYTES_MAX = 64 << 10,
	ANNEXB_BUFFER_BYTES = 2 * ANNEXB_HEAD_BYTES_MAX,
	ANNEXB_SETS_BYTES_MAX = 8 << 10,
	ANNEXB_SETS_MAX = 64
};

/* What is known of an access unit at its first slice. */
struct annexb_head {
	int idr;
	int has_sps, has_pps;
	int has_sei; /* cam-capture's message is in sei */
	struct sei sei;
};

/* The callbacks return 0, or -1 to stop; annexb_push and the others return what they got. */
struct annexb_sink {
	void *ctx;
	int (*begin)(void *ctx, const struct annexb_head *head);
	int (*bytes)(void *ctx, const uint8_t *p, size_t n);
	int (*end)(void *ctx, int torn, int has_picture);
};

struct annexb {
	struct annexb_sink sink;
	uint8_t buf[ANNEXB_BUFFER_BYTES];
	size_t n;    /* bytes in buf, none of them given out yet */
	size_t scan; /* where the search for the next start code goes on */
	enum { ANNEXB_BETWEEN, ANNEXB_HEAD, ANNEXB_BODY } phase;
	struct annexb_head head;
	int picture;    /* a slice has been seen in this access unit */
	int delimited;  /* a NAL unit has been seen in it */
	int sized;      /* left counts */
	uint64_t left;  /* bytes of this access unit from buf[0] on, by the message */
	int exact;      /* an access unit had the announced size, and none since has not */
	int distrust;   /* announced sizes are not believed */
	uint32_t frame; /* of the latest message */
	int owed;       /* end() of an access unit that may be torn is still to be called */
	int owed_picture;
	size_t nal; /* offset of the NAL unit header that the scan is in; 0: none */
	/* Parameter sets seen so far, latest of each id, the pictures' ones last, with start codes. */
	struct {
		uint8_t type;
		uint32_t id;
		size_t bytes;
	} set[ANNEXB_SETS_MAX];
	unsigned sets;
	uint8_t sets_bytes[ANNEXB_SETS_BYTES_MAX];
	size_t sets_n;
};

void annexb_init(struct annexb *a, const struct annexb_sink *sink);
int annexb_push(struct annexb *a, const uint8_t *p, size_t n);
/* Nothing has come for a while: an access unit with a slice and no announced size is complete. */
int annexb_silence(struct annexb *a);
/* The end of the stream: gives out everything. */
int annexb_finish(struct annexb *a);
/* An access unit is open and annexb_silence would not complete it. */
int annexb_incomplete(const struct annexb *a);
/* annexb_silence would complete an access unit. */
int annexb_waits_for_silence(const struct annexb *a);
/* The parameter sets seen so far; *n bytes. */
const uint8_t *annexb_parameter_sets(const struct annexb *a, size_t *n);
#endif
