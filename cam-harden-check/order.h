/* order: are the rules of the packet filter there before the network is, by what the device is told to start.
 */
#ifndef ORDER_H
#define ORDER_H
#include "evidence.h"
#include "where.h"

/* The key "nft:loaded-before-net" of the group "net": "yes", or "no: WHY". Live only. 0, or -1: evidence
 * full. */
int order_collect(struct evidence *, const struct where *);
#endif
