/* clock: whether the kernel takes its clock for right (adjtimex(2)). */
#ifndef CLOCK_H
#define CLOCK_H
#include "evidence.h"
#include "where.h"

/* Asks the kernel, which the sandbox would not let. */
void clock_open(const struct where *);
/* The key "clock" of the group "integrity". Live only. 0, or -1: evidence full. */
int clock_collect(struct evidence *, const struct where *);
#endif
