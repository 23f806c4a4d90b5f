/* nft-walk: a packet's way through a base chain, its jumps and its verdict maps, and what is let through on
 * it. */
#ifndef NFT_WALK_H
#define NFT_WALK_H
#include "nft-match.h"

struct evidence;

enum fate { FATE_OPEN, FATE_DROP, FATE_ACCEPT };

/* What one base chain lets through. */
struct verdict {
	enum fate fate; /* of a packet that meets no condition */
	unsigned everything, loose, unbound_user, unbound_peer, forwards, icmp;
	size_t flows;       /* that name a peer */
	bool flows_strange; /* not all of them are known */
	bool replies, invalid_dropped, spoofed_dropped, logged, logged_limited;
};

extern const char *const l3_name[], *const hook_name[];

/* Walks the base chain. v: zeros at first. e: gets each accept that is too wide, and the peers that are
 * named; NULL: they are counted only. 0, or -1: the evidence is full. */
int chain_judge(struct nft *, const json_t *chain, enum l3, enum hook, struct evidence *e, struct verdict *);
#endif
