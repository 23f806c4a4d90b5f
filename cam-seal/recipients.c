#define _GNU_SOURCE
#include "recipients.h"

#include "keyfile.h"

#include <sodium.h>
#include <string.h>
#include <time.h>

static int low_order(const uint8_t pk[RECORD_PK_BYTES])
{
	uint8_t box[RECORD_SEALED_BYTES], nothing[RECORD_SEALED_BYTES - crypto_box_SEALBYTES] = {0};
	return crypto_box_seal(box, nothing, sizeof nothing, pk) != 0;
}

static const char *key_add(struct recipients *r, const struct keyfile_key *key, int goes_on)
{
	if (low_order(key->pk))
		return "a key that anybody could open (low order)";
	for (size_t i = 0; i < r->keys; i++)
		if (memcmp(r->key[i].pk, key->pk, RECORD_PK_BYTES) == 0)
			return "the same key twice";
	if (r->keys == RECIPIENTS_KEYS_MAX)
		return "too many keys";
	if (!goes_on && r->n == RECORD_RECIPIENTS_MAX)
		return "more than 32 recipients";
	if (!goes_on)
		r->n++;
	memcpy(r->key[r->keys].pk, key->pk, RECORD_PK_BYTES);
	r->key[r->keys].month = key->month;
	r->key[r->keys].recipient = r->n - 1;
	r->keys++;
	return NULL;
}

const char *recipients_add(struct recipients *r, const char *path)
{
	static struct keyfile_key key[KEYFILE_MONTHS_MAX];
	unsigned before = 0;
	size_t n;
	const char *why = keyfile_load(path, KEYFILE_RECIPIENT, key, KEYFILE_MONTHS_MAX, &n);

	for (size_t i = 0; !why && i < n; i++) {
		why = key_add(r, &key[i], before && key[i].month > before);
		before = key[i].month;
	}
	return why;
}

unsigned recipients_choose(const struct recipients *r, unsigned month, struct recipients_set *out)
{
	unsigned ended = 0;

	memset(out, 0, sizeof *out);
	out->n = r->n;
	for (size_t i = 0; i < r->keys; i++) {
		unsigned who = r->key[i].recipient;
		int first = !i || r->key[i - 1].recipient != who,
		    last = i + 1 == r->keys || r->key[i + 1].recipient != who;
		if (first || r->key[i].month <= month)
			memcpy(out->pk[who], r->key[i].pk, RECORD_PK_BYTES);
		ended += last && r->key[i].month && r->key[i].month < month;
	}
	return ended;
}

unsigned recipients_month(int64_t utc_ns)
{
	time_t t = (time_t)(utc_ns / 1000000000);
	struct tm tm;

	if (utc_ns < 0 || !gmtime_r(&t, &tm))
		return 0;
	return 12 * (unsigned)(tm.tm_year + 1900) + (unsigned)tm.tm_mon;
}
