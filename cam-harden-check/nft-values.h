/* nft-values: what the right side of a condition covers, be it one value, a range or a set. */
#ifndef NFT_VALUES_H
#define NFT_VALUES_H
#include "nft-json.h"

enum field { FIELD_OTHER, FIELD_ADDRESS, FIELD_PORT, FIELD_USER, FIELD_ICMP };

/* All sets in the table. part: which one of a concatenation, or -1. A set that packets can add to is no
 * bound, and a name that is not understood covers everything. */

/* Is the field held to few enough values? *empty: to none at all. */
bool values_narrow(const struct nft_table *, enum field, bool v6, json_t *right, int part, bool *empty);
/* All of them are among these, which end with NULL. */
bool values_only(const struct nft_table *, json_t *right, const char *const *among);
/* This is one of them. */
bool values_have(const struct nft_table *, json_t *right, const char *what);
/* The elements that a right side names: of an anonymous or a named set. NULL: it is one value itself.
 * *dynamic: packets can add to it, or it is not there. */
json_t *values_elements(const struct nft_table *, json_t *right, bool *dynamic);
/* One element without what is wrapped around it. */
json_t *values_part(json_t *element, int part);
bool is_any(const char *s, const char *const *of);
#endif
