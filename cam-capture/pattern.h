/* pattern: a moving test picture with a clock in it. */
#ifndef PATTERN_H
#define PATTERN_H
#include "video.h"

struct pattern {
	uint32_t width, height;
	uint8_t *picture; /* planes Y, U, V without gaps */
	uint8_t *still;   /* what does not move, in the same shape */
	uint8_t *ramp;    /* a row of the moving ramp, twice as wide */
	uint8_t *grain;   /* noise to be laid over the ramp */
	uint32_t seed;
};

/* Sizes within the limits of video.h. 0, or -1 with errno. */
int pattern_open(struct pattern *p, uint32_t width, uint32_t height);
/* The picture of this moment: colour bars, a ball, a moving ramp with grain, and date, time and frame number.
 */
void pattern_draw(struct pattern *p, const struct stamp *stamp);
void pattern_lend(const struct pattern *p, struct frame *out);
void pattern_close(struct pattern *p);
#endif
