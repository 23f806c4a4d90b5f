/* firewall: the rules of the packet filter that are in force, and what else decides about packets. */
#ifndef FIREWALL_H
#define FIREWALL_H
#include "evidence.h"
#include "where.h"

/* Runs nft in a child that keeps CAP_NET_ADMIN and nothing else, and keeps what it prints. Before the
 * sandbox. */
void firewall_open(const struct where *);
/* The keys "nft:..." and "iptables-legacy" of the group "net", by running nft in a child that keeps
 * CAP_NET_ADMIN and nothing else. Live only. 0, or -1 when the evidence is full. */
int firewall_collect(struct evidence *, const struct where *);
#endif
