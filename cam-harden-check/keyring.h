/* keyring: what the running kernel trusts: the certificates that it was built with, and those that came
 * later. */
#ifndef KEYRING_H
#define KEYRING_H
#include "evidence.h"
#include "where.h"

#include <stdbool.h>

enum { KEYRING_TYPE_BYTES = 16 };

/* One line of /proc/keys. */
struct key_line {
	char type[KEYRING_TYPE_BYTES]; /* of at most nine letters, as the kernel prints it: "keyring",
	                                  "asymmetri" */
	unsigned long uid;
	const char *description; /* the rest of the line, in it */
};

/* 0, or -1: not such a line. */
int key_line_parse(const char *line, struct key_line *out);
/* How many keys a keyring has, by its description "NAME: COUNT" or "NAME: empty"; -1: it has another name. */
long keyring_keys(const char *description, const char *name);

/* keyring.certificates, keyring.count and keyring.added of the group "integrity". 0, or -1: evidence full. */
int keyring_collect(struct evidence *, const struct where *);
#endif
