/* A bucket of tokens that holds an eighth of a second: what was not used before is not made up for later.
 * Reads and writes nothing. */
#include "cap.h"

#include "number.h"

#include <string.h>

enum {
	LEAST_BYTES = 1024,
	DEPTH_BYTES = 4096
}; /* that are given at once; that can be saved up at any rate */

int cap_parse(struct cap *c, const char *text)
{
	static const char suffixes[] = "kMG";
	char digits[24];
	size_t n = strlen(text);
	unsigned shift = 0;
	uint64_t v;

	const char *suffix = n ? strchr(suffixes, text[n - 1]) : NULL;
	if (suffix) {
		shift = 10 * (unsigned)(suffix - suffixes + 1);
		n--;
	}
	if (n >= sizeof digits)
		return -1;
	memcpy(digits, text, n);
	digits[n] = 0;
	const uint64_t most = (uint64_t)1 << 40;
	if (number_parse(digits, 1, most >> shift, &v) < 0 || v << shift < LEAST_BYTES)
		return -1;
	*c = (struct cap){.rate = v << shift};
	return 0;
}

static uint64_t depth(const struct cap *c)
{
	return c->rate / 8 > DEPTH_BYTES ? c->rate / 8 : DEPTH_BYTES;
}

void cap_earn(struct cap *c, int64_t now_ns)
{
	const int64_t second_ns = 1000000000;

	if (!c->rate)
		return;
	if (!c->at_ns || now_ns - c->at_ns > second_ns)
		c->at_ns = now_ns - second_ns * (c->at_ns != 0);
	uint64_t earned = (uint64_t)((double)c->rate * (double)(now_ns - c->at_ns) / (double)second_ns);
	c->room = c->room + earned < depth(c) ? c->room + earned : depth(c);
	/* Less than a byte's time is left over for the next time. */
	c->at_ns += (int64_t)((double)earned / (double)c->rate * (double)second_ns);
}

/* No trickle of tiny records, nor of wake-ups. */
static uint64_t least(const struct cap *c)
{
	return depth(c) / 4 > LEAST_BYTES ? depth(c) / 4 : LEAST_BYTES;
}

size_t cap_take(struct cap *c, size_t want)
{
	size_t n = want;

	if (c->rate) {
		if (c->room < (want < least(c) ? want : least(c)))
			return 0;
		n = want < c->room ? want : (size_t)c->room;
		c->room -= n;
	}
	c->sent += n;
	return n;
}

int64_t cap_wait_ms(const struct cap *c)
{
	if (!c->rate || c->room >= least(c))
		return 1;
	return (int64_t)((least(c) - c->room) * 1000 / c->rate) + 1;
}
