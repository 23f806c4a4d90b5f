#define _GNU_SOURCE
#include "nft-json.h"

#include <string.h>

enum { STEPS_MAX = 5000000 }; /* jumps can multiply them */

bool nft_step(struct nft *n)
{
	if (n->steps++ < STEPS_MAX)
		return true;
	n->strange = "more rules than can be followed";
	return false;
}

const char *nft_text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s ? s : "";
}

json_t *nft_find(const struct nft_table *t, const char *kind, const char *name)
{
	size_t i;
	json_t *o;

	json_array_foreach(t->nft->all, i, o)
	{
		json_t *x = json_object_get(o, kind);
		if (x && strcmp(nft_text(x, "family"), t->family) == 0 &&
		        strcmp(nft_text(x, "table"), t->name) == 0 && strcmp(nft_text(x, "name"), name) == 0)
			return x;
	}
	return NULL;
}

/* The JSON of nft 1.0.6 does not show the flag "dynamic". */
bool nft_set_is_dynamic(const struct nft_table *t, const char *reference)
{
	size_t i, k;
	json_t *o, *statement;

	json_array_foreach(t->nft->all, i, o)
	{
		if (!nft_step(t->nft))
			return true;
		json_array_foreach(json_object_get(json_object_get(o, "rule"), "expr"), k, statement)
		{
			const char *const kinds[] = {"set", "map", "meter"};
			for (size_t n = 0; n < 3; n++) {
				const json_t *s = json_object_get(statement, kinds[n]);
				if (s && (strcmp(nft_text(s, kinds[n]), reference) == 0 ||
				                 strcmp(nft_text(s, "name"), reference + 1) == 0))
					return true;
			}
		}
	}
	return false;
}

bool nft_table_in_force(struct nft *nft, const char *family, const char *name)
{
	size_t i;
	json_t *o;

	json_array_foreach(nft->all, i, o)
	{
		json_t *t = json_object_get(o, "table"), *flags = json_object_get(t, "flags"), *flag;
		size_t k;
		if (!t || strcmp(nft_text(t, "family"), family) != 0 ||
		        strcmp(nft_text(t, "name"), name) != 0 || !flags)
			continue;
		if (json_is_string(flags)) {
			if (strcmp(json_string_value(flags), "dormant") == 0)
				return false;
			/* nft 1.0.6 prints whatever lies in memory there */
			if (strcmp(json_string_value(flags), "owner") != 0 &&
			        strcmp(json_string_value(flags), "persist") != 0)
				nft->strange =
				        "a table with flags, which this nft cannot print: it may be dormant";
		}
		json_array_foreach(flags, k, flag)
		{
			if (strcmp(json_string_value(flag) ? json_string_value(flag) : "dormant",
			            "dormant") == 0)
				return false;
		}
	}
	return true;
}
