#define _GNU_SOURCE
#include "ruleset.h"

#include "evidence.h"
#include "nft-walk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_BYTES = 160 };

struct judge {
	struct nft nft;
	struct evidence *e;
	size_t flows;       /* that name a peer */
	bool flows_strange; /* not all of them are known */
	bool failed;        /* the evidence is full */
};

/* --- base chains --- */

static bool is_base(struct judge *j, const json_t *chain, enum l3 l3, const char *hook)
{
	const char *family = nft_text(chain, "family");

	if (!chain || strcmp(nft_text(chain, "type"), "filter") != 0 ||
	        strcmp(nft_text(chain, "hook"), hook) != 0 ||
	        (strcmp(family, "inet") != 0 && strcmp(family, l3_name[l3]) != 0))
		return false;
	return nft_table_in_force(&j->nft, family, nft_text(chain, "table"));
}

static unsigned looseness(const struct verdict *v)
{
	return v->everything * 100000 + (v->fate == FATE_ACCEPT) * 50000 + v->loose + v->unbound_user +
	       v->unbound_peer + v->forwards + v->icmp;
}

static int fact(struct judge *j, const char *key, const char *value)
{
	int r = value ? evidence_fact(j->e, "net", key, value, "nft -j list ruleset")
	              : evidence_none(j->e, "net", key, "nft -j list ruleset");
	j->failed |= r < 0;
	return r;
}

static const char *log_of(const struct verdict *v)
{
	return v->logged ? v->logged_limited ? "limited" : "unlimited" : NULL;
}

/* The strictest of the chains that see these packets decides. */
static void hook_judge(struct judge *j, enum l3 l3, enum hook hook)
{
	json_t *o, *best = NULL;
	unsigned least = 0;
	size_t i;
	char key[32];

	json_array_foreach(j->nft.all, i, o)
	{
		json_t *chain = json_object_get(o, "chain");
		if (!is_base(j, chain, l3, hook_name[hook]))
			continue;
		struct verdict v = {0};
		(void)chain_judge(&j->nft, chain, l3, hook, NULL, &v);
		if (!best || looseness(&v) < least) {
			best = chain;
			least = looseness(&v);
		}
	}
	snprintf(key, sizeof key, "nft:%s:%s", l3_name[l3], hook_name[hook]);
	if (!best) {
		char text[TEXT_BYTES];
		snprintf(text, sizeof text, "%s %s: no base chain", l3_name[l3], hook_name[hook]);
		fact(j, key, NULL);
		j->failed |=
		        evidence_item(j->e, "net", "nft:accept-everything", text, "nft -j list ruleset") < 0;
		return;
	}
	struct verdict v = {.flows = j->flows};
	j->failed |= chain_judge(&j->nft, best, l3, hook, j->e, &v) < 0;
	j->flows = v.flows;
	j->flows_strange |= v.flows_strange;
	fact(j, key, v.everything || v.fate == FATE_ACCEPT ? "accept" : "drop");
	if (l3 == IP6)
		return;
	if (hook == INPUT) {
		fact(j, "nft:ct-invalid", v.invalid_dropped ? "drop" : NULL);
		fact(j, "nft:lo-spoofed", v.spoofed_dropped ? "drop" : NULL);
	} else if (hook == OUTPUT) {
		fact(j, "nft:log", log_of(&v));
		fact(j, "nft:established", v.replies ? "accept" : NULL);
	}
}

/* --- other families --- */

/* A rule that drops what is neither IP nor ARP. */
static bool drops_other_types(const json_t *rule)
{
	json_t *statement, *expr = json_object_get(rule, "expr");
	bool matched = false;
	size_t i;

	json_array_foreach(expr, i, statement)
	{
		const json_t *m = json_object_get(statement, "match"), *left = json_object_get(m, "left");
		if (m && strcmp(nft_text(m, "op"), "!=") == 0)
			matched |= strcmp(nft_text(json_object_get(left, "payload"), "protocol"), "ether") ==
			                   0 ||
			           strcmp(nft_text(json_object_get(left, "meta"), "key"), "protocol") == 0;
		else if (m)
			return false;
		if (json_object_get(statement, "drop"))
			return matched;
	}
	return false;
}

static void ingress_judge(struct judge *j)
{
	const char *found = NULL;
	size_t i, k;
	json_t *o, *r;

	json_array_foreach(j->nft.all, i, o)
	{
		json_t *chain = json_object_get(o, "chain");
		if (strcmp(nft_text(chain, "hook"), "ingress") != 0 ||
		        !nft_table_in_force(&j->nft, nft_text(chain, "family"), nft_text(chain, "table")))
			continue;
		found = found ? found : "accept";
		if (strcmp(nft_text(chain, "policy"), "drop") == 0)
			found = "drop";
		json_array_foreach(j->nft.all, k, r)
		{
			json_t *rule = json_object_get(r, "rule");
			if (rule && strcmp(nft_text(rule, "chain"), nft_text(chain, "name")) == 0 &&
			        strcmp(nft_text(rule, "table"), nft_text(chain, "table")) == 0 &&
			        drops_other_types(rule))
				found = "drop";
		}
	}
	fact(j, "nft:ingress", found);
}

