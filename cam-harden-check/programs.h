/* programs: where the code comes from that every process of the device runs. */
#ifndef PROGRAMS_H
#define PROGRAMS_H
#include "evidence.h"
#include "where.h"

/* The keys "exe-device", "maps-device", "deleted-exe", "anon-exec" and "preload-env" of the group "exec":
 * those processes whose program or libraries are not on the root's filesystem, which is the one that
 * dm-verity checks. Live only. 0, or -1: evidence full. */
int programs_collect(struct evidence *, const struct where *);
#endif
