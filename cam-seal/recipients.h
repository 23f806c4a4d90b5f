/* recipients: who may open what is sealed. */
#ifndef RECIPIENTS_H
#define RECIPIENTS_H
#include "record.h"

#include <stddef.h>
#include <stdint.h>

struct recipients {
	size_t n; /* 1..RECORD_RECIPIENTS_MAX */
	uint8_t pk[RECORD_RECIPIENTS_MAX][RECORD_PK_BYTES];
};

/* The public keys of a file, each tried once: a low-order or repeated key is refused. NULL, or a reason;
 * then out is as it was. */
const char *recipients_load(const char *path, struct recipients *out);
#endif
