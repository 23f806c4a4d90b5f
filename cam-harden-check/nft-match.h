/* nft-match: what the conditions of a rule bind a packet to. A condition that is not understood binds
 * nothing. */
#ifndef NFT_MATCH_H
#define NFT_MATCH_H
#include "egress.h"
#include "nft-json.h"

enum l3 { IP4, IP6 };
enum hook { INPUT, FORWARD, OUTPUT };

/* Packets of one kind at one hook, as a table sees them. */
struct traffic {
	struct nft_table table;
	enum l3 l3;
	enum hook hook;
};

/* What the conditions of a rule bind it to. */
enum bound {
	BOUND_LOOPBACK = 1,
	BOUND_REPLY = 2, /* only what belongs to a connection that was let through before */
	BOUND_ICMP = 4,  /* some types */
	BOUND_ICMP_ALL = 8,
	BOUND_PORT = 16,
	BOUND_PEER = 32, /* input: where from; output: where to */
	BOUND_USER = 64,
	BOUND_RATE = 128,
	BOUND_SOME = BOUND_ICMP | BOUND_ICMP_ALL | BOUND_PORT | BOUND_PEER | BOUND_USER,
};

/* What is known of the conditions on the way to a statement. */
struct path {
	unsigned bound;
	bool every; /* every packet that came into this chain gets here */
	bool never; /* no packet of this kind gets here */
	bool spoofed, invalid;
	bool limited, logged;
	/* what was met, on the way out; met_more: more than fits */
	struct egress_condition met[EGRESS_CONDITIONS_MAX];
	size_t mets;
	bool met_more;
};

/* Takes one "match" into the path. */
void match_take(const struct traffic *, const json_t *match, struct path *);
/* The same for one value of the left side, for equality. part: the place in a concatenation, or -1. */
void match_left(const struct traffic *, const json_t *left, json_t *right, int part, struct path *);
#endif
