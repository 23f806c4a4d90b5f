#include "incoming.h"

#include <errno.h>
#include <string.h>

enum { SYNC_FIRST = 0xc5 };

/* WAIT for more bytes, PASS over the first byte, TELL the gap so far first, or TAKE the record. */
enum verdict { WAIT, PASS, TELL, TAKE };

void incoming_restart(struct incoming *in)
{
	in->at = in->have = 0;
	in->offset = 0;
	in->judged = false;
	memset(&in->gap, 0, sizeof in->gap);
}

void incoming_close(struct incoming *in)
{
	in->open = false;
}

uint8_t *incoming_room(struct incoming *in, size_t *room)
{
	memmove(in->bytes, in->bytes + in->at, in->have - in->at);
	in->have -= in->at;
	in->at = 0;
	*room = INCOMING_BYTES - in->have;
	return in->bytes + in->have;
}

size_t incoming_wants(const struct incoming *in)
{
	size_t have = in->have - in->at;
	struct record_prefix x;

	if (have < RECORD_PREFIX_BYTES)
		return RECORD_PREFIX_BYTES - have;
	if (record_prefix_parse(in->bytes + in->at, have, &x) == 0 && have < x.length)
		return x.length - have;
	return RECORD_PREFIX_BYTES; /* of the next one, which decides about this one */
}

void incoming_pushed(struct incoming *in, size_t n)
{
	in->have += n;
}

size_t incoming_left(const struct incoming *in)
{
	return in->have - in->at;
}

void incoming_pull_back(struct incoming *in, size_t n)
{
	in->have -= n;
}

static void pass(struct incoming *in, size_t n)
{
	in->at += n;
	in->offset += n;
	in->gap.bytes += n;
}

static bool ours(const struct incoming *in, const struct record_prefix *x)
{
	return in->open && x->segment == in->segment && memcmp(x->stream, in->stream, sizeof in->stream) == 0;
}

/* A record that belongs to no open segment. Those of one segment are told together. */
static enum verdict stranger(struct incoming *in, const struct record_prefix *x)
{
	struct incoming_gap *g = &in->gap;

	if (g->strangers && (g->segment != x->segment || memcmp(g->stream, x->stream, sizeof g->stream) != 0))
		return TELL;
	g->strangers++;
	g->segment = x->segment;
	memcpy(g->stream, x->stream, sizeof g->stream);
	return PASS;
}

static enum verdict header_judge(struct incoming *in, const uint8_t *p, size_t n)
{
	if (record_header_parse(p, n, &in->header) == 0 && record_header_verify(p, n, &in->header) == 0)
		return TAKE;
	in->gap.refused++;
	return PASS;
}

static enum verdict mark_judge(struct incoming *in, const uint8_t *p, size_t n)
{
	struct record_mark m;

	if (record_mark_parse(p, n, &m) == 0 &&
	        memcmp(m.header_hash, in->header_hash, sizeof m.header_hash) == 0 &&
	        record_mark_verify(p, n, in->stream_pk) == 0)
		return TAKE;
	in->gap.refused++;
	return PASS;
}

/* Whether another record begins inside the length bytes at p, of which have are there: TAKE (so it looks),
 * PASS (no) or WAIT (its last bytes could be the beginning of one). */
static enum verdict begins_inside(const uint8_t *p, size_t length, size_t have)
{
	struct record_prefix x;
	const uint8_t *q = p;

	while ((q = memchr(q + 1, SYNC_FIRST, length - (size_t)(q + 1 - p)))) {
		if (record_prefix_parse(q, have - (size_t)(q - p), &x) == 0)
			return TAKE;
		if (errno == ENODATA)
			return WAIT;
	}
	return PASS;
}

/* Whether the record after p is the next one of the same segment: TAKE, PASS (no) or WAIT. */
static enum verdict goes_on(const uint8_t *p, const struct record_prefix *x, size_t have)
{
	struct record_prefix next;

	if (record_prefix_parse(p + x->length, have - x->length, &next) < 0)
		return errno == ENODATA ? WAIT : PASS;
	return next.segment == x->segment && memcmp(next.stream, x->stream, sizeof x->stream) == 0 &&
	                       next.record == x->record + 1
	               ? TAKE
	               : PASS;
}

