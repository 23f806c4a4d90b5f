/* attempt: tries to run something that did not come with the image, in every way an intruder would, and says
 * what the kernel answered. Changes the device while it runs: only when asked for. */
#ifndef ATTEMPT_H
#define ATTEMPT_H
#include "evidence.h"
#include "where.h"

/* The keys "probe:..." of the group "exec": each is the list of places where something ran (or, for the
 * mappings, was mapped to be executed); where a place could not be tried, it was not seen. Copies this
 * program's own file to each writable mount, as ATTEMPT_NAME and a number, and removes it. Live only. 0, or
 * -1: evidence full. */
int attempt_collect(struct evidence *, const struct where *);
/* Nothing was tried. */
int attempt_unseen(struct evidence *, const char *why);
/* For main(): was this program started by an attempt? It then has to end with this code at once. */
int attempt_is_one(int argc, char **argv);

#define ATTEMPT_NAME ".cam-harden-check-attempt"
enum { ATTEMPT_RAN = 77 };
#endif
