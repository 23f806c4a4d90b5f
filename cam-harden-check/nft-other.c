#define _GNU_SOURCE
#include "nft-other.h"

#include <string.h>

/* A kind of chain, and which conditions of a rule are enough to let through, or to drop, what they mean. */
struct kind {
	const char *family, *hook; /* family NULL: any */
	bool (*binds)(const json_t *expr);
	bool (*drops_rest)(const json_t *expr);
};

static bool is_of(const json_t *left, const char *protocol, const char *field)
{
	const json_t *payload = json_object_get(left, "payload");
	return strcmp(nft_text(payload, "protocol"), protocol) == 0 &&
	       strcmp(nft_text(payload, "field"), field) == 0;
}

static size_t matches(const json_t *expr)
{
	json_t *statement;
	size_t i, n = 0;

	json_array_foreach(expr, i, statement) n +=
	        json_object_get(statement, "match") != NULL || json_object_get(statement, "limit") != NULL;
	return n;
}

/* --- frames --- */

static bool is_type(const json_t *value)
{
	static const char *const types[] = {"ip", "ip6", "arp"};

	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (json_is_string(value) && strcmp(json_string_value(value), types[i]) == 0)
			return true;
	return false;
}

static bool are_types(const json_t *right)
{
	json_t *set = json_object_get(right, "set"), *one;
	size_t i;

	json_array_foreach(set, i, one)
	{
		if (!is_type(one))
			return false;
	}
	return json_array_size(set) || is_type(right);
}

static bool has_types(const json_t *expr, const char *op)
{
	json_t *statement;
	size_t i;

	json_array_foreach(expr, i, statement)
	{
		const json_t *m = json_object_get(statement, "match"), *left = json_object_get(m, "left");
		if (m && strcmp(nft_text(m, "op"), op) == 0 && are_types(json_object_get(m, "right")) &&
		        (is_of(left, "ether", "type") ||
		                strcmp(nft_text(json_object_get(left, "meta"), "key"), "protocol") == 0))
			return true;
	}
	return false;
}

static bool types_bind(const json_t *expr)
{
	return has_types(expr, "==");
}

static bool types_drop(const json_t *expr)
{
	return matches(expr) == 0 || (matches(expr) == 1 && has_types(expr, "!="));
}

/* --- neighbours --- */

static bool has_both(const json_t *left, bool *ip, bool *ether)
{
	*ip |= is_of(left, "arp", "saddr ip");
	*ether |= is_of(left, "arp", "saddr ether");
	return *ip && *ether;
}

static bool neighbour_binds(const json_t *expr)
{
	bool ip = false, ether = false;
	json_t *statement, *one;
	size_t i, k;

	json_array_foreach(expr, i, statement)
	{
		const json_t *m = json_object_get(statement, "match"), *left = json_object_get(m, "left");
		const json_t *right = json_object_get(m, "right");
		bool both_ip = false, both_ether = false;
		if (strcmp(nft_text(m, "op"), "==") != 0)
			continue;
		if (json_is_string(right) && has_both(left, &ip, &ether))
			return true;
		if (!json_is_array(json_object_get(right, "set")))
			continue; /* one that has a name can be added to */
		json_array_foreach(json_object_get(left, "concat"), k, one)
		{
			if (has_both(one, &both_ip, &both_ether))
				return true;
		}
	}
	return false;
}

static bool something_binds(const json_t *expr)
{
	return matches(expr) > 0;
}

static bool nothing_bound(const json_t *expr)
{
	return matches(expr) == 0;
}

/* --- chains --- */

enum fate { FATE_OPEN, FATE_DROP, FATE_ACCEPT };

static enum fate rule_fate(const struct kind *kind, const json_t *expr)
{
	static const char *const passive[] = {"match", "limit", "counter", "log", "xt_comment"};
	json_t *statement;
	size_t i, k;

	json_array_foreach(expr, i, statement)
	{
		if (json_object_get(statement, "drop"))
			return kind->drops_rest(expr) ? FATE_DROP : FATE_OPEN;
		for (k = 0; k < sizeof passive / sizeof *passive; k++)
			if (json_object_get(statement, passive[k]))
				break;
		if (k == sizeof passive / sizeof *passive)
			return kind->binds(expr) ? FATE_OPEN : FATE_ACCEPT;
	}
	return FATE_OPEN;
}

static enum fate chain_fate(struct nft *nft, const struct kind *kind, const json_t *chain)
{
	json_t *o;
	size_t i;

	json_array_foreach(nft->all, i, o)
	{
		const json_t *rule = json_object_get(o, "rule");
		if (!nft_step(nft))
			return FATE_ACCEPT;
		if (!rule || strcmp(nft_text(rule, "family"), nft_text(chain, "family")) != 0 ||
		        strcmp(nft_text(rule, "table"), nft_text(chain, "table")) != 0 ||
		        strcmp(nft_text(rule, "chain"), nft_text(chain, "name")) != 0)
			continue;
		enum fate is = rule_fate(kind, json_object_get(rule, "expr"));
		if (is != FATE_OPEN)
			return is;
	}
	return strcmp(nft_text(chain, "policy"), "drop") == 0 ? FATE_DROP : FATE_ACCEPT;
}

static const char *chains_judge(struct nft *nft, const struct kind *kind)
{
	const char *found = NULL;
	json_t *o;
	size_t i;

	json_array_foreach(nft->all, i, o)
	{
		const json_t *chain = json_object_get(o, "chain");
		const char *family = nft_text(chain, "family");
		if (!chain || strcmp(nft_text(chain, "hook"), kind->hook) != 0 ||
		        (kind->family && strcmp(family, kind->family) != 0) ||
		        !nft_table_in_force(nft, family, nft_text(chain, "table")))
			continue;
		if (chain_fate(nft, kind, chain) == FATE_DROP)
			return "drop";
		found = "accept";
	}
	return found;
}

const char *nft_ingress(struct nft *nft)
{
	static const struct kind kind = {NULL, "ingress", types_bind, types_drop};
	return chains_judge(nft, &kind);
}

const char *nft_arp(struct nft *nft)
{
	static const struct kind kind = {"arp", "input", neighbour_binds, nothing_bound};
	return chains_judge(nft, &kind);
}

const char *nft_bridge(struct nft *nft)
{
	static const struct kind kind = {"bridge", "forward", something_binds, nothing_bound};
	return chains_judge(nft, &kind);
}
