#define _GNU_SOURCE
#include "labels.h"

#include "list.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

enum { LABEL_BYTES_MAX = 4096 };

/* What the kernel gives a file whose label says nothing to it. */
static bool says_nothing(const char *label)
{
	return strstr(label, ":unlabeled_t") || strstr(label, ":file_t");
}

void labels_look(struct labels *l, int fd, const char *path)
{
	static char label[LABEL_BYTES_MAX];
	ssize_t n = fgetxattr(fd, "security.selinux", label, sizeof label - 1);

	if (n < 0 && errno != ENODATA) {
		if (errno != EOPNOTSUPP)
			l->unseen = "a label cannot be read";
		return;
	}
	label[n < 0 ? 0 : n] = 0;
	if (*label && !says_nothing(label)) {
		l->labelled++;
		return;
	}
	if (l->unlabelled++ < LABELS_NAMES_MAX)
		l->name[l->unlabelled - 1] = strdup(*path ? path : "/");
}

int labels_end(struct labels *l, struct evidence *e)
{
	struct list list = {e, "image", "unlabelled", "file walk", 0, l->unseen, 0};

	if (!l->labelled)
		list_unseen(&list, "not one file has a label: look at the image where it is mounted, or "
		                   "unpack it with its labels");
	for (unsigned long i = 0; i < l->unlabelled && l->labelled; i++)
		list_add(&list, "%s", i < LABELS_NAMES_MAX && l->name[i] ? l->name[i] : "?");
	for (size_t i = 0; i < LABELS_NAMES_MAX; i++)
		free(l->name[i]);
	*l = (struct labels){0};
	return list_end(&list);
}
