/* child: what a child process writes to a pipe, for as long as it may take. */
#ifndef CHILD_H
#define CHILD_H
#include <stddef.h>
#include <sys/types.h>

/* All of it, to be freed, with a NUL behind it, once the process has ended; closes fd. NULL: more than max
 * bytes, or it did not end within ms milliseconds, or no memory; *why says so. It is then told to end
 * (SIGTERM, so that it can clear away), then made to, and left behind if even that does not help. *status: as
 * of waitpid(), -1 when it was left behind. */
char *child_text(pid_t pid, int fd, size_t max, long ms, size_t *n, int *status, const char **why);
#endif
