/* generate-nft: a ruleset for nft -f that lets out only what the camera sends, by user, destination and port.
 */
#ifndef GENERATE_NFT_H
#define GENERATE_NFT_H
#include "generate.h"

#include <stdbool.h>

/* Begins the comment that has all operands, also those that nobody gave. */
#define GENERATE_NFT_WITH "# With "

/* An operand of these lines. */
int generate_nft_asks(const char *name);
/* Operands: server, port, dns, ntp (addresses, separated by commas), ship and time (users), interface,
 * ipv6=drop. How many are missing or wrong, which is said with msg() when tell. */
int generate_nft(
        const struct policy *, const struct evidence *, const struct operands *, FILE *, bool tell);
#endif
