#include "release.h"

#include "le.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int stretch_add(struct stretch *s, const uint8_t *record, size_t n)
{
	if (s->n + n > RECORD_STRETCH_BYTES_MAX) {
		errno = EFBIG;
		return -1;
	}
	if (s->n + n > s->room) {
		size_t room = s->room ? s->room * 2 : 64 << 10;
		uint8_t *p = realloc(s->p, room);
		if (!p)
			return -1;
		s->p = p;
		s->room = room;
	}
	memcpy(s->p + s->n, record, n);
	s->n += n;
	return 0;
}

void stretch_free(struct stretch *s)
{
	free(s->p);
	memset(s, 0, sizeof *s);
}

/* In a decrypted stretch a record is: its length u16 at 6, flags at 24, payload from 25. */
static size_t record_length(const uint8_t *r)
{
	return le_get16(r + 6);
}

static size_t payload_length(const uint8_t *r)
{
	return record_length(r) - RECORD_DATA_OVERHEAD_BYTES;
}

static int decrypt(struct stretch *s, const uint8_t data_key[32])
{
	for (size_t at = 0; at < s->n; at += record_length(s->p + at)) {
		uint8_t *r = s->p + at, flags;
		if (record_data_open(r, record_length(r), &flags, r + 25, data_key) < 0)
			return -1;
		r[24] = flags;
	}
	return 0;
}

/* Is the access unit that goes on at `at` ended as torn in this stretch? */
static int unit_torn(const struct stretch *s, size_t at)
{
	for (size_t i = at; i < s->n; i += record_length(s->p + i)) {
		uint8_t flags = s->p[i + 24];
		if (i > at && flags & RECORD_AU_STARTS)
			break;
		if (flags & RECORD_AU_ENDS)
			return flags & RECORD_TORN ? 1 : 0;
	}
	return 0;
}

int release_stretch(struct stretch *s, const uint8_t data_key[32], int repeated,
        int (*out)(void *ctx, const uint8_t *p, size_t n), void *ctx, struct release *result)
{
	int begins = 1, torn = 0;

	memset(result, 0, sizeof *result);
	if (decrypt(s, data_key) < 0)
		return -1;
	for (size_t at = 0; at < s->n; at += record_length(s->p + at)) {
		const uint8_t *r = s->p + at;
		uint8_t flags = r[24];

		if (flags & RECORD_PADDING || (flags & RECORD_REPEATED && !repeated))
			continue;
		if (flags & RECORD_REPEATED) {
			if (out(ctx, r + 25, payload_length(r)) < 0)
				return -1;
			continue;
		}
		if (begins || flags & RECORD_AU_STARTS)
			torn = unit_torn(s, at);
		begins = flags & RECORD_AU_ENDS;
		if (begins && torn)
			result->torn++;
		if (torn)
			continue;
		if (out(ctx, r + 25, payload_length(r)) < 0)
			return -1;
		result->bytes += payload_length(r);
		result->access_units += begins ? 1 : 0;
	}
	return 0;
}
