#define _GNU_SOURCE
#include "reader.h"

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
        [READER_ABSENT] = "content absent",
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

__attribute__((format(printf, 4, 5))) static void verdict(
        struct reader *r, enum reader_verdict v, int about_segment, const char *fmt, ...)
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
		if (about_segment && (v == READER_TRUNCATED || v == READER_DAMAGED || v == READER_ABSENT ||
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
		verdict(r, READER_DAMAGED, 1, "records from %" PRIu32 " on do not decrypt",
		        r->seg.stretch_first);
		r->fresh = 1;
		return 0;
	}
	r->fresh = 0;
	return 0;
}

/* --- the end of a segment --- */

static int tail_release(struct reader *r)
{
	struct reader_segment *s = &r->seg;
	struct release result;

	if (s->expected == s->stretch_first)
		return 0;
	if (s->mark_failed) {
		verdict(r, READER_DAMAGED, 1,
		        "records %" PRIu32 " to %" PRIu32 ": the mark behind them was altered",
		        s->stretch_first, s->expected - 1);
		r->fresh = 1;
		return 0;
	}
	if (r->config.proven_only) {
		verdict(r, READER_UNPROVEN, 1,
		        "records %" PRIu32 " to %" PRIu32 " without a mark behind them, left out",
		        s->stretch_first, s->expected - 1);
		r->fresh = 1;
		return 0;
	}
	verdict(r, READER_UNPROVEN, 1, "records %" PRIu32 " to %" PRIu32 " without a mark behind them",
	        s->stretch_first, s->expected - 1);
	if (stretch_release(r, &result) < 0)
		return -1;
	s->unproven_units = result.access_units;
	return 0;
}

static int segment_close(struct reader *r)
{
	struct reader_segment *s = &r->seg;

	if (!r->open)
		return 0;
	r->open = 0;
	if (s->absent) {
		verdict(r, READER_ABSENT, 1,
		        "only its first and last mark are left, of %" PRIu32 " access units",
		        s->mark.access_units);
		r->fresh = 1;
	} else if (!s->ended) {
		verdict(r, READER_TRUNCATED, 1, "at record %" PRIu32, s->expected);
		if (tail_release(r) < 0)
			return -1;
	}
	if (s->ended && !s->lossy && !s->duplicate)
		chain_whole(&r->chain, &s->header);
	if (r->sink.closed)
		r->sink.closed(r->sink.ctx, s);
	sodium_memzero(s->data_key, sizeof s->data_key);
	return 0;
}

/* --- headers --- */

static int camera_asked_for(const struct reader *r, const uint8_t pk[RECORD_PK_BYTES])
{
	for (size_t i = 0; i < r->config.devices; i++)
		if (memcmp(r->config.device_pk[i], pk, RECORD_PK_BYTES) == 0)
			return 1;
	return 0;
}

static void place_tell(struct reader *r, enum chain_place place, const struct chain_position *before)
{
	const struct record_header *h = &r->seg.header;
	const struct record_link *l = &h->previous;

	switch (place) {
	case CHAIN_FIRST:
		verdict(r, READER_BEGINS, 1, "%s",
		        l->previous == RECORD_PREVIOUS_NONE ? "the camera's first"
		                                            : "what came before it was not given");
		break;
	case CHAIN_FOLLOWS: return;
	case CHAIN_RESTARTED: verdict(r, READER_RESTARTED, 1, "after epoch %" PRIu64, before->epoch); break;
	case CHAIN_GAP:
		verdict(r, READER_GAP, 1,
		        "follows epoch %" PRIu64 " segment %" PRIu32 " record %" PRIu32
		        "; given was up to epoch %" PRIu64 " segment %" PRIu32 " record %" PRIu32,
		        l->epoch, l->segment, l->record, before->epoch, before->segment, before->record);
		break;
	case CHAIN_REORDERED:
		verdict(r, READER_REORDERED, 1, "comes after epoch %" PRIu64 " segment %" PRIu32,
		        before->epoch, before->segment);
		break;
	case CHAIN_DUPLICATE: verdict(r, READER_DUPLICATE, 1, "seen before, left out"); break;
	case CHAIN_AGAIN:
		verdict(r, READER_DUPLICATE, 1, "seen before, but not whole: this copy is taken too");
		break;
	case CHAIN_CONFLICT:
		verdict(r, READER_CONFLICT, 1, "another header with this position was seen: left out");
		break;
	case CHAIN_CLONED:
		verdict(r, READER_CLONED, 1, "epoch %" PRIu64 " was started twice", h->epoch);
		break;
	case CHAIN_BROKEN: verdict(r, READER_CHAIN_BROKEN, 1, "says that nothing came before it"); break;
	}
	r->fresh = 1;
}

