/* socket-owners: which process has a socket open. */
#ifndef SOCKET_OWNERS_H
#define SOCKET_OWNERS_H
#include "where.h"

#include <stddef.h>

enum { SOCKET_OWNER_NAME_BYTES = 32, SOCKET_OWNER_BYTES = SOCKET_OWNER_NAME_BYTES + 16 };

struct socket_owner {
	unsigned long inode;
	int pid;
	char name[SOCKET_OWNER_NAME_BYTES];
};

struct socket_owners {
	struct socket_owner *owner;
	size_t n;
};

/* Those that can be seen: names are for people, a verdict never depends on them. */
struct socket_owners socket_owners_find(const struct where *);
void socket_owners_free(struct socket_owners *);
/* NAME[PID] in out, or that it is not known. */
const char *socket_owner_text(
        const struct socket_owners *, unsigned long inode, char out[SOCKET_OWNER_BYTES]);
#endif
