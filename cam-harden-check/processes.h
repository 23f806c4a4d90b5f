/* processes: what every process of the camera is, may and holds, and what runs besides. */
#ifndef PROCESSES_H
#define PROCESSES_H
#include "evidence.h"
#include "where.h"

/* The group "process". Each key is the list of those that are not as they should be, named with process and
 * thread, so that an empty list is good; "running" lists the tools that run, and where none does, nothing
 * else was seen. Live only. 0, or -1: evidence full. */
int processes_collect(struct evidence *, const struct where *);
#endif
