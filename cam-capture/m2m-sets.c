/* Keeps parameter sets as they pass, and puts them before IDR pictures that come without. Reads what an
 * encoder wrote, within its bounds. */
#define _GNU_SOURCE
#include "m2m-sets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NAL_SLICE = 1, NAL_IDR = 5, NAL_SPS = 7, NAL_PPS = 8, NAL_AUD = 9, NAL_SPS_EXTENSION = 13 };

struct shape {
	size_t after_aud, sets_at, sets_end; /* bytes from the beginning */
	bool sps, pps, slice, idr;
};

/* Where the next start code begins at or after at, its zero_byte included; n when there is none. */
static size_t start_code(const uint8_t *p, size_t n, size_t at)
{
	for (; n - at > 3; at++)
		if (!p[at] && !p[at + 1] && p[at + 2] <= 1 && (p[at + 2] == 1 || p[at + 3] == 1))
			return at;
	return n;
}

static void look(const uint8_t *p, size_t n, struct shape *s)
{
	*s = (struct shape){0};
	for (size_t at = start_code(p, n, 0), end; at < n && !s->slice; at = end) {
		size_t header = at + (p[at + 2] == 1 ? 3 : 4);
		unsigned type = header < n ? p[header] & 31 : 0;
		bool set = type == NAL_SPS || type == NAL_PPS || type == NAL_SPS_EXTENSION;

		end = start_code(p, n, header < n ? header : n);
		if (type == NAL_AUD && at == 0)
			s->after_aud = end;
		if (set && !s->sps && !s->pps)
			s->sets_at = at;
		if (set)
			s->sets_end = end;
		s->sps |= type == NAL_SPS;
		s->pps |= type == NAL_PPS;
		s->slice = type >= NAL_SLICE && type <= NAL_IDR;
		s->idr = type == NAL_IDR;
	}
}

/* A PPS without an SPS goes behind the last SPS, in place of the one that did before: the last one of a
 * number counts. */
static int keep(struct m2m_sets *s, const uint8_t *p, const struct shape *shape)
{
	size_t n = shape->sets_end - shape->sets_at;

	s->kept_bytes = shape->sps ? 0 : s->base_bytes;
	if (n > sizeof s->kept - s->kept_bytes) {
		errno = EMSGSIZE;
		return -1;
	}
	memcpy(s->kept + s->kept_bytes, p + shape->sets_at, n);
	s->kept_bytes += n;
	if (shape->sps)
		s->base_bytes = s->kept_bytes;
	return 0;
}

static int join(struct m2m_sets *s, const uint8_t **p, size_t *n, size_t at)
{
	size_t size = *n + s->kept_bytes;

	if (size > s->joined_size) {
		uint8_t *grown = realloc(s->joined, size);
		if (!grown)
			return -1;
		s->joined = grown;
		s->joined_size = size;
	}
	memcpy(s->joined, *p, at);
	memcpy(s->joined + at, s->kept, s->kept_bytes);
	memcpy(s->joined + at + s->kept_bytes, *p + at, *n - at);
	*p = s->joined;
	*n = size;
	return 0;
}

bool m2m_sets_join(struct m2m_sets *s, const uint8_t **p, size_t *n, bool *idr)
{
	struct shape shape;

	look(*p, *n, &shape);
	*idr = shape.idr;
	errno = 0;
	if ((shape.sps || shape.pps) && keep(s, *p, &shape) < 0)
		return false;
	if (!shape.slice) {
		errno = shape.sps || shape.pps ? 0 : EBADMSG;
		return false;
	}
	if (!shape.idr || (shape.sps && shape.pps))
		return true;
	if (!s->kept_bytes) {
		errno = EBADMSG;
		return false;
	}
	return join(s, p, n, shape.after_aud) == 0;
}
