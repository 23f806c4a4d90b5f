#define _GNU_SOURCE
#include "name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const uint64_t utc_s_max = 253402300799; /* 9999-12-31T23:59:59Z */
static const char *const suffixes[] = {
        [NAME_PART] = ".part", [NAME_CAM] = ".cam", [NAME_SENT] = ".sent", [NAME_GONE] = ".gone"};

static void utc_fields(const struct name *n, struct tm *tm)
{
	time_t t = (time_t)(n->utc_s > utc_s_max ? utc_s_max : n->utc_s);
	gmtime_r(&t, tm);
}

void name_put(char out[NAME_BYTES_MAX], const struct name *n)
{
	struct tm tm;
	char utc[24];

	utc_fields(n, &tm);
	strftime(utc, sizeof utc, "%Y%m%dT%H%M%SZ", &tm);
	int at = snprintf(out, NAME_BYTES_MAX, "%010llu-%010lu-%s-", (unsigned long long)n->epoch,
	        (unsigned long)n->segment, utc);
	for (int i = 0; i < NAME_STREAM_BYTES; i++)
		at += snprintf(out + at, NAME_BYTES_MAX - (size_t)at, "%02x", n->stream[i]);
	snprintf(out + at, NAME_BYTES_MAX - (size_t)at, "%s", suffixes[n->state]);
}

void name_date(char out[11], const struct name *n)
{
	struct tm tm;
	utc_fields(n, &tm);
	strftime(out, 11, "%Y-%m-%d", &tm);
}

/* n digits at *s, or as many as there are when n is 0 (10 to 20). */
static int digits(const char **s, size_t n, uint64_t *out)
{
	size_t have = strspn(*s, "0123456789");
	uint64_t v = 0;

	if (n ? have < n : have < 10 || have > 20)
		return -1;
	for (size_t i = 0; i < (n ? n : have); i++) {
		uint64_t digit = (uint64_t)((*s)[i] - '0');
		if (v > (UINT64_MAX - digit) / 10)
			return -1;
		v = v * 10 + digit;
	}
	*s += n ? n : have;
	*out = v;
	return 0;
}

static int literal(const char **s, char c)
{
	if (**s != c)
		return -1;
	(*s)++;
	return 0;
}

static int utc_parse(const char **s, uint64_t *out)
{
	static const struct {
		size_t n;
		char after;
	} part[] = {{4, 0}, {2, 0}, {2, 'T'}, {2, 0}, {2, 0}, {2, 'Z'}};
	uint64_t v[6];

	for (int i = 0; i < 6; i++)
		if (digits(s, part[i].n, &v[i]) < 0 || (part[i].after && literal(s, part[i].after) < 0))
			return -1;
	struct tm tm = {.tm_year = (int)v[0] - 1900,
	        .tm_mon = (int)v[1] - 1,
	        .tm_mday = (int)v[2],
	        .tm_hour = (int)v[3],
	        .tm_min = (int)v[4],
	        .tm_sec = (int)v[5]};
	time_t t = timegm(&tm);
	if (t < 0)
		return -1;
	*out = (uint64_t)t;
	return 0;
}

static int hex_parse(const char **s, uint8_t out[NAME_STREAM_BYTES])
{
	for (int i = 0; i < NAME_STREAM_BYTES; i++) {
		if (strspn(*s, "0123456789abcdef") < 2)
			return -1;
		char pair[3] = {(*s)[0], (*s)[1], 0};
		out[i] = (uint8_t)strtoul(pair, NULL, 16);
		*s += 2;
	}
	return 0;
}

int name_parse(const char *text, struct name *out)
{
	struct name n = {0};
	const char *s = text;
	uint64_t segment;
	char again[NAME_BYTES_MAX];

	if (digits(&s, 0, &n.epoch) < 0 || literal(&s, '-') < 0 || digits(&s, 10, &segment) < 0 ||
	        segment > UINT32_MAX || literal(&s, '-') < 0 || utc_parse(&s, &n.utc_s) < 0 ||
	        literal(&s, '-') < 0 || hex_parse(&s, n.stream) < 0)
		return -1;
	n.segment = (uint32_t)segment;
	for (n.state = NAME_PART; n.state <= NAME_GONE; n.state++)
		if (strcmp(s, suffixes[n.state]) == 0)
			break;
	if (n.state > NAME_GONE)
		return -1;
	name_put(again, &n);
	if (strcmp(again, text) != 0)
		return -1;
	*out = n;
	return 0;
}

int name_compare(const struct name *a, const struct name *b)
{
	if (a->epoch != b->epoch)
		return a->epoch < b->epoch ? -1 : 1;
	if (a->segment != b->segment)
		return a->segment < b->segment ? -1 : 1;
	return memcmp(a->stream, b->stream, sizeof a->stream);
}
