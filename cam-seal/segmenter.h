/* segmenter: decides where segments and marks go. Between annexb, which finds access units, and sealer, which
 * writes records.
 *
 * A segment begins at the first IDR after the asked length; without IDRs it is ended at SEGMENTER_BYTES_MAX.
 * A mark stands before each IDR and, at the end of an access unit, when a second has passed since the last
 * one. When input stalls, the segment is ended early enough that cam-spool does not take it for abandoned.
 * Functions return 0, or -1 with errno when the output took no more. */
#ifndef SEGMENTER_H
#define SEGMENTER_H
#include "annexb.h"
#include "sealer.h"

enum {
	SEGMENTER_MARK_MS = 1000,       /* content is proven at most this late */
	SEGMENTER_SILENCE_MS = 100,     /* then an access unit without an announced size is complete */
	SEGMENTER_QUIET_MS = 2000,      /* a segment that is long enough is ended after so much stall */
	SEGMENTER_STALL_MS = 20000,     /* and any other after so much: cam-spool gives up at 30 s */
	SEGMENTER_BYTES_MAX = 60 << 20, /* leaves room below RECORD_SEGMENT_BYTES_MAX */
};

struct segmenter {
	struct sealer *sealer;
	struct annexb annexb;
	int raw;             /* any bytes, not H.264 */
	uint64_t segment_ns; /* asked length */
	uint64_t input_ns;   /* CLOCK_BOOTTIME of the latest input */
	int starts;          /* the next bytes are the first of an access unit */
	int idr;
	int in_unit;  /* between begin and end of an access unit */
	int numbered; /* a SEI message was seen; of the latest one: */
	uint32_t frame, dropped;
};

/* raw: the input is any bytes, cut wherever time asks for it. */
void segmenter_init(struct segmenter *g, struct sealer *s, uint64_t segment_ns, int raw);
int segmenter_push(struct segmenter *g, const uint8_t *p, size_t n);
/* What time brings. To be called after each wait. */
int segmenter_tick(struct segmenter *g);
/* Milliseconds until segmenter_tick has something to do, -1: nothing before input comes. */
int segmenter_timeout_ms(const struct segmenter *g);
/* The end: everything out, reason of enum record_reason. */
int segmenter_finish(struct segmenter *g, uint8_t reason);
#endif
