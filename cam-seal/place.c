#define _GNU_SOURCE
#include "place.h"

#include "segment.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static void utc_put(char *out, size_t size, int64_t utc_ns)
{
	time_t t = (time_t)(utc_ns / 1000000000);
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(out, size, "%Y-%m-%dT%H:%M:%SZ", &tm))
		snprintf(out, size, "@%" PRId64, (int64_t)t);
}

static void place_tell(struct reader *r, enum chain_place place, const struct chain_position *before)
{
	const struct record_header *h = &r->seg.header;
	const struct record_link *l = &h->previous;

	switch (place) {
	case CHAIN_FIRST:
		segment_verdict(r, READER_BEGINS, 1, "%s",
		        l->previous == RECORD_PREVIOUS_NONE ? "the camera's first"
		                                            : "what came before it was not given");
		break;
	case CHAIN_FOLLOWS: return;
	case CHAIN_RESTARTED:
		segment_verdict(r, READER_RESTARTED, 1, "after epoch %" PRIu64, before->epoch);
		break;
	case CHAIN_GAP:
		segment_verdict(r, READER_GAP, 1,
		        "follows epoch %" PRIu64 " segment %" PRIu32 " record %" PRIu32
		        "; given was up to epoch %" PRIu64 " segment %" PRIu32 " record %" PRIu32,
		        l->epoch, l->segment, l->record, before->epoch, before->segment, before->record);
		break;
	case CHAIN_REORDERED:
		segment_verdict(r, READER_REORDERED, 1, "comes after epoch %" PRIu64 " segment %" PRIu32,
		        before->epoch, before->segment);
		break;
	case CHAIN_DUPLICATE: segment_verdict(r, READER_DUPLICATE, 1, "seen before, left out"); break;
	case CHAIN_AGAIN:
		segment_verdict(r, READER_DUPLICATE, 1, "seen before, but not whole: this copy is taken too");
		break;
	case CHAIN_CONFLICT:
		segment_verdict(
		        r, READER_CONFLICT, 1, "another header with this position was seen: left out");
		break;
	case CHAIN_CLONED:
		segment_verdict(r, READER_CLONED, 1, "epoch %" PRIu64 " was started twice", h->epoch);
		break;
	case CHAIN_BROKEN:
		segment_verdict(r, READER_CHAIN_BROKEN, 1, "says that nothing came before it");
		break;
	}
	r->fresh = 1;
}

static void flags_tell(struct reader *r)
{
	const struct record_header *h = &r->seg.header;

	if (h->flags & RECORD_EPOCH_LOST)
		segment_verdict(
		        r, READER_EPOCH_LOST, 1, "the camera had lost its count and began again at epoch 1");
	if (h->flags & RECORD_RECIPIENTS_CHANGED)
		segment_verdict(r, READER_RECIPIENTS_CHANGED, 1, "there are %u from here on", h->recipients);
}

/* Does the header link to a mark that came, perhaps long ago or in a stub? */
static int link_seen(struct reader *r)
{
	const struct record_link *l = &r->seg.header.previous;
	const struct known_mark *m = known_find(&r->known, l->hash);

	if (l->previous == RECORD_PREVIOUS_NONE)
		return 0;
	if (m && m->epoch == l->epoch && m->segment == l->segment && m->record == l->record &&
	        memcmp(m->stream, l->stream, sizeof m->stream) == 0 &&
	        (l->previous == RECORD_PREVIOUS_ENDED) == (m->type == RECORD_END))
		return 1;
	return chain_link_seen(&r->chain, &r->seg.header);
}

/* The chain itself does not know what comes before this segment. Its place, or -1 with errno. */
static int place_beyond(struct reader *r, enum chain_place place)
{
	const struct record_header *h = &r->seg.header;

	if (link_seen(r))
		return h->previous.epoch == h->epoch ? CHAIN_FOLLOWS : CHAIN_RESTARTED;
	if (h->previous.previous == RECORD_PREVIOUS_NONE || (place == CHAIN_GAP && !r->config.packs_follow))
		return (int)place;
	int awaited = known_await(&r->known, h);
	if (awaited <= 0 || place == CHAIN_FIRST)
		return awaited < 0 ? -1 : (int)place;
	r->fresh = 1;
	return CHAIN_FOLLOWS; /* told at the end, if it is still not so */
}

