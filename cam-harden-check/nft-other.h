/* nft-other: what the chains let through that see no packets of IP: frames where they come in, ARP, a bridge.
 */
#ifndef NFT_OTHER_H
#define NFT_OTHER_H
#include "nft-json.h"

/* "drop", "accept", or NULL: there is no such chain. Of several the strictest counts. A rule that lets
 * through more than these makes an open chain of one whose policy is to drop, until a rule before it has
 * dropped the rest. Jumps are not followed, and count as letting everything through. */
const char *nft_ingress(struct nft *); /* nothing but IP and ARP */
const char *nft_arp(struct nft *);     /* who has which address, by both */
const char *nft_bridge(struct nft *);  /* something that is named */
#endif