/* Base chains of one family and hook: the value is the policy of the strictest. */
static void family_judge(struct judge *j, const char *family, const char *hook, const char *key)
{
	const char *found = NULL;
	size_t i;
	json_t *o;

	json_array_foreach(j->nft.all, i, o)
	{
		json_t *chain = json_object_get(o, "chain");
		if (strcmp(nft_text(chain, "family"), family) != 0 ||
		        strcmp(nft_text(chain, "hook"), hook) != 0 ||
		        !nft_table_in_force(&j->nft, family, nft_text(chain, "table")))
			continue;
		if (!found || strcmp(nft_text(chain, "policy"), "drop") == 0)
			found = strcmp(nft_text(chain, "policy"), "drop") == 0 ? "drop" : "accept";
	}
	fact(j, key, found);
}

static void nat_judge(struct judge *j)
{
	bool any = false;
	size_t i;
	json_t *o;

	json_array_foreach(j->nft.all, i, o)
	{
		json_t *chain = json_object_get(o, "chain");
		if (strcmp(nft_text(chain, "type"), "nat") == 0) {
			any = true;
			j->failed |= evidence_item(j->e, "net", "nft:nat", nft_text(chain, "hook"),
			                     "nft -j list ruleset") < 0;
		}
	}
	if (!any)
		fact(j, "nft:nat", NULL);
}

static void lists_finish(struct judge *j)
{
	static const char *const lists[] = {"nft:accept-everything", "nft:accept-rules", "nft:egress-uid",
	        "nft:egress-dst", "nft:forwarded", "nft:icmp"};

	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		if (!evidence_first(j->e, "net", lists[i]))
			fact(j, lists[i], NULL);
	if (j->flows_strange)
		j->failed |= evidence_unseen(j->e, "net", "egress-allowed",
		                     "not every peer that the packet filter names is understood") < 0;
	else if (!j->flows)
		fact(j, "egress-allowed", NULL);
}

void ruleset_unseen(struct evidence *e, const char *why)
{
	static const char *const keys[] = {"nft:ip:input", "nft:ip:forward", "nft:ip:output", "nft:ip6:input",
	        "nft:ip6:forward", "nft:ip6:output", "nft:accept-everything", "nft:accept-rules",
	        "nft:egress-uid", "nft:egress-dst", "nft:forwarded", "nft:icmp", "nft:ct-invalid",
	        "nft:lo-spoofed", "nft:log", "nft:established", "nft:ingress", "nft:bridge", "nft:arp",
	        "nft:nat", "egress-allowed"};

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		(void)evidence_unseen(e, "net", keys[i], why);
}

/* Every list is empty when no chain could be walked; the hooks then say that they are missing. */
static void all_judge(struct judge *j, bool ipv6, bool bridged)
{
	for (enum hook hook = INPUT; hook <= OUTPUT; hook++) {
		hook_judge(j, IP4, hook);
		if (ipv6) {
			hook_judge(j, IP6, hook);
		} else {
			char key[32];
			snprintf(key, sizeof key, "nft:ip6:%s", hook_name[hook]);
			fact(j, key, "no-ipv6");
		}
	}
	static const char *const details[] = {
	        "nft:ct-invalid", "nft:lo-spoofed", "nft:log", "nft:established"};
	for (size_t i = 0; i < sizeof details / sizeof *details; i++)
		if (!evidence_first(j->e, "net", details[i]))
			fact(j, details[i], NULL);
	lists_finish(j);
	ingress_judge(j);
	if (bridged)
		family_judge(j, "bridge", "forward", "nft:bridge");
	else
		fact(j, "nft:bridge", "no-bridge");
	family_judge(j, "arp", "input", "nft:arp");
	nat_judge(j);
}

int ruleset_judge(const char *json, size_t n, bool ipv6, bool bridged, struct evidence *e)
{
	json_error_t why;
	json_t *root = n <= RULESET_BYTES_MAX ? json_loadb(json, n, JSON_REJECT_DUPLICATES, &why) : NULL;
	struct judge j = {.nft.all = json_object_get(root, "nftables"), .e = e};

	if (!json_is_array(j.nft.all) || !json_object_get(json_array_get(j.nft.all, 0), "metainfo")) {
		json_decref(root);
		ruleset_unseen(e,
		        n > RULESET_BYTES_MAX ? "nft printed too much" : "nft did not print a whole ruleset");
		return 0;
	}
	/* once to see whether all of it is understood, then for the evidence */
	j.e = evidence_new();
	if (j.e)
		all_judge(&j, ipv6, bridged);
	j.failed |= !j.e;
	evidence_free(j.e);
	j = (struct judge){.nft = j.nft, .e = e, .failed = j.failed};
	if (j.nft.strange)
		ruleset_unseen(e, j.nft.strange);
	else if (!j.failed)
		all_judge(&j, ipv6, bridged);
	json_decref(root);
	if (!j.failed)
		return 0;
	errno = E2BIG;
	return -1;
}
