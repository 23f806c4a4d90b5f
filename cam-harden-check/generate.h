/* generate: the configuration that a policy asks for, each line with the id of its rule. */
#ifndef GENERATE_H
#define GENERATE_H
#include "policy.h"

#include <stdio.h>

enum {
	GENERATE_VALUE_BYTES_MAX = 2048, /* a command line of arm64 */
	GENERATE_LINE_BYTES_MAX = 2 * GENERATE_VALUE_BYTES_MAX + 512,
	GENERATE_OPERANDS_MAX = 64
};

/* The one line that fixes a rule. 0, or -1 when a line cannot (files, processes). */
int generate_line(const struct rule *, char *out, size_t max);

/* What only the owner of the device can know, as NAME=VALUE. */
struct operands {
	const char *name[GENERATE_OPERANDS_MAX], *value[GENERATE_OPERANDS_MAX];
	unsigned n;
};
/* -1: not NAME=VALUE, given twice, or too many. text is cut up. */
int operands_add(struct operands *, char *text);
const char *operand(const struct operands *, const char *name);
/* Is there a line, or a condition, for which it would be needed? */
int generate_asks(const struct policy *, const char *name);

/* what: kconfig, cmdline, sysctl, modprobe, nft, fstab. How many values are missing (said with msg()), or -1:
 * unknown. e tells which conditions hold: device facts, and what the policy itself expects of the kernel's
 * configuration. */
int generate(const char *what, const struct policy *, struct evidence *e, const struct operands *, FILE *);
#endif
