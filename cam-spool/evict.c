#define _GNU_SOURCE
#include "evict.h"

#include "msg.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

struct oldest {
	struct name name;
	bool found;
};

static void consider(void *arg, const char *entry)
{
	struct oldest *o = arg;
	struct name n;

	if (name_parse(entry, &n) < 0 || n.state != NAME_SENT ||
	        (o->found && name_compare(&n, &o->name) >= 0))
		return;
	o->name = n;
	o->found = true;
}

int evict_oldest_sent(struct dir *d)
{
	struct oldest o = {.found = false};
	char text[NAME_BYTES_MAX];

	if (dir_each(d, consider, &o) < 0) {
		msg_errno("looking for stored segments to remove");
		return -1;
	}
	if (!o.found)
		return 0;
	name_put(text, &o.name);
	if (unlinkat(d->fd, text, 0) < 0) {
		if (errno == ENOENT)
			return 1;
		msg_errno("%s: cannot be removed to make room", text);
		return -1;
	}
	msg("%s: removed to make room: the disk is full (it is stored remotely)", text);
	return 1;
}
