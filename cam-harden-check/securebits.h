/* securebits: which of them whoever started this audit has handed on to it (capabilities(7)). */
#ifndef SECUREBITS_H
#define SECUREBITS_H
#include "evidence.h"
#include "where.h"

/* Asks the kernel, which the sandbox would not let. */
void securebits_open(const struct where *);
/* The key "securebits" of the group "exec": a list of their names. Live only. 0, or -1: evidence full. */
int securebits_collect(struct evidence *, const struct where *);
#endif
