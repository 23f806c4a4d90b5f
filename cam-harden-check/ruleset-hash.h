/* ruleset-hash: one number for the whole ruleset that is in force, which is the same for the same rules. */
#ifndef RULESET_HASH_H
#define RULESET_HASH_H
#include "sha256.h"

/* The SHA-256 of nft's JSON without what changes by itself: handles, counters, what is left of quotas and
 * timeouts, elements that packets put into sets, and the order within sets. NULL, or why there is none. */
const char *ruleset_hash(const char *json, size_t n, char out[SHA256_TEXT_BYTES]);
#endif
