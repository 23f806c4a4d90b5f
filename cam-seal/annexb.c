#include "annexb.h"

#include <string.h>

enum {
	NAL_SLICE = 1,
	NAL_PARTITION_A = 2,
	NAL_IDR = 5,
	NAL_SEI = 6,
	NAL_SPS = 7,
	NAL_PPS = 8,
	NAL_AUD = 9,
	NAL_SPS_EXT = 13,
	NAL_PREFIX = 14,
	NAL_SUBSET_SPS = 15,
	NAL_RESERVED_18 = 18,
};

void annexb_init(struct annexb *a, const struct annexb_sink *sink)
{
	memset(a, 0, sizeof *a);
	a->sink = *sink;
}

/* --- parameter sets --- */

/* ue(v) of 9.1 from the start of p; 0xffffffff when p is too short. */
static uint32_t golomb(const uint8_t *p, size_t n)
{
	size_t bit = 0, bits = n * 8 < 32 ? n * 8 : 32, zeros = 0;
	uint32_t v = 0;

	while (bit < bits && !(p[bit / 8] & (0x80 >> bit % 8)))
		bit++, zeros++;
	if (bit + 1 + zeros > n * 8 || zeros > 16)
		return UINT32_MAX;
	for (size_t i = 0; i <= zeros; i++, bit++)
		v = v << 1 | ((p[bit / 8] >> (7 - bit % 8)) & 1u);
	return v - 1;
}

static void set_drop(struct annexb *a, unsigned k)
{
	size_t at = 0;
	for (unsigned i = 0; i < k; i++)
		at += a->set[i].bytes;
	memmove(a->sets_bytes + at, a->sets_bytes + at + a->set[k].bytes, a->sets_n - at - a->set[k].bytes);
	a->sets_n -= a->set[k].bytes;
	memmove(a->set + k, a->set + k + 1, (a->sets - k - 1) * sizeof *a->set);
	a->sets--;
}

/* Makes room for n bytes at set k. */
static void set_insert(struct annexb *a, unsigned k, uint8_t type, uint32_t id, size_t n)
{
	size_t at = 0;
	for (unsigned i = 0; i < k; i++)
		at += a->set[i].bytes;
	memmove(a->sets_bytes + at + n, a->sets_bytes + at, a->sets_n - at);
	a->sets_n += n;
	memmove(a->set + k + 1, a->set + k, (a->sets - k) * sizeof *a->set);
	a->sets++;
	a->set[k].type = type;
	a->set[k].id = id;
	a->set[k].bytes = n;
}

/* nal: from the header byte, n bytes without trailing zeros. One too large to keep is not kept. Picture
 * parameter sets stand behind all others: decoders want to know what they refer to. */
static void set_keep(struct annexb *a, const uint8_t *nal, size_t n)
{
	static const uint8_t start[] = {0, 0, 0, 1};
	uint8_t type = nal[0] & 31;
	size_t skip = type == NAL_SPS || type == NAL_SUBSET_SPS ? 4 : 1, at = 0;
	uint32_t id = n > skip ? golomb(nal + skip, n - skip) : UINT32_MAX;
	unsigned k;

	if (n + sizeof start > sizeof a->sets_bytes)
		return;
	for (k = 0; k < a->sets; k++)
		if (a->set[k].type == type && a->set[k].id == id) {
			set_drop(a, k);
			break;
		}
	while (a->sets && (a->sets == ANNEXB_SETS_MAX || a->sets_n + sizeof start + n > sizeof a->sets_bytes))
		set_drop(a, 0);
	for (k = 0; k < a->sets && (type == NAL_PPS || a->set[k].type != NAL_PPS); k++)
		at += a->set[k].bytes;
	set_insert(a, k, type, id, sizeof start + n);
	memcpy(a->sets_bytes + at, start, sizeof start);
	memcpy(a->sets_bytes + at + sizeof start, nal, n);
}

const uint8_t *annexb_parameter_sets(const struct annexb *a, size_t *n)
{
	*n = a->sets_n;
	return a->sets_bytes;
}

/* --- giving out --- */

static void buffer_drop(struct annexb *a, size_t n)
{
	memmove(a->buf, a->buf + n, a->n - n);
	a->n -= n;
	a->scan -= a->scan < n ? a->scan : n;
	a->nal -= a->nal < n ? a->nal : n;
	a->left -= a->left < n ? a->left : n;
}

