/* Parses the two kinds of header line in a YUV4MPEG2 stream. Reads nothing itself, allocates nothing. The
 * grammar is that of mjpegtools' yuv4mpeg(5): a magic word, then tags of one letter and a value, each after a
 * space. What this camera cannot encode is refused by name rather than guessed at. */
#define _GNU_SOURCE
#include "y4m.h"

#include <string.h>
#include <strings.h>

enum { NUMBER_DIGITS_MAX = 10 };

struct tag {
	char letter;
	const char *value;
	size_t n;
};

static const struct {
	const char *name;
	uint8_t loc;
} chromas[] = {{"420", 1}, {"420jpeg", 1}, {"420mpeg2", 0}, {"420paldv", 2}};

static int refuse(struct y4m *out, const char *text, size_t n, const char *why)
{
	size_t fit = n < sizeof out->bad ? n : sizeof out->bad - 1;
	memcpy(out->bad, text, fit);
	out->bad[fit] = '\0';
	out->why = why;
	return -1;
}

static int refuse_tag(struct y4m *out, const struct tag *t, const char *why)
{
	return refuse(out, t->value - 1, t->n + 1, why);
}

/* 1 to 10 digits, at most INT32_MAX. */
static int number(const char *s, size_t n, uint32_t *out)
{
	uint64_t v = 0;

	if (!n || n > NUMBER_DIGITS_MAX)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		v = v * 10 + (uint64_t)(s[i] - '0');
	}
	if (v > INT32_MAX)
		return -1;
	*out = (uint32_t)v;
	return 0;
}

static int ratio(const struct tag *t, uint32_t *num, uint32_t *den)
{
	const char *colon = memchr(t->value, ':', t->n);
	if (!colon)
		return -1;
	size_t left = (size_t)(colon - t->value);
	return number(t->value, left, num) < 0 || number(colon + 1, t->n - left - 1, den) < 0 ? -1 : 0;
}

static int side(struct y4m *out, const struct tag *t, uint32_t *side)
{
	if (number(t->value, t->n, side) < 0)
		return refuse_tag(out, t, "not a number of pixels");
	if (*side % 2)
		return refuse_tag(out, t, "odd sizes cannot be halved for 4:2:0");
	if (*side < VIDEO_SIDE_MIN || *side > VIDEO_SIDE_MAX)
		return refuse_tag(out, t, "sizes are from 16 to 4096");
	return 0;
}

static int rate(struct y4m *out, const struct tag *t)
{
	struct video *v = &out->video;
	if (ratio(t, &v->rate_num, &v->rate_den) < 0)
		return refuse_tag(out, t, "not a frame rate NUMBER:NUMBER");
	if (!v->rate_num || !v->rate_den)
		return refuse_tag(out, t, "an unknown frame rate");
	if (v->rate_num > (uint64_t)VIDEO_RATE_MAX * v->rate_den ||
	        (uint64_t)v->rate_num * VIDEO_RATE_SLOWEST_S < v->rate_den)
		return refuse_tag(out, t, "frame rates are from 1:60 to 240:1");
	return 0;
}

static int interlacing(struct y4m *out, const struct tag *t)
{
	if (t->n != 1 || !t->value[0] || !strchr("p?tbm", t->value[0]))
		return refuse_tag(out, t, "not one of Ip It Ib Im I?");
	if (t->value[0] != 'p' && t->value[0] != '?')
		return refuse_tag(out, t, "interlaced video is not supported");
	return 0;
}

static int aspect(struct y4m *out, const struct tag *t)
{
	uint32_t num, den;
	if (ratio(t, &num, &den) < 0 || num > UINT16_MAX || den > UINT16_MAX)
		return refuse_tag(out, t, "not a sample aspect ratio NUMBER:NUMBER up to 65535");
	if (num && den) {
		out->video.sar_num = (uint16_t)num;
		out->video.sar_den = (uint16_t)den;
	}
	return 0;
}

