/* Reads the links of /proc/PID/fd and /proc/PID/comm, of every process that lets itself be looked at; opens
 * none of what they lead to. */
#define _GNU_SOURCE
#include "socket-owners.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OWNERS_MAX = 4096 };

static void owner_note(struct socket_owners *o, const struct where *w, int pid, unsigned long inode)
{
	struct socket_owner *more;
	char path[64];
	size_t n;

	if (o->n == OWNERS_MAX || !(more = realloc(o->owner, (o->n + 1) * sizeof *more)))
		return;
	o->owner = more;
	o->owner[o->n] = (struct socket_owner){.inode = inode, .pid = pid};
	snprintf(path, sizeof path, "proc/%d/comm", pid);
	char *name = where_read(w, path, 4096, &n);
	if (name)
		snprintf(
		        o->owner[o->n].name, SOCKET_OWNER_NAME_BYTES, "%.*s", (int)strcspn(name, "\n"), name);
	free(name);
	o->n++;
}

static void owners_of_process(struct socket_owners *o, const struct where *w, int pid)
{
	char path[64], link[64];

	snprintf(path, sizeof path, "proc/%d/fd", pid);
	int fd = where_open(w, path, O_RDONLY | O_DIRECTORY);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	for (struct dirent *x; d && (x = readdir(d));) {
		ssize_t n = readlinkat(fd, x->d_name, link, sizeof link - 1);
		if (n > 8 && memcmp(link, "socket:[", 8) == 0) {
			link[n] = 0;
			owner_note(o, w, pid, strtoul(link + 8, NULL, 10));
		}
	}
	if (d)
		closedir(d);
	else if (fd >= 0)
		close(fd);
}

struct socket_owners socket_owners_find(const struct where *w)
{
	struct socket_owners o = {0};
	int fd = where_open(w, "proc", O_RDONLY | O_DIRECTORY);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	for (struct dirent *x; d && (x = readdir(d));)
		if (isdigit((unsigned char)x->d_name[0]))
			owners_of_process(&o, w, (int)strtol(x->d_name, NULL, 10));
	if (d)
		closedir(d);
	else if (fd >= 0)
		close(fd);
	return o;
}

void socket_owners_free(struct socket_owners *o)
{
	free(o->owner);
	*o = (struct socket_owners){0};
}

const char *socket_owner_text(
        const struct socket_owners *o, unsigned long inode, char out[SOCKET_OWNER_BYTES])
{
	for (size_t i = 0; i < o->n && inode; i++)
		if (o->owner[i].inode == inode) {
			snprintf(out, SOCKET_OWNER_BYTES, "%s[%d]", o->owner[i].name, o->owner[i].pid);
			return out;
		}
	return "owner unknown";
}