static void file_key_open(struct reader *r)
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
				verdict(r, READER_WRONG_COMMITMENT, 1,
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
		verdict(r, READER_NOT_FOR_KEY, 1, "sealed for %u other recipients", h->recipients);
		r->fresh = 1;
	}
}

/* The newest segment comes again, in the same file or the next one. What of it has come out stays out; the
 * rest is taken from this copy, so that nobody can hide a segment behind a stub or a spoilt copy of it. */
static void segment_again(struct reader *r)
{
	struct reader_segment *s = &r->seg;

	if (!r->open)
		s->findings = 0;
	verdict(r, READER_DUPLICATE, 1, "seen before: only what has not come out is taken from this copy");
	memset(&s->mark, 0, sizeof s->mark);
	memcpy(s->mark_hash, s->header_hash, sizeof s->mark_hash);
	s->expected = 1;
	s->ended = s->absent = s->gapped = s->mark_failed = s->lossy = 0;
	stretch_begin(r, 1);
	if (!r->open && s->opened)
		file_key_open(r);
	r->open = 1;
}

/* A header whose signatures verify. */
static int segment_open(struct reader *r, const uint8_t *p, size_t n, const struct record_header *h)
{
	struct reader_segment *s = &r->seg;
	struct chain_position before;
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
		verdict(r, READER_UNKNOWN_CAMERA, 1, "%s: nothing is proven about who recorded this", print);
	}
	int place = chain_header(&r->chain, h, s->header_hash, &before);
	if (place < 0)
		return -1;
	s->duplicate = place == CHAIN_DUPLICATE || place == CHAIN_CONFLICT;
	place_tell(r, (enum chain_place)place, &before);
	if (h->flags & RECORD_EPOCH_LOST)
		verdict(r, READER_EPOCH_LOST, 1, "the camera had lost its count and began again at epoch 1");
	if (h->flags & RECORD_RECIPIENTS_CHANGED)
		verdict(r, READER_RECIPIENTS_CHANGED, 1, "there are %u from here on", h->recipients);
	if ((h->kind == RECORD_KIND_VIDEO) == r->config.reports)
		r->other_kind++;
	else if (r->sink.content && !s->duplicate)
		file_key_open(r);
	return 0;
}

/* --- data and marks of the open segment --- */

static int belongs(const struct reader *r, const struct record_prefix *p)
{
	return r->open && p->segment == r->seg.header.prefix.segment &&
	       memcmp(p->stream, r->seg.header.prefix.stream, sizeof p->stream) == 0;
}

/* Records from expected to number - 1 are missing: the stretch they belong to is lost. */
static void records_missing(struct reader *r, uint32_t number)
{
	struct reader_segment *s = &r->seg;

	verdict(r, READER_DAMAGED, 1, "records %" PRIu32 " to %" PRIu32 " are missing", s->expected,
	        number - 1);
	s->gapped = 1;
	r->fresh = 1;
	stretch_begin(r, number);
}

