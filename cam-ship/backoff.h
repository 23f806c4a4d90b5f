/* backoff: when to try a server again, and what is said about an outage. */
#ifndef BACKOFF_H
#define BACKOFF_H
#include <stdint.h>

enum {
	BACKOFF_BASE_MS = 1000,
	BACKOFF_CAP_MS = 60000,
	BACKOFF_RETRY_AFTER_MAX_S = 300, /* a server that asks for more is asked again sooner */
	BACKOFF_WHY_BYTES = 256,
	BACKOFF_LINES_MAX = 5, /* messages about new reasons in one outage before they are spaced out */
	BACKOFF_LINES_MS = 60000,
};

struct backoff {
	unsigned failures; /* in a row; 0 means the server is well */
	int64_t since_ms;  /* of the first of them */
	int64_t until_ms;  /* no attempt before this */
	unsigned lines;
	int64_t said_ms;
	char said[BACKOFF_WHY_BYTES];
};

/* The longest delay after so many failures in a row (1, 2, ...). The delay is drawn evenly from 0 to it. */
int64_t backoff_ceiling_ms(unsigned failures);

/* An attempt failed because of the server or the network. retry_after_s: what it asked for, or -1. Says why,
 * once for each new reason. */
void backoff_failed(
        struct backoff *b, int64_t now_ms, int64_t retry_after_s, const char *target, const char *why);

/* What the server asked for is heeded, and nothing is counted: an attempt failed that began before the last
 * failure was counted, or it got through. */
void backoff_extend(struct backoff *b, int64_t now_ms, int64_t retry_after_s);

/* An attempt got through: says so if there was an outage. */
void backoff_ended(struct backoff *b, int64_t now_ms, const char *target);

/* The value of a Retry-After header (RFC 9110, 10.2.3), seconds or HTTP-date, as seconds from now_s, 0 or
 * more, not capped; -1 when it is neither. */
int64_t backoff_retry_after_s(const char *value, int64_t now_s);
#endif
