#define _GNU_SOURCE
#include "segment.h"

#include "place.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const verdict_names[] = {
        [READER_BEGINS] = "history starts here",
        [READER_RESTARTED] = "camera restarted",
        [READER_INPUT_RESTARTED] = "input restarted",
        [READER_RECIPIENTS_CHANGED] = "recipients changed",
        [READER_GAP] = "gap",
        [READER_REORDERED] = "reordered",
        [READER_DUPLICATE] = "duplicate",
        [READER_CONFLICT] = "conflict",
        [READER_CLONED] = "cloned or restored card",
        [READER_CHAIN_BROKEN] = "chain broken",
        [READER_EPOCH_LOST] = "epoch lost",
        [READER_TRUNCATED] = "truncated",
        [READER_UNPROVEN] = "unproven tail",
        [READER_DAMAGED] = "damaged stretch",
        [READER_BAD_SIGNATURE] = "bad signature",
        [READER_STUB] = "stub",
        [READER_UNKNOWN_CAMERA] = "unknown camera",
        [READER_NOT_FOR_KEY] = "not for this key",
        [READER_WRONG_COMMITMENT] = "wrong commitment",
        [READER_UNKNOWN_VERSION] = "unknown version",
        [READER_NOT_A_SEGMENT] = "not a segment",
};

const char *reader_verdict_name(enum reader_verdict v)
{
	return verdict_names[v];
}

