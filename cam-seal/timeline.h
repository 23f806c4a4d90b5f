/* timeline: when each access unit is to be shown, in milliseconds from the first one, from the times in
 * cam-capture's messages. Dropped frames, gaps and restarts take as long as they took. */
#ifndef TIMELINE_H
#define TIMELINE_H
#include "sei.h"

#include <stdint.h>

struct timeline {
	int begun;
	struct sei last;
	uint64_t at_ns;
	int64_t last_ms;
	uint64_t frame_ns; /* for access units without a message */
};

void timeline_init(struct timeline *t, uint64_t frame_ns);
/* The next access unit's time; sei is NULL when it has no message. Always more than the one before. */
int64_t timeline_next_ms(struct timeline *t, const struct sei *sei);
#endif
