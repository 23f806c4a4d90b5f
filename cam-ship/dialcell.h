/* dialcell: what the dialer gives up, in three steps. */
#ifndef DIALCELL_H
#define DIALCELL_H
#include <netdb.h>

/* The process that waits and forks: nothing but what a dial needs. */
void dialcell_waiting(unsigned port);
/* One dial, before it looks a name up: no more processes; of files only the resolver's. */
void dialcell_resolving(void);
/* The same, when it knows where to: connections only to the n addresses, which are moved to memory that
 * nothing can change any more. n at most SANDBOX_FOUND_MAX. */
void dialcell_connecting(const struct addrinfo *address[], unsigned n);
#endif
