/* recover: what an earlier run left in the spool. */
#ifndef RECOVER_H
#define RECOVER_H
#include "incoming.h"
#include "part.h"

/* Every NAME.part that begins with its own valid header is cut to its last whole record and published, as
 * truncated unless its end record is there. The newest unfinished one stays open in p, and in is ready for
 * its next record; p->fd is -1 when there is none. Files that are no segments are left alone and reported,
 * but an empty NAME.part is removed. -1: told to stop while the disk did not work. */
int recover(struct dir *d, struct part *p, struct incoming *in);

/* The name that a segment with this header has. */
void recover_name(struct name *out, const struct record_header *h);
#endif
