/* daemons: is one of these programs running, and with which arguments. */
#ifndef DAEMONS_H
#define DAEMONS_H
#include "where.h"

#include <sys/types.h>

enum { DAEMONS_NAME_BYTES = 16, DAEMONS_ARGUMENT_BYTES = 256 };

struct daemon {
	pid_t pid;
	char name[DAEMONS_NAME_BYTES]; /* as the kernel has it: 15 bytes of it */
};

/* Those of names, ended by NULL, that run; at most max of them, in the order of their numbers. How many, or
 * -1: not every process could be looked at, and *why. */
int daemons_find(
        const struct where *w, const char *const *names, struct daemon *out, int max, const char **why);
/* What stands behind the n-th time that the option -LETTER is given, also within the same word. 1, 0: it is
 * not given so often, -1: cannot be read. */
int daemons_argument(
        const struct where *w, pid_t pid, char letter, int nth, char out[DAEMONS_ARGUMENT_BYTES]);
/* Each argument but the first, which may be cut up. 0, or -1: cannot be read. */
int daemons_arguments(const struct where *w, pid_t pid, void (*take)(char *, void *), void *arg);
#endif
