/* tpm-owner: who may do what an owner of the TPM may: take its counter away, clear it, guess. */
#ifndef TPM_OWNER_H
#define TPM_OWNER_H
#include "evidence.h"
#include "where.h"

enum { TPM_OWNER_OPEN = 1, TPM_LOCKOUT_OPEN = 2, TPM_GUESSES_FREE = 4 };

/* What "tpm2_getcap properties-variable" printed, with a NUL behind it: which of these are so, or -1: not
 * understood. */
int tpm_owner_parse(const char *text);

/* Before the sandbox: runs tpm2-tools, when there is a TPM. */
void tpm_owner_open(const struct where *);
/* The key "tpm.unowned" of the group "integrity". Live only. 0, or -1: evidence full. */
int tpm_owner_collect(struct evidence *, const struct where *);
#endif
