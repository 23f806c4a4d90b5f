/* rollback: is what runs older than a counter in the TPM says it has to be? */
#ifndef ROLLBACK_H
#define ROLLBACK_H
#include "evidence.h"
#include "where.h"

#include <stddef.h>
#include <stdint.h>

/* Where the owner of the TPM keeps the counter: the first but one of the indices that are an owner's (TCG
 * Registry of Reserved TPM 2.0 Handles, 0x01800000 and up). */
#define ROLLBACK_INDEX "0x1800001"

enum rollback_counter {
	ROLLBACK_COUNTER, /* it is there, and has been raised */
	ROLLBACK_NONE,    /* no such index */
	ROLLBACK_ANOTHER, /* one that is no counter, so that it can be put back, or was never raised */
	ROLLBACK_UNKNOWN, /* not understood */
};

/* What "tpm2_nvreadpublic" printed, with a NUL behind it. */
enum rollback_counter rollback_index_parse(const char *text);
/* The number after IMAGE_VERSION= in the text of an os-release(5). 0, or -1: none, or no whole number. */
int rollback_version_parse(const char *text, uint64_t *out);

/* Before the sandbox: runs tpm2-tools, when there is a TPM. */
void rollback_open(const struct where *);
/* The key "rollback" of the group "integrity". Live only. 0, or -1: evidence full. */
int rollback_collect(struct evidence *, const struct where *);
#endif
