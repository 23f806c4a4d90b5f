#define _GNU_SOURCE
#include "ruleset.h"

#include "evidence.h"
#include "nft-other.h"
#include "nft-walk.h"
#include "ruleset-hash.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_BYTES = 160 };

struct judge {
	struct nft nft;
	struct evidence *e;
	struct verdict in;  /* of IPv4, coming in */
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

/* What goes out is logged; neither that nor what comes in fills the log. */
static const char *log_of(const struct verdict *in, const struct verdict *out)
{
	if ((in->logged && !in->logged_limited) || (out->logged && !out->logged_limited))
		return "unlimited";
	return out->logged ? "limited" : NULL;
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
		j->in = v;
		fact(j, "nft:ct-invalid", v.invalid_dropped ? "drop" : NULL);
		fact(j, "nft:lo-spoofed", v.spoofed_dropped ? "drop" : NULL);
	} else if (hook == OUTPUT) {
		fact(j, "nft:log", log_of(&j->in, &v));
		fact(j, "nft:established", j->in.replies && v.replies ? "accept" : NULL);
	}
}

/* --- other kinds of chains --- */

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
	        "nft:nat", "nft:hash", "egress-allowed"};

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
	fact(j, "nft:ingress", nft_ingress(&j->nft));
	fact(j, "nft:bridge", bridged ? nft_bridge(&j->nft) : "no-bridge");
	fact(j, "nft:arp", nft_arp(&j->nft));
	nat_judge(j);
}

static int hash_put(struct evidence *e, const char *json, size_t n)
{
	char hash[SHA256_TEXT_BYTES];
	const char *why = ruleset_hash(json, n, hash);

	return why ? evidence_unseen(e, "net", "nft:hash", why)
	           : evidence_fact(e, "net", "nft:hash", hash, "nft list ruleset");
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
	if (!j.nft.strange && hash_put(e, json, n) < 0)
		j.failed = true;
	json_decref(root);
	if (!j.failed)
		return 0;
	errno = E2BIG;
	return -1;
}
