/* tpm-tool: asks the TPM by a program of tpm2-tools, before the sandbox. */
#ifndef TPM_TOOL_H
#define TPM_TOOL_H
#include "where.h"

#include <stdbool.h>
#include <stddef.h>

/* Is there a TPM to ask? */
bool tpm_tool_may(const struct where *);
/* What the program argv[0] printed, with a NUL behind it, to be freed. NULL: it is not there or not root's
 * own, failed, printed too much, or took too long. */
char *tpm_tool_read(const char *const argv[], size_t *n);
#endif
