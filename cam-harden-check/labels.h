/* labels: which files of a walk have no label of SELinux. */
#ifndef LABELS_H
#define LABELS_H
#include "evidence.h"

enum { LABELS_NAMES_MAX = 200 };

struct labels {
	unsigned long labelled, unlabelled;
	char *name[LABELS_NAMES_MAX]; /* of the first ones without */
	const char *unseen;           /* why not all of them were seen, or NULL */
};

/* An open file or folder. A filesystem that cannot hold labels has none to be missed. */
void labels_look(struct labels *, int fd, const char *path);
/* The key "unlabelled" of the group "image". Where not one file has a label, the tree has lost them, and
 * nothing is known. Frees what it holds. 0, or -1: evidence full. */
int labels_end(struct labels *, struct evidence *);
#endif
