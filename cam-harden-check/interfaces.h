/* interfaces: which are up, and which take in what is meant for others. */
#ifndef INTERFACES_H
#define INTERFACES_H
#include "evidence.h"
#include "where.h"

/* The keys "promisc", "ifaces" and "uplinks" of the group "net". 0, or -1: evidence full. */
int interfaces_collect(struct evidence *, const struct where *);
#endif