/* end() for the access unit that may be torn, now that it is known whether it is. */
static int owed_pay(struct annexb *a, int torn)
{
	if (!a->owed)
		return 0;
	a->owed = 0;
	if (!torn)
		a->distrust = 1;
	return a->sink.end(a->sink.ctx, torn, a->owed_picture);
}

static int body_begin(struct annexb *a)
{
	int restarted = a->head.has_sei && a->head.sei.frame <= a->frame;

	if (owed_pay(a, restarted) < 0)
		return -1;
	if (a->head.has_sei)
		a->frame = a->head.sei.frame;
	a->phase = ANNEXB_BODY;
	return a->sink.begin(a->sink.ctx, &a->head);
}

static int give(struct annexb *a, size_t n)
{
	if (!n)
		return 0;
	if (a->phase != ANNEXB_BODY && body_begin(a) < 0)
		return -1;
	if (a->sink.bytes(a->sink.ctx, a->buf, n) < 0)
		return -1;
	buffer_drop(a, n);
	return 0;
}

/* The access unit ends before buf[n]; suspect: it may be torn. */
static int unit_end(struct annexb *a, size_t n, int suspect)
{
	if (give(a, n) < 0)
		return -1;
	int opened = a->phase == ANNEXB_BODY, picture = a->picture;
	a->phase = ANNEXB_BETWEEN;
	memset(&a->head, 0, sizeof a->head);
	a->picture = a->delimited = a->sized = 0;
	a->left = 0;
	a->nal = 0;
	if (!opened)
		return 0;
	if (!suspect)
		return a->sink.end(a->sink.ctx, 0, picture);
	a->owed = 1;
	a->owed_picture = picture;
	return 0;
}

/* Cut short: fewer bytes than announced, or, where sizes are announced, no slice at all. */
static int unit_suspect(const struct annexb *a, size_t n)
{
	return a->sized ? a->left > n : a->exact && a->delimited && !a->picture;
}

/* As many bytes have come as the message announced. A NAL unit ends neither in a zero nor in a start code:
 * those would be the next access unit's first bytes behind a cut. */
static int unit_sized_end(struct annexb *a)
{
	size_t n = (size_t)a->left;

	if (n >= 3 && a->buf[n - 1] == 1 && !a->buf[n - 2] && !a->buf[n - 3])
		n -= 3;
	while (n && !a->buf[n - 1])
		n--;
	int short_of = n < a->left;
	if (!short_of)
		a->exact = 1;
	return unit_end(a, n, short_of);
}

/* --- finding NAL units --- */

/* The NAL unit before the start code at `to` is whole. */
static void nal_end(struct annexb *a, size_t to)
{
	size_t from = a->nal, n;

	if (!from || a->phase == ANNEXB_BODY)
		return;
	while (to > from && !a->buf[to - 1])
		to--;
	n = to - from;
	if (!n)
		return;
	switch (a->buf[from] & 31) {
	case NAL_SPS:
		a->head.has_sps = 1;
		set_keep(a, a->buf + from, n);
		break;
	case NAL_PPS:
		a->head.has_pps = 1;
		set_keep(a, a->buf + from, n);
		break;
	case NAL_SPS_EXT:
	case NAL_SUBSET_SPS: set_keep(a, a->buf + from, n); break;
	case NAL_SEI:
		if (!a->head.has_sei && sei_parse(a->buf + from, n, &a->head.sei) == 0) {
			a->head.has_sei = 1;
			a->sized = !a->distrust && a->head.sei.rest_bytes != SEI_REST_UNKNOWN;
			a->left = to + (uint64_t)a->head.sei.rest_bytes;
		}
		break;
	default: break;
	}
}

static int is_slice(uint8_t type)
{
	return type >= NAL_SLICE && type <= NAL_IDR;
}

/* Does the NAL unit of this type, with this byte after its header, begin another access unit? */
static int begins_unit(const struct annexb *a, uint8_t type, uint8_t next)
{
	if (type == NAL_AUD)
		return 1;
	if (!a->picture || a->sized)
		return 0;
	if (type == NAL_SLICE || type == NAL_PARTITION_A || type == NAL_IDR)
		return next & 0x80;
	return (type >= NAL_SEI && type <= NAL_PPS) || (type >= NAL_PREFIX && type <= NAL_RESERVED_18);
}

