/* Exponential backoff with full jitter: after an outage of a whole neighbourhood, cameras that wait evenly
 * spread times do not come back all at once. Holds the state of one outage; reads and writes nothing but
 * messages. */
#define _GNU_SOURCE
#include "backoff.h"

#include "msg.h"
#include "number.h"
#include "truetime.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

int64_t backoff_ceiling_ms(unsigned failures)
{
	int64_t ms = BACKOFF_BASE_MS;
	for (unsigned i = 1; i < failures && ms < BACKOFF_CAP_MS; i++)
		ms *= 2;
	return ms < BACKOFF_CAP_MS ? ms : BACKOFF_CAP_MS;
}

static int64_t delay_ms(unsigned failures, int64_t retry_after_s)
{
	int64_t ms = randombytes_uniform((uint32_t)backoff_ceiling_ms(failures) + 1);
	if (retry_after_s > BACKOFF_RETRY_AFTER_MAX_S)
		retry_after_s = BACKOFF_RETRY_AFTER_MAX_S;
	/* Jitter comes on top: all were told the same number. */
	return retry_after_s > 0 ? retry_after_s * 1000 + randombytes_uniform(BACKOFF_BASE_MS) : ms;
}

/* The bytes of a number that stands before a unit ("after 3007 ms", "is 1201 s off"), else 0. */
static size_t quantity(const char *s)
{
	size_t n = strspn(s, "0123456789");
	return n && s[n] == ' ' && s[n + 1] >= 'a' && s[n + 1] <= 'z' ? n : 0;
}

/* How long it took this time, or how much came, makes no new reason. */
static int same_reason(const char *a, const char *b)
{
	while (*a && *b) {
		size_t in_a = quantity(a), in_b = quantity(b);
		if (in_a && in_b) {
			a += in_a;
			b += in_b;
		} else if (*a++ != *b++) {
			return 0;
		}
	}
	return *a == *b;
}

/* One line per change of state: a new reason in the same outage is a change, a retry is none. Reasons that
 * alternate must not turn into a line per retry, so after a few they are spaced out. */
static int worth_saying(const struct backoff *b, int64_t now_ms, const char *why)
{
	if (!b->lines)
		return 1;
	if (same_reason(b->said, why))
		return 0;
	return b->lines < BACKOFF_LINES_MAX || now_ms - b->said_ms >= BACKOFF_LINES_MS;
}

void backoff_failed(
        struct backoff *b, int64_t now_ms, int64_t retry_after_s, const char *target, const char *long_why)
{
	char why[sizeof b->said];

	snprintf(why, sizeof why, "%s", long_why);
	if (!b->failures)
		b->since_ms = now_ms;
	if (worth_saying(b, now_ms, why)) {
		msg("%s: %s: %s", target, b->lines ? "still unavailable" : "unavailable", why);
		snprintf(b->said, sizeof b->said, "%s", why);
		b->said_ms = now_ms;
		b->lines++;
	}
	b->failures++;
	b->until_ms = now_ms + delay_ms(b->failures, retry_after_s);
}

void backoff_extend(struct backoff *b, int64_t now_ms, int64_t retry_after_s)
{
	if (retry_after_s <= 0)
		return;
	int64_t until_ms = now_ms + delay_ms(b->failures, retry_after_s);
	b->until_ms = until_ms > b->until_ms ? until_ms : b->until_ms;
}

void backoff_ended(struct backoff *b, int64_t now_ms, const char *target)
{
	if (b->failures)
		msg("%s: reachable again after %.1f s, %u %s", target, (double)(now_ms - b->since_ms) / 1000,
		        b->failures, b->failures == 1 ? "retry" : "retries");
	memset(b, 0, sizeof *b);
}

int64_t backoff_retry_after_s(const char *value, int64_t now_s)
{
	uint64_t seconds;

	if (number_parse(value, 0, INT64_MAX, &seconds) == 0)
		return (int64_t)seconds;
	/* More digits than fit are still a request to wait long. */
	if (errno == ERANGE)
		return INT64_MAX;
	int64_t at_s = truetime_http_date_s(value);
	if (at_s < 0)
		return -1;
	return at_s > now_s ? at_s - now_s : 0;
}
