#include "recipients.h"

#include "keyfile.h"

#include <sodium.h>
#include <string.h>

static const char *check(const struct recipients *r)
{
	uint8_t box[RECORD_SEALED_BYTES], nothing[RECORD_SEALED_BYTES - crypto_box_SEALBYTES] = {0};

	for (size_t i = 0; i < r->n; i++) {
		if (crypto_box_seal(box, nothing, sizeof nothing, r->pk[i]) != 0)
			return "a key that anybody could open (low order)";
		for (size_t k = 0; k < i; k++)
			if (memcmp(r->pk[i], r->pk[k], RECORD_PK_BYTES) == 0)
				return "the same key twice";
	}
	return NULL;
}

const char *recipients_load(const char *path, struct recipients *out)
{
	struct keyfile_key key[RECORD_RECIPIENTS_MAX];
	struct recipients r = {0};
	const char *why = keyfile_load(path, KEYFILE_RECIPIENT, key, RECORD_RECIPIENTS_MAX, &r.n);

	if (why)
		return why;
	for (size_t i = 0; i < r.n; i++)
		memcpy(r.pk[i], key[i].pk, RECORD_PK_BYTES);
	if ((why = check(&r)))
		return why;
	*out = r;
	return NULL;
}