static int chroma(struct y4m *out, const struct tag *t, const char *name, size_t n)
{
	for (size_t i = 0; i < sizeof chromas / sizeof *chromas; i++)
		if (n == strlen(chromas[i].name) && strncasecmp(name, chromas[i].name, n) == 0) {
			out->video.chroma_loc = chromas[i].loc;
			return 0;
		}
	return refuse_tag(out, t, "only 4:2:0 with 8 bits: C420 C420jpeg C420mpeg2 C420paldv");
}

/* Comments are free text, but two of them are how programs say what the tags cannot: the range of the
 * samples, and the subsampling before there was a C tag. */
static int comment(struct y4m *out, const struct tag *t, bool has_chroma)
{
	static const char range[] = "COLORRANGE=", subsampling[] = "YSCSS=";
	size_t r = sizeof range - 1, s = sizeof subsampling - 1;

	if (t->n > r && memcmp(t->value, range, r) == 0)
		out->video.full_range = t->n == r + 4 && memcmp(t->value + r, "FULL", 4) == 0;
	if (!has_chroma && t->n >= s && memcmp(t->value, subsampling, s) == 0)
		return chroma(out, t, t->value + s, t->n - s);
	return 0;
}

static int tag_apply(struct y4m *out, const struct tag *t, bool has_chroma)
{
	switch (t->letter) {
	case 'W': return side(out, t, &out->video.width);
	case 'H': return side(out, t, &out->video.height);
	case 'F': return rate(out, t);
	case 'I': return interlacing(out, t);
	case 'A': return aspect(out, t);
	case 'C': return chroma(out, t, t->value, t->n);
	case 'X': return comment(out, t, has_chroma);
	default: return refuse_tag(out, t, "not a tag of YUV4MPEG2: W H F I A C X");
	}
}

/* The next tag from *at on; false at the end of the line. */
static bool tag_next(const char *line, size_t n, size_t *at, struct tag *t)
{
	while (*at < n && line[*at] == ' ')
		++*at;
	if (*at == n)
		return false;
	const char *end = memchr(line + *at, ' ', n - *at);
	size_t bytes = (end ? (size_t)(end - line) : n) - *at;
	*t = (struct tag){line[*at], line + *at + 1, bytes - 1};
	*at += bytes;
	return true;
}

static bool word_begins(const char *line, size_t n, const char *word)
{
	size_t len = strlen(word);
	return n >= len && memcmp(line, word, len) == 0 && (n == len || line[len] == ' ');
}

int y4m_header_parse(const uint8_t *bytes, size_t n, struct y4m *out)
{
	static const char magic[] = "YUV4MPEG2", known[] = "WHFIAC";
	const char *line = (const char *)bytes, *which;
	unsigned seen = 0; /* a bit for each letter of known */
	struct tag t;

	*out = (struct y4m){.video.chroma_loc = 1};
	if (n >= Y4M_LINE_BYTES_MAX)
		return refuse(out, "", 0, "the header is longer than 1023 bytes");
	if (!word_begins(line, n, magic))
		return refuse(out, "", 0, "not a YUV4MPEG2 stream");
	/* Tags first, comments after: a C tag outranks a comment on the same thing, wherever it stands. */
	for (size_t at = sizeof magic - 1; tag_next(line, n, &at, &t);) {
		if (t.letter == 'X')
			continue;
		which = t.letter ? strchr(known, t.letter) : NULL;
		unsigned bit = which ? 1u << (which - known) : 0;
		if (seen & bit)
			return refuse_tag(out, &t, "given twice");
		seen |= bit;
		if (tag_apply(out, &t, true) < 0)
			return -1;
	}
	bool has_chroma = seen & 1u << (strchr(known, 'C') - known);
	for (size_t at = sizeof magic - 1; tag_next(line, n, &at, &t);)
		if (t.letter == 'X' && tag_apply(out, &t, has_chroma) < 0)
			return -1;
	if (!out->video.width || !out->video.height || !out->video.rate_num)
		return refuse(out, "", 0, "width, height or frame rate is missing");
	return 0;
}

int y4m_frame_parse(const uint8_t *line, size_t n)
{
	return word_begins((const char *)line, n, "FRAME") ? 0 : -1;
}