static int all_zero(const uint8_t *p, size_t n)
{
	while (n && !p[n - 1])
		n--;
	return !n;
}

/* A start code stands at buf[at]; the NAL unit's header is there, and for a slice the byte behind it. What
 * stands before it and is of no access unit (garbage, the rest of one that a silence ended) is a unit by
 * itself: it must not get into the next segment with an IDR. */
static int nal_begin(struct annexb *a, size_t at)
{
	uint8_t type = a->buf[at + 3] & 31, next = is_slice(type) ? a->buf[at + 4] : 0;
	size_t from = at && !a->buf[at - 1] ? at - 1 : at;

	int stray = a->phase == ANNEXB_BETWEEN && !all_zero(a->buf, from);

	if (stray && a->exact)
		a->distrust = 1; /* more came than was announced */
	nal_end(a, at);
	if (stray || (a->phase != ANNEXB_BETWEEN && begins_unit(a, type, next))) {
		if (unit_end(a, from, unit_suspect(a, from)) < 0)
			return -1;
		at -= from;
	}
	if (a->phase == ANNEXB_BETWEEN)
		a->phase = ANNEXB_HEAD;
	a->delimited = 1;
	a->nal = a->scan = at + 3;
	if (!is_slice(type))
		return 0;
	a->picture = 1;
	if (a->phase != ANNEXB_HEAD)
		return 0;
	a->head.idr = type == NAL_IDR;
	return body_begin(a);
}

/* The next start code from scan on into *at. 1: found, and decidable; 0: more bytes are needed, scan stands
 * where one may begin. */
static int start_code_find(struct annexb *a, size_t *at)
{
	size_t i = a->scan;

	for (; i + 3 <= a->n; i++) {
		const uint8_t *z = memchr(a->buf + i, 0, a->n - i);
		i = z ? (size_t)(z - a->buf) : a->n;
		if (i + 3 > a->n)
			break;
		if (a->buf[i + 1] || a->buf[i + 2] != 1)
			continue;
		a->scan = *at = i;
		return i + 4 <= a->n && (i + 5 <= a->n || !is_slice(a->buf[i + 3] & 31));
	}
	while (i < a->n && a->buf[i])
		i++;
	a->scan = i;
	return 0;
}

/* How many bytes at the front are settled: they can neither begin a start code nor be its leading zero. */
static size_t settled(const struct annexb *a)
{
	return a->scan && !a->buf[a->scan - 1] ? a->scan - 1 : a->scan;
}

static int scan_all(struct annexb *a)
{
	for (;;) {
		size_t at = 0;
		int found = start_code_find(a, &at);

		if (a->sized && a->left <= (found ? at : a->n)) {
			if (unit_sized_end(a) < 0)
				return -1;
		} else if (!found) {
			break;
		} else if (nal_begin(a, at) < 0) {
			return -1;
		}
	}
	/* Without a slice in 64 KiB, what it is will not be known. */
	return a->phase == ANNEXB_BODY || a->n >= ANNEXB_HEAD_BYTES_MAX ? give(a, settled(a)) : 0;
}

int annexb_push(struct annexb *a, const uint8_t *p, size_t n)
{
	while (n) {
		size_t room = sizeof a->buf - a->n, take = n < room ? n : room;
		memcpy(a->buf + a->n, p, take);
		a->n += take;
		p += take;
		n -= take;
		if (scan_all(a) < 0)
			return -1;
	}
	return 0;
}

int annexb_incomplete(const struct annexb *a)
{
	return a->owed || a->phase == ANNEXB_HEAD || (a->phase == ANNEXB_BODY && (a->sized || !a->picture));
}

int annexb_waits_for_silence(const struct annexb *a)
{
	return a->phase == ANNEXB_BODY && a->picture && !a->sized;
}

int annexb_silence(struct annexb *a)
{
	return annexb_waits_for_silence(a) ? unit_end(a, settled(a), 0) : 0;
}

int annexb_finish(struct annexb *a)
{
	nal_end(a, a->n);
	if (unit_end(a, a->n, unit_suspect(a, a->n)) < 0)
		return -1;
	return owed_pay(a, a->exact && !a->distrust);
}
