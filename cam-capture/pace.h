/* pace: when frames are due, and what time is stamped on them. */
#ifndef PACE_H
#define PACE_H
#include "video.h"

#include <stdint.h>

struct pace {
	uint32_t rate_num, rate_den;
	bool fast;            /* no waiting; stamps advance by the nominal interval */
	int64_t start_ns;     /* CLOCK_MONOTONIC at frame 0 */
	struct clocks clocks; /* the same moment */
};

void pace_start(struct pace *p, const struct video *v, bool fast);
/* CLOCK_MONOTONIC at which frame n is due. */
int64_t pace_due_ns(const struct pace *p, uint64_t n);
/* The last frame that is due at now_ns, which is not before frame 0. */
uint64_t pace_frame_at(const struct pace *p, int64_t now_ns);
/* Fills in out for frame n, captured now. */
void pace_stamp(const struct pace *p, uint64_t n, struct stamp *out);
#endif
