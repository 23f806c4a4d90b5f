/* files: what lies in the filesystems that gives rights away, runs what it is told, or should not be on a
 * camera. */
#ifndef FILES_H
#define FILES_H
#include "evidence.h"
#include "where.h"

/* Before the sandbox. */
void files_open(const struct where *);
/* The group "exec" as far as it is about files, and the keys "ssh" and "discovery" of "net". Walks every
 * filesystem that holds files, one at a time (of an image, the tree), which takes as long as there are files:
 * a phase of its own. 0, or -1: evidence full. */
int files_collect(struct evidence *, const struct where *);
/* Nothing of it was looked at. */
int files_unseen(struct evidence *, const char *why);
#endif
