/* recipients: who may open what is sealed.
 *
 * A recipient is one public key, or a calendar of keys, one a month. Of a calendar the key of the current
 * month counts: the latest one that has begun, or the first one before that. */
#ifndef RECIPIENTS_H
#define RECIPIENTS_H
#include "record.h"

#include <stddef.h>
#include <stdint.h>

enum { RECIPIENTS_KEYS_MAX = 2048 };

struct recipients {
	size_t keys;
	struct {
		uint8_t pk[RECORD_PK_BYTES];
		unsigned month;     /* 12 * year + month - 1; 0: for always */
		unsigned recipient; /* whose key it is, from 0 */
	} key[RECIPIENTS_KEYS_MAX];
	unsigned n; /* recipients, 1..RECORD_RECIPIENTS_MAX */
};

/* The keys to seal to. */
struct recipients_set {
	size_t n;
	uint8_t pk[RECORD_RECIPIENTS_MAX][RECORD_PK_BYTES];
};

/* Adds the public keys of a file, each tried once: a low-order or repeated key is refused. NULL, or a reason;
 * then r is not to be used. Lines of rising months that follow each other are one recipient's calendar. */
const char *recipients_add(struct recipients *r, const char *path);
/* The keys for a month. Returns how many calendars have ended before it. */
unsigned recipients_choose(const struct recipients *r, unsigned month, struct recipients_set *out);
/* The month of a time. */
unsigned recipients_month(int64_t utc_ns);
#endif
