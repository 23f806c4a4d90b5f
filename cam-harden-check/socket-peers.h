/* socket-peers: with whom TCP is connected, in this network and in those of other processes. */
#ifndef SOCKET_PEERS_H
#define SOCKET_PEERS_H
#include "list.h"
#include "socket-line.h"
#include "socket-owners.h"
#include "where.h"

/* Adds the peer of a socket that is connected, unless by the loopback. */
void socket_peer_note(struct list *peers, const struct socket_owners *, const struct socket_line *);
/* Adds those of the networks besides the one that this runs in. */
void socket_peers_elsewhere(const struct where *, const struct socket_owners *, struct list *peers);
#endif
