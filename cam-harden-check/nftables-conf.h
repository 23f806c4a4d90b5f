/* nftables-conf: are the packet filter's rules that lie in the root those that the policy makes? */
#ifndef NFTABLES_CONF_H
#define NFTABLES_CONF_H
#include "evidence.h"
#include "policy.h"
#include "where.h"

enum { NFTABLES_CONF_BYTES_MAX = 256 << 10, NFTABLES_CONF_SAID_BYTES = 1024 };

/* text is cut up. Into said: "as generated with OPERANDS", or the first line that is another. 0; -1: no
 * memory. */
int nftables_conf_compare(
        char *text, const struct policy *, const struct evidence *, char said[NFTABLES_CONF_SAID_BYTES]);

/* The key "nftables.conf" of the group "image": of /etc/cam/nftables.conf, which cam-services loads, and of
 * /etc/nftables.conf, which the system does. 0, or -1: evidence full. */
int nftables_conf_collect(struct evidence *, const struct where *, const struct policy *);
#endif
