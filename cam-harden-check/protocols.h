/* protocols: which families of sockets this kernel really offers, and which it could load. */
#ifndef PROTOCOLS_H
#define PROTOCOLS_H
#include "evidence.h"
#include "where.h"

/* Tries them. Before the sandbox, which knows no sockets. */
void protocols_open(const struct where *);
/* The keys "registered", "families", "transports" and "loadable" of the group "proto". Making a socket of a
 * family asks the kernel to load its module, and an audit must not do that: families are tried only where
 * nothing can be loaded. 0, or -1: evidence full. */
int protocols_collect(struct evidence *, const struct where *);
#endif