/* Data carries no signature. Two things make it doubtful: another record begins inside it (it was cut off
 * and its claimed length would swallow what follows, perhaps a header), or its number jumps (a damaged
 * number, once believed, would make all that follow look repeated). Then it is taken only when the record
 * after it is the next one, or when it is the last of all and the missing ones could be what was passed over;
 * little is lost otherwise, since its stretch has a gap anyway. */
static enum verdict data_judge(
        struct incoming *in, const uint8_t *p, const struct record_prefix *x, size_t have, bool final)
{
	enum verdict inside = begins_inside(p, x->length, have), next;

	if (inside == WAIT)
		inside = final ? PASS : WAIT;
	if (inside == PASS && x->record == in->last + 1)
		return TAKE;
	if (inside == WAIT && x->record == in->last + 1)
		return WAIT;
	next = goes_on(p, x, have);
	if (next == WAIT && !final)
		return WAIT;
	if (next == TAKE)
		return TAKE;
	if (next == WAIT && inside == PASS &&
	        x->record - in->last - 1 <= in->gap.bytes / RECORD_DATA_OVERHEAD_BYTES)
		return TAKE;
	in->gap.torn++;
	return PASS;
}

static enum verdict judge(struct incoming *in, const uint8_t *p, size_t have, bool final)
{
	struct record_prefix x;

	if (record_prefix_parse(p, have, &x) < 0) {
		if (errno == ENODATA)
			return final ? PASS : WAIT;
		if (errno == EPROTONOSUPPORT) {
			in->gap.versions++;
			in->gap.version = p[4];
		}
		return PASS;
	}
	if (x.type != RECORD_HEADER && !ours(in, &x))
		return stranger(in, &x);
	if (ours(in, &x) && x.record <= in->last) {
		in->gap.repeated++;
		return PASS;
	}
	if (have < x.length) {
		if (!final)
			return WAIT;
		in->gap.torn++;
		return PASS;
	}
	if (x.type == RECORD_HEADER)
		return header_judge(in, p, x.length);
	if (x.type == RECORD_DATA)
		return data_judge(in, p, &x, have, final);
	return mark_judge(in, p, x.length);
}

static enum incoming_event tell(struct incoming *in)
{
	in->told = in->gap;
	memset(&in->gap, 0, sizeof in->gap);
	return INCOMING_GAP;
}

static enum incoming_event take(struct incoming *in)
{
	struct record_prefix x;

	in->judged = false;
	in->record = in->bytes + in->at;
	record_prefix_parse(in->record, in->have - in->at, &x);
	in->record_bytes = x.length;
	in->record_offset = in->offset;
	in->at += x.length;
	in->offset += x.length;
	in->missing = 0;
	if (x.type == RECORD_HEADER) {
		in->open = true;
		in->segment = x.segment;
		memcpy(in->stream, x.stream, sizeof in->stream);
		memcpy(in->stream_pk, in->header.stream_pk, sizeof in->stream_pk);
		record_hash(in->header_hash, in->record, in->record_bytes);
		in->last = 0;
		return INCOMING_HEADER;
	}
	in->missing = x.record - in->last - 1;
	in->last = x.record;
	if (x.type == RECORD_END)
		in->open = false;
	return x.type == RECORD_DATA  ? INCOMING_DATA
	       : x.type == RECORD_END ? INCOMING_END
	                              : INCOMING_CHECKPOINT;
}

enum incoming_event incoming_pull(struct incoming *in, bool final)
{
	if (in->judged)
		return take(in);
	for (;;) {
		const uint8_t *p = in->bytes + in->at;
		size_t have = in->have - in->at;
		const uint8_t *sync = have ? memchr(p, SYNC_FIRST, have) : NULL;

		if (sync != p)
			pass(in, sync ? (size_t)(sync - p) : have);
		if (!sync)
			return final && in->gap.bytes ? tell(in) : INCOMING_MORE;
		switch (judge(in, sync, in->have - in->at, final)) {
		case WAIT: return INCOMING_MORE;
		case TELL: return tell(in);
		case PASS: pass(in, 1); break;
		case TAKE:
			if (!in->gap.bytes)
				return take(in);
			in->judged = true;
			return tell(in);
		}
	}
}
