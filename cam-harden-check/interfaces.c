/* Reads the flags in /sys/class/net; asks no interface. Where they cannot be read, nothing was seen. */
#define _GNU_SOURCE
#include "interfaces.h"

#include "list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FLAG_UP = 1, FLAG_PROMISC = 0x100 };

static const char group[] = "net";

static unsigned long flags_read(const struct where *w, const char *name, bool *seen)
{
	char path[300];
	size_t n;

	snprintf(path, sizeof path, "sys/class/net/%.255s/flags", name);
	char *s = where_read(w, path, 64, &n);
	unsigned long flags = s ? strtoul(s, NULL, 0) : 0;
	*seen = s != NULL;
	free(s);
	return flags;
}

int interfaces_collect(struct evidence *e, const struct where *w)
{
	struct list promisc = {e, group, "promisc", "/sys/class/net", 0, NULL, 0};
	struct list up = {e, group, "ifaces", "/sys/class/net", 0, NULL, 0};
	int fd = where_open(w, "sys/class/net", O_RDONLY | O_DIRECTORY);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	char count[24];

	if (!d && fd >= 0)
		close(fd);
	if (!d)
		return evidence_unseen(e, group, "promisc", "/sys/class/net cannot be listed") |
		       evidence_unseen(e, group, "ifaces", "/sys/class/net cannot be listed") |
		       evidence_unseen(e, group, "uplinks", "/sys/class/net cannot be listed");
	for (struct dirent *x; (x = readdir(d));) {
		bool seen;
		if (x->d_name[0] == '.')
			continue;
		unsigned long flags = flags_read(w, x->d_name, &seen);
		if (!seen && errno == ENOTDIR)
			continue; /* bonding_masters and its like */
		if (!seen)
			list_unseen(&promisc, "the flags of an interface cannot be read");
		if (flags & FLAG_PROMISC)
			list_add(&promisc, "%s", x->d_name);
		if (flags & FLAG_UP && strcmp(x->d_name, "lo") != 0)
			list_add(&up, "%s", x->d_name);
	}
	closedir(d);
	if (promisc.unseen)
		list_unseen(&up, promisc.unseen);
	snprintf(count, sizeof count, "%lu", up.n);
	int r = list_end(&promisc) | list_end(&up);
	return r | (up.unseen ? evidence_unseen(e, group, "uplinks", up.unseen)
	                      : evidence_fact(e, group, "uplinks", count, "/sys/class/net"));
}