static int data_take(struct reader *r, const uint8_t *p, const struct record_prefix *prefix)
{
	struct reader_segment *s = &r->seg;

	if (prefix->record < s->expected || s->ended) {
		/* numbers are not proven before the mark: where one was wrong, the others of its stretch are
		 * lost with it */
		if (s->gapped && !s->ended && prefix->record > s->mark.prefix.record)
			return 0;
		verdict(r, READER_DUPLICATE, 1, "record %" PRIu32 " again, or out of order", prefix->record);
		return 0;
	}
	if (s->absent) {
		s->absent = 0;
		verdict(r, READER_DAMAGED, 1, "records before %" PRIu32 " are missing", prefix->record);
	}
	if (prefix->record > s->expected)
		records_missing(r, prefix->record);
	s->expected = prefix->record + 1;
	s->record_bytes += prefix->length;
	crypto_generichash_update(&r->stretch_hash, p, prefix->length);
	if (!wanted(r) || stretch_add(&r->stretch, p, prefix->length) == 0)
		return 0;
	if (errno != EFBIG)
		return -1;
	verdict(r, READER_DAMAGED, 1, "more than %d bytes without a mark", RECORD_STRETCH_BYTES_MAX);
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
		verdict(r, READER_DAMAGED, 1, "records %" PRIu32 " to %" PRIu32 ": some are missing",
		        m->first_record, m->prefix.record - 1);
		r->fresh = 1;
		return 0;
	}
	crypto_generichash_final(&r->stretch_hash, hash, sizeof hash);
	if (m->first_record > s->stretch_first || memcmp(hash, m->stretch_hash, sizeof hash) != 0) {
		verdict(r, READER_DAMAGED, 1,
		        "records %" PRIu32 " to %" PRIu32 " are not those that were signed", s->stretch_first,
		        m->prefix.record - 1);
		r->fresh = 1;
		return 0;
	}
	if (!s->gapped && memcmp(m->previous_hash, s->mark_hash, sizeof s->mark_hash) != 0) {
		verdict(r, READER_CONFLICT, 1,
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
static int mark_take(struct reader *r, const uint8_t *p, const struct record_mark *m)
{
	struct reader_segment *s = &r->seg;
	uint8_t hash[RECORD_HASH_BYTES];

	record_hash(hash, p, RECORD_MARK_BYTES);
	if (memcmp(m->header_hash, s->header_hash, sizeof s->header_hash) != 0) {
		verdict(r, READER_CONFLICT, 1,
		        "the mark at record %" PRIu32 " is of another header with this position",
		        m->prefix.record);
		return 0;
	}
	if (m->prefix.record <= s->mark.prefix.record || s->ended) {
		int other = s->mark.prefix.record == m->prefix.record &&
		            memcmp(hash, s->mark_hash, sizeof hash) != 0;
		verdict(r, other ? READER_CONFLICT : READER_DUPLICATE, 1,
		        "the mark at record %" PRIu32 " again, or out of order", m->prefix.record);
		return 0;
	}
	if (s->absent) {
		s->absent = 0;
		verdict(r, READER_DAMAGED, 1, "records before %" PRIu32 " are missing", m->prefix.record);
	}
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
		verdict(r, READER_INPUT_RESTARTED, 1, "after access unit %" PRIu32, m->access_units);
	stretch_begin(r, s->expected);
	if (!s->duplicate && m->prefix.record > s->chained_to) {
		chain_mark(&r->chain, &s->header, &m->prefix, hash);
		s->chained_to = m->prefix.record;
	}
	return 0;
}

/* --- records from bytes --- */

static void skipped_tell(struct reader *r)
{
	if (!r->skipped_bytes)
		return;
	r->fresh = 1;
	if (r->skipped_camera) {
		char print[RECORD_FINGERPRINT_BYTES];
		record_fingerprint(r->skipped_device_pk, print);
		verdict(r, READER_UNKNOWN_CAMERA, 0, "%s by its own account, %" PRIu64 " bytes left out",
		        print, r->skipped_bytes);
	} else if (r->skipped_version)
		verdict(r, READER_UNKNOWN_VERSION, 0,
		        "version %u, %" PRIu64 " bytes left out: a newer cam-open may know it",
		        r->skipped_version, r->skipped_bytes);
	else
		verdict(r, READER_NOT_A_SEGMENT, 0, "%" PRIu64 " bytes that are no record%s",
		        r->skipped_bytes, r->open ? "" : " of an open segment");
	r->skipped_bytes = 0;
	r->skipped_version = 0;
	r->skipped_camera = 0;
}

/* Is this data record cut short, with the next record inside it? By chance no ciphertext looks like a prefix.
 */
static int torn_record(const uint8_t *p, size_t have, size_t length)
{
	struct record_prefix x;

	for (size_t i = 1; i < length && i + RECORD_PREFIX_BYTES <= have; i++)
		if (p[i] == p[0] && record_prefix_parse(p + i, have - i, &x) == 0)
			return 1;
	return 0;
}

static int header_try(struct reader *r, const uint8_t *p, size_t n)
{
	struct record_header h;

	if (record_header_parse(p, n, &h) < 0)
		return 0;
	if (r->config.devices && !camera_asked_for(r, h.device_pk)) {
		if (!r->skipped_camera)
			memcpy(r->skipped_device_pk, h.device_pk, sizeof r->skipped_device_pk);
		r->skipped_camera = 1;
		return 0;
	}
	if (record_header_verify(p, n, &h) < 0) {
		verdict(r, READER_BAD_SIGNATURE, 0, "a header, epoch %" PRIu64 " segment %" PRIu32, h.epoch,
		        h.prefix.segment);
		return 0;
	}
	skipped_tell(r);
	return segment_open(r, p, n, &h) < 0 ? -1 : 1;
}

static int mark_try(struct reader *r, const uint8_t *p, const struct record_prefix *prefix)
{
	struct record_mark m;

	if (!belongs(r, prefix) || record_mark_parse(p, prefix->length, &m) < 0)
		return 0;
	if (record_mark_verify(p, prefix->length, r->seg.header.stream_pk) < 0) {
		verdict(r, READER_BAD_SIGNATURE, 1, "the mark at record %" PRIu32, m.prefix.record);
		r->seg.mark_failed = 1;
		return 0;
	}
	skipped_tell(r);
	return mark_take(r, p, &m) < 0 ? -1 : 1;
}

/* A candidate at p of which have bytes are there. 1: taken; 0: not a record here; 2: more bytes are needed.
 */
static int record_try(struct reader *r, const uint8_t *p, size_t have, int last, struct record_prefix *prefix)
{
	if (record_prefix_parse(p, have, prefix) < 0) {
		if (errno == EPROTONOSUPPORT && !r->skipped_version)
			r->skipped_version = p[4];
		return errno == ENODATA && !last ? 2 : 0;
	}
	/* a data record is believed when no other one begins in it */
	size_t want = prefix->length + (prefix->type == RECORD_DATA ? RECORD_PREFIX_BYTES : 0u);
	if (have < want && !last)
		return 2;
	if (have < prefix->length)
		return 0;
	if (prefix->type == RECORD_HEADER)
		return header_try(r, p, prefix->length);
	if (prefix->type != RECORD_DATA)
		return mark_try(r, p, prefix);
	if (!belongs(r, prefix) || torn_record(p, have < want ? have : want, prefix->length))
		return 0;
	skipped_tell(r);
	return data_take(r, p, prefix) < 0 ? -1 : 1;
}

/* Takes what can be taken; last: nothing more comes. */
static int records_take(struct reader *r, int last)
{
	size_t at = 0;

	while (at < r->n) {
		struct record_prefix prefix = {0};
		int got = record_try(r, r->buf + at, r->n - at, last, &prefix);
		if (got < 0)
			return -1;
		if (got == 2)
			break;
		if (got == 1) {
			at += prefix.length;
			continue;
		}
		const uint8_t *next = memchr(r->buf + at + 1, 0xc5, r->n - at - 1);
		size_t skip = next ? (size_t)(next - r->buf) - at : r->n - at;
		r->skipped_bytes += skip;
		at += skip;
	}
	memmove(r->buf, r->buf + at, r->n - at);
	r->n -= at;
	return 0;
}

void reader_init(struct reader *r, const struct reader_config *config, const struct reader_sink *sink)
{
	memset(r, 0, sizeof *r);
	r->config = *config;
	r->sink = *sink;
	r->fresh = 1;
}

int reader_push(struct reader *r, const uint8_t *p, size_t n)
{
	while (n) {
		size_t room = sizeof r->buf - r->n, take = n < room ? n : room;
		memcpy(r->buf + r->n, p, take);
		r->n += take;
		p += take;
		n -= take;
		if (records_take(r, 0) < 0)
			return -1;
	}
	return 0;
}

int reader_flush(struct reader *r)
{
	if (records_take(r, 1) < 0)
		return -1;
	skipped_tell(r);
	return segment_close(r);
}

void reader_free(struct reader *r)
{
	chain_free(&r->chain);
	stretch_free(&r->stretch);
	sodium_memzero(r, sizeof *r);
}