int place_segment(struct reader *r)
{
	struct reader_segment *s = &r->seg;
	const struct record_header *h = &s->header;
	struct chain_position before;

	if (s->placed)
		return 0;
	s->placed = 1;
	struct known_mark *stub = known_find(&r->known, s->header_hash);
	int place = chain_header(&r->chain, h, s->header_hash, &before);
	if (place < 0)
		return -1;
	s->duplicate = place == CHAIN_DUPLICATE || place == CHAIN_CONFLICT;
	if ((place == CHAIN_GAP || place == CHAIN_FIRST) &&
	        (place = place_beyond(r, (enum chain_place)place)) < 0)
		return -1;
	if (stub && stub->stub) {
		stub->stub = 0;
		if (!s->again)
			segment_verdict(
			        r, READER_DUPLICATE, 1, "a stub of it was seen before: this is the footage");
	}
	place_tell(r, (enum chain_place)place, &before);
	flags_tell(r);
	if ((h->kind == RECORD_KIND_VIDEO) == r->config.reports)
		r->other_kind++;
	else if (r->sink.content && !s->duplicate)
		segment_key_open(r);
	return 0;
}

int place_over(struct reader *r, int stub)
{
	const struct reader_segment *s = &r->seg;
	struct known_mark m = {
	        .epoch = s->header.epoch, .segment = s->header.prefix.segment, .stub = (uint8_t)stub};

	memcpy(m.hash, s->header_hash, sizeof m.hash);
	memcpy(m.stream, s->header.prefix.stream, sizeof m.stream);
	m.type = RECORD_HEADER;
	if (known_add(&r->known, &m) < 0)
		return -1;
	known_answer(&r->known, m.hash);
	if (!s->mark.prefix.type)
		return 0;
	memcpy(m.hash, s->mark_hash, sizeof m.hash);
	m.type = s->mark.prefix.type;
	m.record = s->mark.prefix.record;
	known_answer(&r->known, m.hash);
	return known_add(&r->known, &m);
}

int place_stub(struct reader *r)
{
	struct reader_segment *s = &r->seg;
	const struct record_mark *m = &s->mark;
	char from[32], to[32];

	r->fresh = 1;
	enum chain_place place = known_find(&r->known, s->header_hash) ? CHAIN_DUPLICATE : CHAIN_FIRST;
	if (place == CHAIN_FIRST) {
		int p = chain_stub(&r->chain, &s->header, s->header_hash);
		if (p < 0)
			return -1;
		place = (enum chain_place)p;
	}
	if (place == CHAIN_DUPLICATE) {
		segment_verdict(r, READER_DUPLICATE, 1, "a stub of what was seen before");
		return place_over(r, 0);
	}
	if (place == CHAIN_CONFLICT) {
		segment_verdict(
		        r, READER_CONFLICT, 1, "another header with this position was seen: left out");
		return 0;
	}
	if (place == CHAIN_CLONED)
		segment_verdict(r, READER_CLONED, 1, "epoch %" PRIu64 " was started twice", s->header.epoch);
	flags_tell(r);
	utc_put(from, sizeof from, s->header.utc_ns);
	utc_put(to, sizeof to, m->utc_ns);
	r->stubs++;
	segment_verdict(r, READER_STUB, 1,
	        "only its header and last mark are here: %" PRIu32 " frames from %s to %s, %" PRIu64
	        " bytes: evicted on the camera before they were stored, or taken out by whoever kept the "
	        "file",
	        m->access_units, from, to, m->payload_bytes);
	if (place_over(r, 1) < 0)
		return -1;
	if (s->header.previous.previous == RECORD_PREVIOUS_NONE || link_seen(r))
		return 0;
	return known_await(&r->known, &s->header) < 0 ? -1 : 0;
}

void place_links_end(struct reader *r)
{
	struct reader_segment *s = &r->seg;

	for (uint32_t i = 0; i < r->known.awaiting; i++) {
		const struct known_awaited *a = &r->known.awaited[i];
		memset(s, 0, sizeof *s);
		s->header.epoch = a->epoch;
		s->header.prefix.segment = a->segment;
		s->header.channel = a->channel;
		s->header.kind = a->kind;
		s->header.utc_ns = a->utc_ns;
		memcpy(s->header.prefix.stream, a->stream, sizeof a->stream);
		memcpy(s->header.device_pk, a->device_pk, sizeof a->device_pk);
		s->late = 1;
		if (a->answered || !chain_older_seen(&r->chain, &s->header))
			continue;
		segment_verdict(r, READER_GAP, 1,
		        "follows epoch %" PRIu64 " segment %" PRIu32 " record %" PRIu32
		        ", which was not given",
		        a->link.epoch, a->link.segment, a->link.record);
	}
}
