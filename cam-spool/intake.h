/* intake: bytes from stdin, which leave a pipe only when what they make up has been dealt with.
 *
 * The pipe outlives us: what is still in it when we are killed is read by the next run. So a pipe is looked
 * at with tee(2), the records that begin in front of it are written to their file, and only then are their
 * bytes taken out; a record that the next run sees again is repeated and passed over. From anything else than
 * a pipe one record at a time is read, which a killed process takes with it. */
#ifndef INTAKE_H
#define INTAKE_H
#include "incoming.h"

#include <sys/types.h>

enum { INTAKE_LOOK_MS = 50, INTAKE_LOOKS_MAX = 20 };

struct intake {
	struct incoming *in;
	int copy[2]; /* the pipe that tee() fills; -1: stdin is no pipe */
	size_t seen; /* bytes of the last look */
	/* So many times nothing could be decided about what is in the pipe: more has to come, which poll(2)
	 * cannot wait for. Look again after INTAKE_LOOK_MS. */
	unsigned looks;
};

/* -1 with errno. */
int intake_init(struct intake *k, struct incoming *in);
/* Puts at most limit bytes into in. How many, 0 at the end, -1 with errno. */
ssize_t intake_look(struct intake *k, size_t limit);
/* After incoming_pull() has nothing more: how many bytes are done with, 0 when looking again may help. What
 * cannot be decided is then kept in in, out of the pipe, when it was looked at often enough, when nobody
 * writes any more, or at once. */
size_t intake_taken(struct intake *k, bool at_once);
#endif
