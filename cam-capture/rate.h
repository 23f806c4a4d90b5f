/* rate: the frames per second of a camera that does not say. */
#ifndef RATE_H
#define RATE_H
#include <stdint.h>

/* Frames per second as a fraction, of intervals between frames that took ns together: a whole number when it
 * is within one percent of one, else thousandths. Between the limits of video.h. */
void rate_measured(unsigned intervals, int64_t ns, uint32_t *num, uint32_t *den);
#endif
