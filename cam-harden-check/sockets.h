/* sockets: who listens, who sniffs and who is connected, as /proc/net shows it (proc(5)); sock_diag(7) would
 * load modules to answer. */
#ifndef SOCKETS_H
#define SOCKETS_H
#include "evidence.h"
#include "where.h"

/* The keys "listen:...", "netlink:sockets" and "tcp-established" of the group "net", and those of
 * interfaces.h. Live only. 0, or -1: evidence full. */
int sockets_collect(struct evidence *, const struct where *);
#endif
