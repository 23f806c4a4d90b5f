/* sensortime: when a frame was taken, by the clocks that are stamped on it. */
#ifndef SENSORTIME_H
#define SENSORTIME_H
#include "clocks.h"

#include <stdbool.h>

/* All clocks of one moment. */
struct moment {
	int64_t monotonic_ns; /* CLOCK_MONOTONIC: does not count while the machine sleeps */
	struct clocks clocks;
};

void moment_now(struct moment *);
/* The clocks when the sensor said timestamp_ns, as seen from a moment after that. Drivers use CLOCK_MONOTONIC
 * or CLOCK_BOOTTIME and do not say which: it is the one by which the frame is not older than a few seconds.
 * False when it is neither: then the moment itself is taken. after_boot_ns: of the frame before; the result
 * is later than that. */
bool sensortime_clocks(
        int64_t timestamp_ns, const struct moment *seen, uint64_t after_boot_ns, struct clocks *out);
#endif
