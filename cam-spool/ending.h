/* ending: the segment that has ended, until it is durable, visible and known: then its name is said.
 *
 * One at a time, so that names come in the order of recording; the next segment is written meanwhile. Here is
 * also what the syncer does for that one, since it has one job at a time: the ending segment goes first.
 * Functions return 0, or -1: told to stop while the disk did not work. */
#ifndef ENDING_H
#define ENDING_H
#include "part.h"
#include "room.h"

struct ending {
	struct part part; /* fd -1: none */
	struct part *open;
	struct syncer *syncer;
	struct room *room;
	bool failing;  /* the syncer could not publish it: that is being tried without it */
	bool complete; /* its end record is there */
	uint32_t last; /* its last record */
};

void ending_init(struct ending *e, struct part *open, struct syncer *s, struct room *r);
/* The open segment, if there is one, becomes the ending one, and none is open. Waits for one before it. */
int ending_take(struct ending *e, bool complete, uint32_t last);
/* Gives the ending segment to the syncer, if it waits for that and the syncer is not busy. */
void ending_go_on(struct ending *e);
/* Gives the open segment to the syncer, unless the syncer is busy. */
void ending_sync_open(struct ending *e);
/* Only when the syncer is busy: waits for its answer, and does what follows from it. */
int ending_answer(struct ending *e);
/* Until no segment is ending and the syncer is not busy. */
int ending_wait(struct ending *e);
#endif
