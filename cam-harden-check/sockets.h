/* sockets: who listens, who sniffs and who is connected, as /proc/net shows it (proc(5)); sock_diag(7) would
 * load modules to answer. */
#ifndef SOCKETS_H
#define SOCKETS_H
#include "evidence.h"
#include "where.h"

#include <stdbool.h>

enum { SOCKET_ADDRESS_BYTES = 64 };

struct socket_line {
	char local[SOCKET_ADDRESS_BYTES], remote[SOCKET_ADDRESS_BYTES]; /* ADDRESS:PORT */
	bool loopback;                                                  /* the local address */
	bool connected;                                                 /* has a remote one */
	unsigned state;
	unsigned long uid, inode;
};

/* One line of /proc/net/tcp and its like; v6: of tcp6. 0, or -1 when it is none. */
int socket_line_parse(const char *line, bool v6, struct socket_line *out);

/* The keys "listen:...", "netlink:sockets", "tcp-established", "promisc" and "uplinks" of the group "net".
 * Live only. 0, or -1: evidence full. */
int sockets_collect(struct evidence *, const struct where *);
#endif