void segment_verdict(struct reader *r, enum reader_verdict v, int about_segment, const char *fmt, ...)
{
	char text[READER_TEXT_BYTES_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (v > READER_RECIPIENTS_CHANGED) {
		r->findings++;
		if (about_segment)
			r->seg.findings++;
		if (about_segment && (v == READER_TRUNCATED || v == READER_DAMAGED || v == READER_STUB ||
		                             v == READER_CONFLICT))
			r->seg.lossy = 1;
	}
	r->sink.verdict(r->sink.ctx, v, about_segment ? &r->seg : NULL, text);
}

/* --- content --- */

static void stretch_begin(struct reader *r, uint32_t first)
{
	r->stretch.n = 0;
	r->seg.stretch_first = first;
	crypto_generichash_init(&r->stretch_hash, NULL, 0, RECORD_HASH_BYTES);
}

/* The content of the stretch is wanted, and can be had. */
static int wanted(const struct reader *r)
{
	return r->sink.content && r->seg.opened && !r->seg.duplicate;
}

static int stretch_release(struct reader *r, struct release *result)
{
	memset(result, 0, sizeof *result);
	if (!wanted(r) || !r->stretch.n)
		return 0;
	if (release_stretch(&r->stretch, r->seg.data_key, r->fresh, r->sink.content, r->sink.ctx, result) <
	        0) {
		if (errno != EBADMSG)
			return -1;
		segment_verdict(r, READER_DAMAGED, 1, "records from %" PRIu32 " on do not decrypt",
		        r->seg.stretch_first);
		r->fresh = 1;
		return 0;
	}
	r->fresh = 0;
	return 0;
}

void segment_key_open(struct reader *r)
{
	struct reader_segment *s = &r->seg;
	const struct record_header *h = &s->header;
	uint8_t file_key[32], id[RECORD_KEYID_BYTES], commitment[RECORD_HASH_BYTES];

	for (size_t k = 0; k < r->config.keys; k++) {
		record_keyid(id, h->prefix.stream, r->config.pk[k]);
		for (int i = 0; i < h->recipients; i++) {
			if (memcmp(h->slot[i].keyid, id, sizeof id) != 0 ||
			        crypto_box_seal_open(file_key, h->slot[i].sealed, sizeof h->slot[i].sealed,
			                r->config.pk[k], r->config.sk[k]) != 0)
				continue;
			record_commitment(commitment, file_key, h->prefix.stream, h->prefix.segment);
			if (sodium_memcmp(commitment, h->commitment, sizeof commitment) != 0) {
				segment_verdict(r, READER_WRONG_COMMITMENT, 1,
				        "the key sealed for this recipient is not the one committed to");
			} else {
				record_data_key(s->data_key, file_key, s->header_hash);
				s->opened = 1;
			}
			sodium_memzero(file_key, sizeof file_key);
			return;
		}
	}
	if (r->config.keys) {
		segment_verdict(r, READER_NOT_FOR_KEY, 1, "sealed for %u other recipients", h->recipients);
		r->fresh = 1;
	}
}

/* --- the end of a segment --- */

static int tail_release(struct reader *r)
{
	struct reader_segment *s = &r->seg;
	struct release result;

	if (s->expected == s->stretch_first)
		return 0;
	if (s->mark_failed) {
		segment_verdict(r, READER_DAMAGED, 1,
		        "records %" PRIu32 " to %" PRIu32 ": the mark behind them was altered",
		        s->stretch_first, s->expected - 1);
		r->fresh = 1;
		return 0;
	}
	if (r->config.proven_only) {
		segment_verdict(r, READER_UNPROVEN, 1,
		        "records %" PRIu32 " to %" PRIu32 " without a mark behind them, left out",
		        s->stretch_first, s->expected - 1);
		r->fresh = 1;
		return 0;
	}
	segment_verdict(r, READER_UNPROVEN, 1,
	        "records %" PRIu32 " to %" PRIu32 " without a mark behind them", s->stretch_first,
	        s->expected - 1);
	if (stretch_release(r, &result) < 0)
		return -1;
	s->unproven_units = result.access_units;
	return 0;
}

/* A stub of what came before it: its last mark may be new. */
static void stub_again(struct reader *r)
{
	struct reader_segment *s = &r->seg;

	if (s->mark.prefix.record > s->chained_to)
		chain_mark(&r->chain, &s->header, &s->mark.prefix, s->mark_hash);
}

int segment_close(struct reader *r)
{
	struct reader_segment *s = &r->seg;
	int stub = s->absent && !s->placed, again = s->absent && s->placed;

	if (!r->open)
		return 0;
	r->open = 0;
	if (stub ? place_stub(r) < 0 : place_segment(r) < 0)
		return -1;
	if (again) {
		stub_again(r);
	} else if (!stub && !s->ended) {
		segment_verdict(r, READER_TRUNCATED, 1, "at record %" PRIu32, s->expected);
		if (tail_release(r) < 0)
			return -1;
	}
	if (s->ended && !s->absent && !s->lossy && !s->duplicate)
		chain_whole(&r->chain, &s->header);
	if (!stub && !s->duplicate && place_over(r, 0) < 0)
		return -1;
	if (r->sink.closed)
		r->sink.closed(r->sink.ctx, s);
	sodium_memzero(s->data_key, sizeof s->data_key);
	return 0;
}

/* --- headers --- */

int segment_camera_asked_for(const struct reader *r, const uint8_t pk[RECORD_PK_BYTES])
{
	for (size_t i = 0; i < r->config.devices; i++)
		if (memcmp(r->config.device_pk[i], pk, RECORD_PK_BYTES) == 0)
			return 1;
	return 0;
}

/* The newest segment comes again, in the same file or the next one. What of it has come out stays out; the
 * rest is taken from this copy, so that nobody can hide a segment behind a stub or a spoilt copy of it. */
static void segment_again(struct reader *r)
{
	struct reader_segment *s = &r->seg;

	if (!r->open)
		s->findings = 0;
	segment_verdict(
	        r, READER_DUPLICATE, 1, "seen before: only what has not come out is taken from this copy");
	memset(&s->mark, 0, sizeof s->mark);
	memcpy(s->mark_hash, s->header_hash, sizeof s->mark_hash);
	s->expected = 1;
	s->again = 1;
	s->ended = s->absent = s->gapped = s->mark_failed = s->lossy = 0;
	stretch_begin(r, 1);
	if (!r->open && s->opened)
		segment_key_open(r);
	r->open = 1;
}

/* A header whose signatures verify. */
int segment_open(struct reader *r, const uint8_t *p, size_t n, const struct record_header *h)
{
	struct reader_segment *s = &r->seg;
	uint8_t hash[RECORD_HASH_BYTES];

	record_hash(hash, p, n);
	if (r->segments && !s->duplicate && memcmp(hash, s->header_hash, sizeof hash) == 0) {
		segment_again(r);
		return 0;
	}
	if (segment_close(r) < 0)
		return -1;
	memset(s, 0, sizeof *s);
	s->header = *h;
	memcpy(s->header_hash, hash, sizeof s->header_hash);
	memcpy(s->mark_hash, hash, sizeof s->mark_hash);
	s->expected = 1;
	s->record_bytes = n;
	s->known_camera = r->config.devices > 0; /* header_try lets no others through */
	r->open = 1;
	r->segments++;
	stretch_begin(r, 1);
	if (!s->known_camera) {
		char print[RECORD_FINGERPRINT_BYTES];
		record_fingerprint(h->device_pk, print);
		segment_verdict(
		        r, READER_UNKNOWN_CAMERA, 1, "%s: nothing is proven about who recorded this", print);
	}
	return 0;
}

/* --- data and marks of the open segment --- */

int segment_belongs(const struct reader *r, const struct record_prefix *p)
{
	return r->open && p->segment == r->seg.header.prefix.segment &&
	       memcmp(p->stream, r->seg.header.prefix.stream, sizeof p->stream) == 0;
}

/* What looked like a stub goes on: its mark has a place in the chain. */
static int no_stub(struct reader *r, uint32_t record)
{
	struct reader_segment *s = &r->seg;

	if (!s->absent)
		return 0;
	s->absent = 0;
	if (!s->duplicate && s->mark.prefix.record > s->chained_to) {
		chain_mark(&r->chain, &s->header, &s->mark.prefix, s->mark_hash);
		s->chained_to = s->mark.prefix.record;
	}
	segment_verdict(r, READER_DAMAGED, 1, "records before %" PRIu32 " are missing", record);
	return 0;
}

/* Records from expected to number - 1 are missing: the stretch they belong to is lost. */
static void records_missing(struct reader *r, uint32_t number)
{
	struct reader_segment *s = &r->seg;

	segment_verdict(r, READER_DAMAGED, 1, "records %" PRIu32 " to %" PRIu32 " are missing", s->expected,
	        number - 1);
	s->gapped = 1;
	r->fresh = 1;
	stretch_begin(r, number);
}

int segment_data(struct reader *r, const uint8_t *p, const struct record_prefix *prefix)
{
	struct reader_segment *s = &r->seg;

	if (prefix->record < s->expected || s->ended) {
		/* numbers are not proven before the mark: where one was wrong, the others of its stretch are
		 * lost with it */
		if (s->gapped && !s->ended && prefix->record > s->mark.prefix.record)
			return 0;
		segment_verdict(
		        r, READER_DUPLICATE, 1, "record %" PRIu32 " again, or out of order", prefix->record);
		return 0;
	}
	if (place_segment(r) < 0 || no_stub(r, prefix->record) < 0)
		return -1;
	if (prefix->record > s->expected)
		records_missing(r, prefix->record);
	s->expected = prefix->record + 1;
	s->record_bytes += prefix->length;
	crypto_generichash_update(&r->stretch_hash, p, prefix->length);
	if (!wanted(r) || stretch_add(&r->stretch, p, prefix->length) == 0)
		return 0;
	if (errno != EFBIG)
		return -1;
	segment_verdict(r, READER_DAMAGED, 1, "more than %d bytes without a mark", RECORD_STRETCH_BYTES_MAX);
	s->gapped = 1;
	stretch_begin(r, s->expected);
	return 0;
}

static void stretch_tell(struct reader *r, const struct record_mark *m)
{
	const struct reader_segment *s = &r->seg;
	int first = !s->mark.prefix.type;
	const struct reader_stretch t = {.from_utc_ns = first ? s->header.utc_ns : s->mark.utc_ns,
	        .to_utc_ns = m->utc_ns,
	        .from_boot_ns = first ? s->header.boot_ns : s->mark.boot_ns,
	        .to_boot_ns = m->boot_ns,
	        .clock_state = m->clock_state,
	        .access_units = m->access_units - (first ? 0 : s->mark.access_units),
	        .first = first};
	r->sink.stretch(r->sink.ctx, &t);
}

/* A verified mark closes the stretch that it names, or does not fit what came. */
static int stretch_close(struct reader *r, const struct record_mark *m)
{
	struct reader_segment *s = &r->seg;
	uint8_t hash[RECORD_HASH_BYTES];
	struct release result;

	if (m->first_record < s->stretch_first || m->prefix.record != s->expected) {
		if (s->expected == 1 && m->prefix.record > 1) {
			s->absent = 1; /* a stub, if nothing else comes */
			return 0;
		}
		segment_verdict(r, READER_DAMAGED, 1, "records %" PRIu32 " to %" PRIu32 ": some are missing",
		        m->first_record, m->prefix.record - 1);
		r->fresh = 1;
		return 0;
	}
	crypto_generichash_final(&r->stretch_hash, hash, sizeof hash);
	if (m->first_record > s->stretch_first || memcmp(hash, m->stretch_hash, sizeof hash) != 0) {
		segment_verdict(r, READER_DAMAGED, 1,
		        "records %" PRIu32 " to %" PRIu32 " are not those that were signed", s->stretch_first,
		        m->prefix.record - 1);
		r->fresh = 1;
		return 0;
	}
	if (!s->gapped && memcmp(m->previous_hash, s->mark_hash, sizeof s->mark_hash) != 0) {
		segment_verdict(r, READER_CONFLICT, 1,
		        "the mark at record %" PRIu32 " follows another one than the one given",
		        m->prefix.record);
		r->fresh = 1;
		return 0;
	}
	if (m->prefix.record <= s->released_to)
		return 0;
	if (m->first_record == s->released_to + 1)
		s->released_to = m->prefix.record;
	if (wanted(r) && r->sink.stretch)
		stretch_tell(r, m);
	if (stretch_release(r, &result) < 0)
		return -1;
	s->released_units += result.access_units;
	s->torn_units += result.torn;
	return 0;
}

/* A mark of the open segment whose signature verifies. */
int segment_mark(struct reader *r, const uint8_t *p, const struct record_mark *m)
{
	struct reader_segment *s = &r->seg;
	uint8_t hash[RECORD_HASH_BYTES];

	record_hash(hash, p, RECORD_MARK_BYTES);
	if (memcmp(m->header_hash, s->header_hash, sizeof s->header_hash) != 0) {
		segment_verdict(r, READER_CONFLICT, 1,
		        "the mark at record %" PRIu32 " is of another header with this position",
		        m->prefix.record);
		return 0;
	}
	if (m->prefix.record <= s->mark.prefix.record || s->ended) {
		int other = s->mark.prefix.record == m->prefix.record &&
		            memcmp(hash, s->mark_hash, sizeof hash) != 0;
		segment_verdict(r, other ? READER_CONFLICT : READER_DUPLICATE, 1,
		        "the mark at record %" PRIu32 " again, or out of order", m->prefix.record);
		return 0;
	}
	/* a header that is followed by a later mark is a stub so far, and has no place before it is closed */
	if ((s->absent || s->expected > 1 || m->prefix.record == 1) &&
	        (place_segment(r) < 0 || no_stub(r, m->prefix.record) < 0))
		return -1;
	if (stretch_close(r, m) < 0)
		return -1;
	s->record_bytes += RECORD_MARK_BYTES;
	s->mark = *m;
	memcpy(s->mark_hash, hash, sizeof hash);
	s->expected = m->prefix.record + 1;
	s->gapped = 0;
	s->mark_failed = 0;
	s->ended = m->prefix.type == RECORD_END;
	if (s->ended && m->reason == RECORD_REASON_RESTART)
		segment_verdict(r, READER_INPUT_RESTARTED, 1, "after access unit %" PRIu32, m->access_units);
	stretch_begin(r, s->expected);
	if (s->placed && !s->absent && !s->duplicate && m->prefix.record > s->chained_to) {
		chain_mark(&r->chain, &s->header, &m->prefix, hash);
		s->chained_to = m->prefix.record;
	}
	return 0;
}
