/* nft-json: the objects of a ruleset as nft prints it (libnftables-json(5)), by their names. What is returned
 * belongs to the JSON. */
#ifndef NFT_JSON_H
#define NFT_JSON_H
#include <jansson.h>
#include <stdbool.h>

struct nft {
	json_t *all;         /* the array "nftables" */
	const char *strange; /* what in it is not understood, or NULL */
	unsigned long steps; /* objects looked at so far */
};

struct nft_table {
	struct nft *nft;
	const char *family, *name;
};

/* One more object is looked at. false: those were too many, which is strange. */
bool nft_step(struct nft *);
/* "" where there is no such text. */
const char *nft_text(const json_t *, const char *key);
/* The object of this kind with this name in the table; NULL when there is none. */
json_t *nft_find(const struct nft_table *, const char *kind, const char *name);
/* A set that packets can add to. reference: "@NAME". */
bool nft_set_is_dynamic(const struct nft_table *, const char *reference);
/* A table that is dormant filters nothing. */
bool nft_table_in_force(struct nft *, const char *family, const char *name);
#endif
