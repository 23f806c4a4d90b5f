#define _GNU_SOURCE
#include "nft-match.h"

#include "nft-values.h"

#include <string.h>

static const char *const lo[] = {"lo", NULL}, *const replies[] = {"established", "related", NULL},
                         *const icmp[] = {"icmp", "ipv6-icmp", "icmpv6", NULL};

/* The condition holds for every packet of this protocol, or for none. */
static void path_protocol(struct path *p, bool mine, bool only)
{
	if (!mine)
		p->never = true;
	else if (!only)
		p->every = false;
}

static void meta_match(const struct traffic *t, const char *key, json_t *right, struct path *p)
{
	const char *mine[] = {t->l3 == IP4 ? "ipv4" : "ipv6", t->l3 == IP4 ? "ip" : "ip6", NULL};
	bool empty;

	if (strcmp(key, "nfproto") == 0 || strcmp(key, "protocol") == 0) {
		path_protocol(p,
		        values_have(&t->table, right, mine[0]) || values_have(&t->table, right, mine[1]),
		        true);
		return;
	}
	p->every = false;
	if (strcmp(key, "iif") == 0 || strcmp(key, "iifname") == 0)
		p->bound |= t->hook == INPUT && values_only(&t->table, right, lo) ? BOUND_LOOPBACK : 0;
	else if (strcmp(key, "oif") == 0 || strcmp(key, "oifname") == 0)
		p->bound |= t->hook == OUTPUT && values_only(&t->table, right, lo) ? BOUND_LOOPBACK : 0;
	else if (strcmp(key, "skuid") == 0)
		p->bound |= t->hook == OUTPUT && values_narrow(&t->table, FIELD_USER, t->l3 == IP6, right, -1,
		                                         &empty)
		                    ? BOUND_USER
		                    : 0;
	else if (strcmp(key, "l4proto") == 0)
		p->bound |= values_only(&t->table, right, icmp) ? BOUND_ICMP_ALL : 0;
}

/* part: the place in a concatenation, or -1. */
static void payload_match(const struct traffic *t, const char *protocol, const char *field, json_t *right,
        int part, struct path *p)
{
	static const char *const local[] = {"127.0.0.0", "::1", NULL};
	bool v4 = strcmp(protocol, "ip") == 0, v6 = strcmp(protocol, "ip6") == 0, empty = false;
	const char *peer = t->hook == INPUT ? "saddr" : "daddr";

	if ((v4 && t->l3 == IP6) || (v6 && t->l3 == IP4)) {
		p->never = true;
		return;
	}
	if ((v4 || v6) && (strcmp(field, "saddr") == 0 || strcmp(field, "daddr") == 0)) {
		json_t *prefix = json_object_get(right, "prefix");
		if (part < 0 && prefix && json_integer_value(json_object_get(prefix, "len")) == 0)
			return; /* every address */
		p->every = false;
		p->spoofed |= strcmp(field, "saddr") == 0 &&
		              is_any(prefix                   ? nft_text(prefix, "addr")
		                      : json_is_string(right) ? json_string_value(right)
		                                              : "",
		                      local);
		if (strcmp(field, peer) == 0 &&
		        values_narrow(&t->table, FIELD_ADDRESS, t->l3 == IP6, right, part, &empty))
			p->bound |= BOUND_PEER;
	} else if (strcmp(field, "dport") == 0) {
		p->every = false;
		if (values_narrow(&t->table, FIELD_PORT, t->l3 == IP6, right, part, &empty))
			p->bound |= BOUND_PORT;
	} else if (strncmp(protocol, "icmp", 4) == 0 && strcmp(field, "type") == 0) {
		p->every = false;
		if (values_narrow(&t->table, FIELD_ICMP, t->l3 == IP6, right, part, &empty))
			p->bound |= BOUND_ICMP;
	} else {
		p->every = false;
		if ((strcmp(field, "protocol") == 0 || strcmp(field, "nexthdr") == 0) &&
		        values_only(&t->table, right, icmp))
			p->bound |= BOUND_ICMP_ALL;
	}
	if (empty)
		p->never = true;
}

static void met_note(const struct traffic *t, const json_t *left, json_t *right, struct path *p)
{
	bool dynamic;
	json_t *set = values_elements(&t->table, right, &dynamic);

	if (p->mets == EGRESS_CONDITIONS_MAX)
		p->met_more = true;
	else if (!dynamic) /* which binds nothing */
		p->met[p->mets++] = (struct egress_condition){left, set, right};
}

void match_left(const struct traffic *t, const json_t *left, json_t *right, int part, struct path *p)
{
	const json_t *meta = json_object_get(left, "meta"), *ct = json_object_get(left, "ct"),
	             *payload = json_object_get(left, "payload"), *concat = json_object_get(left, "concat");
	size_t i;
	json_t *one;
	bool empty;

	if (part < 0 && t->hook == OUTPUT)
		met_note(t, left, right, p);
	if (concat && part < 0) {
		json_array_foreach(concat, i, one)
		{
			match_left(t, one, right, (int)i, p);
		}
		return;
	}
	if (payload && nft_text(payload, "protocol")[0]) {
		payload_match(t, nft_text(payload, "protocol"), nft_text(payload, "field"), right, part, p);
	} else if (meta && part < 0) {
		meta_match(t, nft_text(meta, "key"), right, p);
	} else {
		p->every = false;
		if (meta && strcmp(nft_text(meta, "key"), "skuid") == 0 && t->hook == OUTPUT &&
		        values_narrow(&t->table, FIELD_USER, t->l3 == IP6, right, part, &empty))
			p->bound |= BOUND_USER;
		if (ct && part < 0 && strcmp(nft_text(ct, "key"), "state") == 0) {
			p->bound |= values_only(&t->table, right, replies) ? BOUND_REPLY : 0;
			p->invalid |= values_have(&t->table, right, "invalid");
		}
	}
}

void match_take(const struct traffic *t, const json_t *m, struct path *p)
{
	const char *op = nft_text(m, "op");

	if (strcmp(op, "==") == 0 || strcmp(op, "in") == 0)
		match_left(t, json_object_get(m, "left"), json_object_get(m, "right"), -1, p);
	else
		p->every = false; /* "not this" and "more than that" leave nearly everything */
}
