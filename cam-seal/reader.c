#define _GNU_SOURCE
#include "reader.h"

#include "place.h"
#include "segment.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static void skipped_tell(struct reader *r)
{
	if (!r->skipped_bytes)
		return;
	r->fresh = 1;
	if (r->skipped_camera) {
		char print[RECORD_FINGERPRINT_BYTES];
		record_fingerprint(r->skipped_device_pk, print);
		segment_verdict(r, READER_UNKNOWN_CAMERA, 0,
		        "%s by its own account, %" PRIu64 " bytes left out", print, r->skipped_bytes);
	} else if (r->skipped_version)
		segment_verdict(r, READER_UNKNOWN_VERSION, 0,
		        "version %u, %" PRIu64 " bytes left out: a newer cam-open may know it",
		        r->skipped_version, r->skipped_bytes);
	else
		segment_verdict(r, READER_NOT_A_SEGMENT, 0, "%" PRIu64 " bytes that are no record%s",
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
	if (r->config.devices && !segment_camera_asked_for(r, h.device_pk)) {
		if (!r->skipped_camera)
			memcpy(r->skipped_device_pk, h.device_pk, sizeof r->skipped_device_pk);
		r->skipped_camera = 1;
		return 0;
	}
	if (record_header_verify(p, n, &h) < 0) {
		segment_verdict(r, READER_BAD_SIGNATURE, 0, "a header, epoch %" PRIu64 " segment %" PRIu32,
		        h.epoch, h.prefix.segment);
		return 0;
	}
	skipped_tell(r);
	return segment_open(r, p, n, &h) < 0 ? -1 : 1;
}

static int mark_try(struct reader *r, const uint8_t *p, const struct record_prefix *prefix)
{
	struct record_mark m;

	if (!segment_belongs(r, prefix) || record_mark_parse(p, prefix->length, &m) < 0)
		return 0;
	if (record_mark_verify(p, prefix->length, r->seg.header.stream_pk) < 0) {
		segment_verdict(r, READER_BAD_SIGNATURE, 1, "the mark at record %" PRIu32, m.prefix.record);
		r->seg.mark_failed = 1;
		return 0;
	}
	skipped_tell(r);
	return segment_mark(r, p, &m) < 0 ? -1 : 1;
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
	if (!segment_belongs(r, prefix) || torn_record(p, have < want ? have : want, prefix->length))
		return 0;
	skipped_tell(r);
	return segment_data(r, p, prefix) < 0 ? -1 : 1;
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

void reader_end(struct reader *r)
{
	place_links_end(r);
}

void reader_free(struct reader *r)
{
	known_free(&r->known);
	chain_free(&r->chain);
	stretch_free(&r->stretch);
	sodium_memzero(r, sizeof *r);
}
