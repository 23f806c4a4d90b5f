/* evict: what makes room in a full spool. */
#ifndef EVICT_H
#define EVICT_H
#include "dir.h"

/* Unlinks the oldest .sent file, loudly. 1 done, 0 there is none, -1 with errno. */
int evict_oldest_sent(struct dir *d);
#endif
