/* feeder: who holds the watchdog, and so decides when the device starts anew. */
#ifndef FEEDER_H
#define FEEDER_H
#include "evidence.h"
#include "where.h"

/* The key "watchdog.supervisor" of the group "watchdog": each process that has it open, with the service of
 * s6 that it is. Live only. 0, or -1: evidence full. */
int feeder_collect(struct evidence *, const struct where *);
#endif
