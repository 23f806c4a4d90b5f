/* Reads the flags in /sys/class/net; asks no interface. Where they cannot be read, nothing was seen. */
#define _GNU_SOURCE
#include "interfaces.h"

#include "list.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	DIR *d = where_folder(w, "sys/class/net");
	char count[24];

	if (!d)
		return evidence_unseen(e, group, "promisc", "/sys/class/net cannot be listed") |
		       evidence_unseen(e, group, "ifaces", "/sys/class/net cannot be listed") |
		       evidence_unseen(e, group, "uplinks", "/sys/class/net cannot be listed");
	for (const char *name; (name = where_folder_next(d));) {
		bool seen;
		unsigned long flags = flags_read(w, name, &seen);
		if (!seen && errno == ENOTDIR)
			continue; /* bonding_masters and its like */
		if (!seen)
			list_unseen(&promisc, "the flags of an interface cannot be read");
		if (flags & FLAG_PROMISC)
			list_add(&promisc, "%s", name);
		if (flags & FLAG_UP && strcmp(name, "lo") != 0)
			list_add(&up, "%s", name);
	}
	if (errno)
		list_unseen(&promisc, "/sys/class/net cannot be listed whole");
	closedir(d);
	if (promisc.unseen)
		list_unseen(&up, promisc.unseen);
	snprintf(count, sizeof count, "%lu", up.n);
	int r = list_end(&promisc) | list_end(&up);
	return r | (up.unseen ? evidence_unseen(e, group, "uplinks", up.unseen)
	                      : evidence_fact(e, group, "uplinks", count, "/sys/class/net"));
}
