/* motion: how much of the picture moves, from a frame's luma on a coarse grid.
 *
 * Light that changes everywhere, by whatever curve, is taken out first; noise, of the sensor and of each
 * place (leaves, water), raises the threshold; what is left counts where it hangs together over several cells
 * and goes on for longer than any single sudden change can: a lamp, lightning or a drop does not. */
#ifndef MOTION_H
#define MOTION_H
#include "video.h"

enum { MOTION_MAX = 1000 };

struct motion;

/* NULL with errno. */
struct motion *motion_open(const struct video *v);
/* The next frame's score, 0 to MOTION_MAX: the square root of the share of the picture that moves, in
 * thousandths; 100 is a hundredth of the picture. */
uint16_t motion_score(struct motion *m, const struct frame *f);
void motion_close(struct motion *m);
#endif
