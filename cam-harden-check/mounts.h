/* mounts: what is mounted where and with which options, and where memory is swapped to. */
#ifndef MOUNTS_H
#define MOUNTS_H
#include "evidence.h"
#include "where.h"

/* The group "mount". Of each place that matters the options of the mount it lies on, in one order and only
 * those that matter: ro or rw, nosuid, nodev, noexec, hidepid=. Live only. 0, or -1: evidence full. */
int mounts_collect(struct evidence *, const struct where *);
#endif
