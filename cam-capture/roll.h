/* roll: which access units are recorded when only motion is: those from some seconds before it to some after,
 * beginning and ending at an IDR picture.
 *
 * What is not recorded is passed over in the numbers of frames, too: a reader sees a hole in the times, and
 * no frame lost. Holds at most the last seconds of access units; reads and writes nothing. */
#ifndef ROLL_H
#define ROLL_H
#include "au.h"

struct roll {
	uint64_t before_ns, after_ns;
	size_t limit_bytes, bytes;
	struct au *head, **end;
	bool recording;
	uint64_t until_ns; /* by the boot clock */
	uint32_t left_out; /* access units, so far */
};

void roll_init(struct roll *r, uint64_t before_ns, uint64_t after_ns, size_t limit_bytes);
/* Takes an access unit and whether something moves in it.
 * Then roll_take() has those to be written, oldest first, until it answers NULL. */
void roll_push(struct roll *r, struct au *au, bool moving);
struct au *roll_take(struct roll *r);
/* At the end: what is left was not recorded. */
void roll_clear(struct roll *r);
#endif
