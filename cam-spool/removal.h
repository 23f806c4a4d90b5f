/* removal: what goes when room is made, and in which order. The half of room.h that knows names; used by
 * room.c only. */
#ifndef REMOVAL_H
#define REMOVAL_H
#include "room.h"

void removal_init(struct room *r);
/* Counts what is in the directory, and finds the oldest names again. */
void removal_scan(struct room *r);
/* Removes one: the oldest that is stored, else (unless it is to be kept) the oldest that is not. 1 done, 0
 * there is nothing to remove, -1 with errno: it cannot be removed now. */
int removal_next(struct room *r);
/* Is there one that is stored; one that is not? */
bool removal_sent_waits(struct room *r);
bool removal_cam_waits(struct room *r);
/* Says what was removed since it was said last: at once, or when a second has passed. */
void removal_tell(struct room *r, bool at_once);

/* In room.c: a file of so many bytes is about to be unlinked; was unlinked. */
void room_freeing(struct room *r);
void room_freed(struct room *r, uint64_t bytes);
#endif
