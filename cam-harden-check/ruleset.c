#define _GNU_SOURCE
#include "ruleset.h"

#include "egress.h"
#include "evidence.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	DEPTH_MAX = 16,      /* NFT_JUMP_STACK_SIZE of the kernel */
	STEPS_MAX = 5000000, /* objects looked at; jumps can multiply them */
	TEXT_BYTES = 160,
	PORTS_MAX = 64, /* an accept for more ports than this is not bound to a port */
	USERS_MAX = 16, /* the same for users */
};

enum l3 { IP4, IP6 };
enum hook { INPUT, FORWARD, OUTPUT };
static const char *const l3_name[] = {"ip", "ip6"};
static const char *const hook_name[] = {"input", "forward", "output"};

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
	/* what was met, on the way out; strange: more than fits */
	struct egress_condition met[EGRESS_CONDITIONS_MAX];
	size_t mets;
	bool strange;
};

enum fate { FATE_OPEN, FATE_DROP, FATE_ACCEPT };
enum end { END_FALLS, END_STOPPED };

/* What one base chain lets through. */
struct verdict {
	enum fate fate; /* of a packet that meets no condition */
	unsigned everything, loose, unbound_user, unbound_peer, forwards, icmp;
	bool replies, invalid_dropped, spoofed_dropped, logged, logged_limited;
	bool quiet; /* counts only: nothing goes into the evidence */
};

struct judge {
	json_t *all;
	struct evidence *e;
	const char *strange; /* a statement that is not understood */
	unsigned long steps;
	size_t flows;        /* that were named */
	bool flows_strange;  /* not all of them are known */
	bool failed;         /* the evidence is full */
};

/* One walk through the chains of a table. */
struct walk {
	struct judge *j;
	enum l3 l3;
	enum hook hook;
	const char *family, *table, *base;
	struct verdict *v;
};

/* --- finding things in the JSON --- */

static bool step(struct judge *j)
{
	if (j->steps++ < STEPS_MAX)
		return true;
	j->strange = "more rules than can be followed";
	return false;
}

static const char *string_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s ? s : "";
}

/* The object of this kind with this family, table and name; NULL when there is none. */
static json_t *object_find(const struct walk *w, const char *kind, const char *name)
{
	size_t i;
	json_t *o;

	json_array_foreach(w->j->all, i, o)
	{
		json_t *x = json_object_get(o, kind);
		if (x && strcmp(string_of(x, "family"), w->family) == 0 &&
		        strcmp(string_of(x, "table"), w->table) == 0 &&
		        strcmp(string_of(x, "name"), name) == 0)
			return x;
	}
	return NULL;
}

/* A set that packets can add to is no bound. The JSON of nft 1.0.6 does not show the flag "dynamic". */
static bool set_is_dynamic(const struct walk *w, const char *reference)
{
	size_t i, k;
	json_t *o, *statement;

	json_array_foreach(w->j->all, i, o)
	{
		if (!step(w->j))
			return true;
		json_array_foreach(json_object_get(json_object_get(o, "rule"), "expr"), k, statement)
		{
			const char *const kinds[] = {"set", "map", "meter"};
			for (size_t n = 0; n < 3; n++) {
				const json_t *s = json_object_get(statement, kinds[n]);
				if (s && (strcmp(string_of(s, kinds[n]), reference) == 0 ||
				                 strcmp(string_of(s, "name"), reference + 1) == 0))
					return true;
			}
		}
	}
	return false;
}

/* The elements that a right side names: of an anonymous or a named set. NULL: it is one value itself. */
static json_t *elements_of(const struct walk *w, json_t *right, bool *dynamic)
{
	const char *name = json_string_value(right);

	*dynamic = false;
	if (name && name[0] == '@') {
		json_t *set = object_find(w, "set", name + 1);
		set = set ? set : object_find(w, "map", name + 1);
		*dynamic = !set || set_is_dynamic(w, name);
		json_t *elem = json_object_get(set, "elem");
		return elem ? elem : set; /* which is no array, so without elements */
	}
	if (json_is_array(right))
		return right;
	return json_object_get(right, "set");
}

/* One element without what is wrapped around it, and of a concatenation the part at this place. */
static json_t *element_part(json_t *element, int part)
{
	json_t *inner = json_object_get(element, "elem");
	if (inner)
		element = json_object_get(inner, "val");
	if (part < 0)
		return element;
	return json_array_get(json_object_get(element, "concat"), (size_t)part);
}

/* --- how much a value covers, as a share of all there is: from 0 to 1 --- */

static double prefix_share(const char *address, json_int_t length)
{
	unsigned char raw[16];
	int bits = inet_pton(AF_INET, address, raw) == 1    ? 32
	           : inet_pton(AF_INET6, address, raw) == 1 ? 128
	                                                    : 0;

	if (!bits || length < 0 || length > bits)
		return 1;
	double share = 1;
	for (json_int_t i = 0; i < length; i++)
		share /= 2;
	return share;
}

static double address_number(const char *address)
{
	unsigned char raw[16];
	size_t n = inet_pton(AF_INET, address, raw) == 1    ? 4
	           : inet_pton(AF_INET6, address, raw) == 1 ? 16
	                                                    : 0;
	double v = 0, scale = 1;

	if (!n)
		return -1;
	for (size_t i = 0; i < n; i++) {
		scale /= 256;
		v += raw[i] * scale;
	}
	return v;
}

static double address_share(const json_t *value)
{
	json_t *prefix = json_object_get(value, "prefix"), *range = json_object_get(value, "range");

	if (json_is_string(value))
		return prefix_share(
		        json_string_value(value), strchr(json_string_value(value), ':') ? 128 : 32);
	if (prefix)
		return prefix_share(
		        string_of(prefix, "addr"), json_integer_value(json_object_get(prefix, "len")));
	const char *from = json_string_value(json_array_get(range, 0)),
	           *to = json_string_value(json_array_get(range, 1));
	if (!from || !to)
		return 1;
	double a = address_number(from), b = address_number(to);
	return a < 0 || b < a ? 1 : b - a;
}

/* How many numbers: 1, or those of a range. Names are not understood. */
static double number_count(const json_t *value, double all)
{
	json_t *range = json_object_get(value, "range"), *prefix = json_object_get(value, "prefix");

	if (json_is_integer(value))
		return 1;
	const json_t *from = json_array_get(range, 0), *to = json_array_get(range, 1);
	if (prefix || !json_is_integer(from) || !json_is_integer(to) ||
	        json_integer_value(to) < json_integer_value(from))
		return all;
	return (double)(json_integer_value(to) - json_integer_value(from) + 1);
}

/* --- conditions --- */

enum field { FIELD_OTHER, FIELD_ADDRESS, FIELD_PORT, FIELD_USER, FIELD_ICMP };

/* Sums up what the values of one field cover. */
static bool narrow(enum field field, bool v6, double sum)
{
	switch (field) {
	case FIELD_ADDRESS: return sum <= (v6 ? 1.0 / 1024 : 1.0 / 256); /* up to a /8, or fe80::/10 */
	case FIELD_PORT: return sum <= PORTS_MAX;
	case FIELD_USER: return sum <= USERS_MAX;
	case FIELD_ICMP: return true;
	case FIELD_OTHER: break;
	}
	return false;
}

static double value_size(enum field field, const json_t *value)
{
	switch (field) {
	case FIELD_ADDRESS: return address_share(value);
	case FIELD_PORT: return number_count(value, 65536);
	case FIELD_USER: return number_count(value, 4294967296.0);
	case FIELD_ICMP:
	case FIELD_OTHER: break;
	}
	return 0;
}

/* Is the field held to few enough values? part: which one of a concatenation, or -1. */
static bool values_narrow(const struct walk *w, enum field field, json_t *right, int part, bool *empty)
{
	bool dynamic;
	json_t *set = elements_of(w, right, &dynamic), *element;
	double sum = 0;
	size_t i;

	*empty = false;
	if (dynamic)
		return false;
	if (!set)
		return narrow(field, w->l3 == IP6, value_size(field, element_part(right, part)));
	*empty = json_array_size(set) == 0;
	json_array_foreach(set, i, element)
	{
		/* of a map an element is [key, value] */
		json_t *key = json_is_array(element) ? json_array_get(element, 0) : element;
		sum += value_size(field, element_part(key, part));
	}
	return narrow(field, w->l3 == IP6, sum);
}

static bool is_any(const char *s, const char *const *of)
{
	for (; *of; of++)
		if (strcmp(s, *of) == 0)
			return true;
	return false;
}

/* All values of the right side are among these. */
static bool values_only(const struct walk *w, json_t *right, const char *const *among)
{
	bool dynamic;
	json_t *set = elements_of(w, right, &dynamic), *element;
	size_t i;

	if (!set)
		return json_is_string(right) && is_any(json_string_value(right), among);
	json_array_foreach(set, i, element)
	{
		const char *s = json_string_value(element_part(element, -1));
		if (!s || !is_any(s, among))
			return false;
	}
	return json_array_size(set) > 0 && !dynamic;
}

static bool values_have(const struct walk *w, json_t *right, const char *what)
{
	bool dynamic;
	json_t *set = elements_of(w, right, &dynamic), *element;
	size_t i;

	if (!set)
		return json_is_string(right) && strcmp(json_string_value(right), what) == 0;
	json_array_foreach(set, i, element)
	{
		const char *s = json_string_value(element_part(element, -1));
		if (s && strcmp(s, what) == 0)
			return true;
	}
	return false;
}

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

static void meta_match(const struct walk *w, const char *key, json_t *right, struct path *p)
{
	const char *mine[] = {w->l3 == IP4 ? "ipv4" : "ipv6", w->l3 == IP4 ? "ip" : "ip6", NULL};
	bool empty;

	if (strcmp(key, "nfproto") == 0 || strcmp(key, "protocol") == 0) {
		path_protocol(p, values_have(w, right, mine[0]) || values_have(w, right, mine[1]), true);
		return;
	}
	p->every = false;
	if (strcmp(key, "iif") == 0 || strcmp(key, "iifname") == 0)
		p->bound |= w->hook == INPUT && values_only(w, right, lo) ? BOUND_LOOPBACK : 0;
	else if (strcmp(key, "oif") == 0 || strcmp(key, "oifname") == 0)
		p->bound |= w->hook == OUTPUT && values_only(w, right, lo) ? BOUND_LOOPBACK : 0;
	else if (strcmp(key, "skuid") == 0)
		p->bound |=
		        w->hook == OUTPUT && values_narrow(w, FIELD_USER, right, -1, &empty) ? BOUND_USER : 0;
	else if (strcmp(key, "l4proto") == 0)
		p->bound |= values_only(w, right, icmp) ? BOUND_ICMP_ALL : 0;
}

/* part: the place in a concatenation, or -1. */
static void payload_match(const struct walk *w, const char *protocol, const char *field, json_t *right,
        int part, struct path *p)
{
	static const char *const local[] = {"127.0.0.0", "::1", NULL};
	bool v4 = strcmp(protocol, "ip") == 0, v6 = strcmp(protocol, "ip6") == 0, empty = false;
	const char *peer = w->hook == INPUT ? "saddr" : "daddr";

	if ((v4 && w->l3 == IP6) || (v6 && w->l3 == IP4)) {
		p->never = true;
		return;
	}
	if ((v4 || v6) && (strcmp(field, "saddr") == 0 || strcmp(field, "daddr") == 0)) {
		json_t *prefix = json_object_get(right, "prefix");
		if (part < 0 && prefix && json_integer_value(json_object_get(prefix, "len")) == 0)
			return; /* every address */
		p->every = false;
		p->spoofed |= strcmp(field, "saddr") == 0 &&
		              is_any(prefix                   ? string_of(prefix, "addr")
		                      : json_is_string(right) ? json_string_value(right)
		                                              : "",
		                      local);
		if (strcmp(field, peer) == 0 && values_narrow(w, FIELD_ADDRESS, right, part, &empty))
			p->bound |= BOUND_PEER;
	} else if (strcmp(field, "dport") == 0) {
		p->every = false;
		if (values_narrow(w, FIELD_PORT, right, part, &empty))
			p->bound |= BOUND_PORT;
	} else if (strncmp(protocol, "icmp", 4) == 0 && strcmp(field, "type") == 0) {
		p->every = false;
		if (values_narrow(w, FIELD_ICMP, right, part, &empty))
			p->bound |= BOUND_ICMP;
	} else {
		p->every = false;
		if ((strcmp(field, "protocol") == 0 || strcmp(field, "nexthdr") == 0) &&
		        values_only(w, right, icmp))
			p->bound |= BOUND_ICMP_ALL;
	}
	if (empty)
		p->never = true;
}

static void met_note(const struct walk *w, const json_t *left, json_t *right, struct path *p)
{
	bool dynamic;
	json_t *set = elements_of(w, right, &dynamic);

	if (p->mets == EGRESS_CONDITIONS_MAX)
		p->strange = true;
	else if (!dynamic) /* which binds nothing */
		p->met[p->mets++] = (struct egress_condition){left, set, right};
}

static void left_match(const struct walk *w, const json_t *left, json_t *right, int part, struct path *p)
{
	const json_t *meta = json_object_get(left, "meta"), *ct = json_object_get(left, "ct"),
	             *payload = json_object_get(left, "payload"), *concat = json_object_get(left, "concat");
	size_t i;
	json_t *one;
	bool empty;

	if (part < 0 && w->hook == OUTPUT)
		met_note(w, left, right, p);
	if (concat && part < 0) {
		json_array_foreach(concat, i, one)
		{
			left_match(w, one, right, (int)i, p);
		}
		return;
	}
	if (payload && string_of(payload, "protocol")[0]) {
		payload_match(w, string_of(payload, "protocol"), string_of(payload, "field"), right, part, p);
	} else if (meta && part < 0) {
		meta_match(w, string_of(meta, "key"), right, p);
	} else {
		p->every = false;
		if (meta && strcmp(string_of(meta, "key"), "skuid") == 0 && w->hook == OUTPUT &&
		        values_narrow(w, FIELD_USER, right, part, &empty))
			p->bound |= BOUND_USER;
		if (ct && part < 0 && strcmp(string_of(ct, "key"), "state") == 0) {
			p->bound |= values_only(w, right, replies) ? BOUND_REPLY : 0;
			p->invalid |= values_have(w, right, "invalid");
		}
	}
}

static void match(const struct walk *w, const json_t *m, struct path *p)
{
	const char *op = string_of(m, "op");

	if (strcmp(op, "==") == 0 || strcmp(op, "in") == 0)
		left_match(w, json_object_get(m, "left"), json_object_get(m, "right"), -1, p);
	else
		p->every = false; /* "not this" and "more than that" leave nearly everything */
}

/* --- accepts --- */

static void item(struct walk *w, const char *key, const char *chain, json_int_t handle)
{
	char text[TEXT_BYTES];

	if (w->v->quiet)
		return;
	if (handle < 0)
		snprintf(text, sizeof text, "%.12s %.40s %.40s: policy accept", w->family, w->table, chain);
	else
		snprintf(text, sizeof text, "%.12s %.40s %.40s handle %lld (%s, %s)", w->family, w->table,
		        chain, (long long)handle, l3_name[w->l3], hook_name[w->hook]);
	if (evidence_item(w->j->e, "net", key, text, "nft -j list ruleset") < 0)
		w->j->failed = true;
}

/* Who is named as a peer. */
static void flows_put(struct walk *w, const struct path *p)
{
	switch (egress_put(w->j->e, p->met, p->mets, w->l3 == IP6, &w->j->flows)) {
	case EGRESS_DONE: w->j->flows_strange |= p->strange; break;
	case EGRESS_STRANGE: w->j->flows_strange = true; break;
	case EGRESS_FULL: w->j->failed = true; break;
	}
}

/* Where a rule lets everything through, no more is said of it. */
static void accepted(struct walk *w, const struct path *p, const char *chain, json_int_t handle)
{
	struct verdict *v = w->v;
	unsigned b = p->bound;

	if (b & BOUND_REPLY)
		v->replies = true;
	if (b & (BOUND_REPLY | BOUND_LOOPBACK))
		return;
	if (w->hook == FORWARD) {
		v->forwards++;
		item(w, "nft:forwarded", chain, handle);
		return;
	}
	if (!(b & BOUND_SOME)) {
		v->everything++;
		item(w, "nft:accept-everything", chain, handle);
		return;
	}
	if (b & BOUND_ICMP_ALL || (b & BOUND_ICMP && w->hook == INPUT && !(b & BOUND_RATE))) {
		v->icmp++;
		item(w, "nft:icmp", chain, handle);
		return;
	}
	if (b & BOUND_ICMP)
		return;
	if (w->hook == INPUT && (b & (BOUND_PORT | BOUND_PEER)) != (BOUND_PORT | BOUND_PEER)) {
		v->loose++;
		item(w, "nft:accept-rules", chain, handle);
	}
	if (w->hook == OUTPUT && !(b & BOUND_USER)) {
		v->unbound_user++;
		item(w, "nft:egress-uid", chain, handle);
	}
	if (w->hook == OUTPUT && (b & (BOUND_PORT | BOUND_PEER)) != (BOUND_PORT | BOUND_PEER)) {
		v->unbound_peer++;
		item(w, "nft:egress-dst", chain, handle);
	}
	if (w->hook == OUTPUT && b & BOUND_PEER && !v->quiet)
		flows_put(w, p);
}

/* --- walking --- */

static enum end chain_walk(
        struct walk *w, const char *chain, const struct path *in, bool generic, unsigned depth);

static void dropped(struct walk *w, const struct path *p, bool generic)
{
	struct verdict *v = w->v;

	v->invalid_dropped |= p->invalid;
	v->spoofed_dropped |= p->spoofed;
	if (p->logged) {
		v->logged = true;
		v->logged_limited |= p->limited;
	}
	if (generic && p->every && v->fate == FATE_OPEN)
		v->fate = FATE_DROP;
}

struct place {
	const char *chain;
	json_int_t handle;
	unsigned depth;
	bool generic;
};

enum next { NEXT_STATEMENT, NEXT_RULE, NEXT_ENDS, NEXT_RETURNS };

/* One verdict: what happens to those that get here. *escaped: some packets leave the chain here and may come
 * back to the one before. */
static enum next verdict_take(
        struct walk *w, const json_t *statement, const struct path *p, const struct place *at, bool *escaped)
{
	json_t *go;

	if (json_object_get(statement, "accept")) {
		accepted(w, p, at->chain, at->handle);
		if (at->generic && p->every && w->v->fate == FATE_OPEN)
			w->v->fate = FATE_ACCEPT;
		return p->every ? NEXT_ENDS : NEXT_RULE;
	}
	if (json_object_get(statement, "drop") || json_object_get(statement, "reject")) {
		dropped(w, p, at->generic);
		return p->every ? NEXT_ENDS : NEXT_RULE;
	}
	if (json_object_get(statement, "return")) {
		*escaped = true;
		return p->every ? NEXT_RETURNS : NEXT_RULE;
	}
	if ((go = json_object_get(statement, "jump"))) {
		enum end end =
		        chain_walk(w, string_of(go, "target"), p, at->generic && p->every, at->depth + 1);
		return end == END_STOPPED && p->every ? NEXT_ENDS : NEXT_RULE;
	}
	if ((go = json_object_get(statement, "goto"))) {
		enum end end =
		        chain_walk(w, string_of(go, "target"), p, at->generic && p->every, at->depth + 1);
		if (end == END_FALLS)
			*escaped = true;
		if (p->every)
			return end == END_STOPPED ? NEXT_ENDS : NEXT_RETURNS;
		return NEXT_RULE;
	}
	return NEXT_STATEMENT;
}

/* A verdict map: each key with its own verdict; a packet that none matches goes on. */
static void vmap_take(
        struct walk *w, const json_t *vmap, const struct path *p, const struct place *at, bool *escaped)
{
	json_t *data = json_object_get(vmap, "data"), *element;
	bool dynamic;
	json_t *set = elements_of(w, data, &dynamic);
	size_t i;

	if (dynamic)
		w->j->strange = "a verdict map that packets can change, or that is not there";
	json_array_foreach(set, i, element)
	{
		json_t *key = element_part(json_array_get(element, 0), -1),
		       *verdict = json_array_get(element, 1);
		struct path q = *p;
		left_match(w, json_object_get(vmap, "key"), key, -1, &q);
		q.every = false;
		if (!q.never && verdict_take(w, verdict, &q, at, escaped) == NEXT_STATEMENT &&
		        !json_object_get(verdict, "continue"))
			w->j->strange = "a verdict map with another verdict";
	}
}

/* Statements that change nothing about where a packet goes; those that end the rule for some; all others are
 * not understood. */
static void other_statement(struct walk *w, const char *name, const json_t *value, struct path *p)
{
	static const char *const harmless[] = {"counter", "mangle", "notrack", "ct helper", "ct timeout",
	        "ct expectation", "dup", "flow", "last", "secmark", "continue", NULL},
	                         *const some[] = {"quota", "ct count", "meter", "set", "map", NULL};

	if (strcmp(name, "log") == 0) {
		p->logged = true;
	} else if (strcmp(name, "limit") == 0) {
		p->every = false;
		p->limited = true;
		if (!json_is_true(json_object_get(value, "inv")))
			p->bound |= BOUND_RATE;
	} else if (is_any(name, some)) {
		p->every = false;
	} else if (!is_any(name, harmless)) {
		w->j->strange = "a statement that is not understood";
	}
}

static enum next rule_walk(
        struct walk *w, const json_t *rule, const struct path *in, const struct place *at, bool *escaped)
{
	struct path p = *in;
	json_t *statement, *value;
	const char *name;
	size_t i;

	json_array_foreach(json_object_get(rule, "expr"), i, statement)
	{
		json_object_foreach(statement, name, value)
		{
			if (strcmp(name, "match") == 0)
				match(w, value, &p);
			else if (strcmp(name, "vmap") == 0)
				vmap_take(w, value, &p, at, escaped);
			else {
				enum next n =
				        p.never ? NEXT_RULE : verdict_take(w, statement, &p, at, escaped);
				if (n != NEXT_STATEMENT)
					return n;
				other_statement(w, name, value, &p);
			}
			if (p.never)
				return NEXT_RULE;
		}
	}
	/* a log without a verdict, before the policy */
	if (p.logged) {
		w->v->logged = true;
		w->v->logged_limited |= p.limited;
	}
	return NEXT_RULE;
}

static enum end chain_walk(
        struct walk *w, const char *chain, const struct path *in, bool generic, unsigned depth)
{
	struct path p = *in;
	size_t i;
	json_t *o;

	if (depth > DEPTH_MAX) {
		w->j->strange = "jumps that are too deep";
		return END_FALLS;
	}
	p.every = true;
	json_array_foreach(w->j->all, i, o)
	{
		json_t *rule = json_object_get(o, "rule");
		if (!step(w->j))
			return END_FALLS;
		if (!rule || strcmp(string_of(rule, "chain"), chain) != 0 ||
		        strcmp(string_of(rule, "table"), w->table) != 0 ||
		        strcmp(string_of(rule, "family"), w->family) != 0)
			continue;
		bool escaped = false;
		struct place at = {
		        chain, json_integer_value(json_object_get(rule, "handle")), depth, generic};
		enum next n = rule_walk(w, rule, &p, &at, &escaped);
		if (n == NEXT_ENDS)
			return END_STOPPED;
		if (n == NEXT_RETURNS)
			return END_FALLS;
		p.every &= !escaped; /* what follows does not see every packet any more */
	}
	return END_FALLS;
}

/* --- base chains --- */

static bool table_in_force(struct judge *j, const char *family, const char *name)
{
	size_t i;
	json_t *o;

	json_array_foreach(j->all, i, o)
	{
		json_t *t = json_object_get(o, "table"), *flags = json_object_get(t, "flags"), *flag;
		size_t k;
		if (!t || strcmp(string_of(t, "family"), family) != 0 ||
		        strcmp(string_of(t, "name"), name) != 0 || !flags)
			continue;
		if (json_is_string(flags)) {
			if (strcmp(json_string_value(flags), "dormant") == 0)
				return false;
			/* nft 1.0.6 prints whatever lies in memory there */
			if (strcmp(json_string_value(flags), "owner") != 0 &&
			        strcmp(json_string_value(flags), "persist") != 0)
				j->strange =
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

static bool is_base(struct judge *j, const json_t *chain, enum l3 l3, const char *hook)
{
	const char *family = string_of(chain, "family");

	if (!chain || strcmp(string_of(chain, "type"), "filter") != 0 ||
	        strcmp(string_of(chain, "hook"), hook) != 0 ||
	        (strcmp(family, "inet") != 0 && strcmp(family, l3_name[l3]) != 0))
		return false;
	return table_in_force(j, family, string_of(chain, "table"));
}

static struct verdict base_walk(struct judge *j, const json_t *chain, enum l3 l3, enum hook hook, bool quiet)
{
	struct verdict v = {.quiet = quiet};
	struct walk w = {j, l3, hook, string_of(chain, "family"), string_of(chain, "table"),
	        string_of(chain, "name"), &v};
	struct path all = {.every = true};

	if (chain_walk(&w, w.base, &all, true, 0) == END_FALLS &&
	        strcmp(string_of(chain, "policy"), "drop") != 0) {
		accepted(&w, &(struct path){0}, w.base, -1);
		v.fate = v.fate == FATE_OPEN ? FATE_ACCEPT : v.fate;
		/* some came back although the packet without conditions was dropped: the policy has them */
		v.everything += hook == FORWARD;
	}
	if (v.fate == FATE_OPEN)
		v.fate = FATE_DROP;
	return v;
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

	json_array_foreach(j->all, i, o)
	{
		json_t *chain = json_object_get(o, "chain");
		if (!is_base(j, chain, l3, hook_name[hook]))
			continue;
		struct verdict v = base_walk(j, chain, l3, hook, true);
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
	struct verdict v = base_walk(j, best, l3, hook, false);
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
		if (m && strcmp(string_of(m, "op"), "!=") == 0)
			matched |= strcmp(string_of(json_object_get(left, "payload"), "protocol"), "ether") ==
			                   0 ||
			           strcmp(string_of(json_object_get(left, "meta"), "key"), "protocol") == 0;
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

	json_array_foreach(j->all, i, o)
	{
		json_t *chain = json_object_get(o, "chain");
		if (strcmp(string_of(chain, "hook"), "ingress") != 0 ||
		        !table_in_force(j, string_of(chain, "family"), string_of(chain, "table")))
			continue;
		found = found ? found : "accept";
		if (strcmp(string_of(chain, "policy"), "drop") == 0)
			found = "drop";
		json_array_foreach(j->all, k, r)
		{
			json_t *rule = json_object_get(r, "rule");
			if (rule && strcmp(string_of(rule, "chain"), string_of(chain, "name")) == 0 &&
			        strcmp(string_of(rule, "table"), string_of(chain, "table")) == 0 &&
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

	json_array_foreach(j->all, i, o)
	{
		json_t *chain = json_object_get(o, "chain");
		if (strcmp(string_of(chain, "family"), family) != 0 ||
		        strcmp(string_of(chain, "hook"), hook) != 0 ||
		        !table_in_force(j, family, string_of(chain, "table")))
			continue;
		if (!found || strcmp(string_of(chain, "policy"), "drop") == 0)
			found = strcmp(string_of(chain, "policy"), "drop") == 0 ? "drop" : "accept";
	}
	fact(j, key, found);
}

static void nat_judge(struct judge *j)
{
	bool any = false;
	size_t i;
	json_t *o;

	json_array_foreach(j->all, i, o)
	{
		json_t *chain = json_object_get(o, "chain");
		if (strcmp(string_of(chain, "type"), "nat") == 0) {
			any = true;
			j->failed |= evidence_item(j->e, "net", "nft:nat", string_of(chain, "hook"),
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
	struct judge j = {.all = json_object_get(root, "nftables"), .e = e};

	if (!json_is_array(j.all) || !json_object_get(json_array_get(j.all, 0), "metainfo")) {
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
	j = (struct judge){.all = j.all, .e = e, .strange = j.strange, .failed = j.failed};
	if (j.strange)
		ruleset_unseen(e, j.strange);
	else if (!j.failed)
		all_judge(&j, ipv6, bridged);
	json_decref(root);
	if (!j.failed)
		return 0;
	errno = E2BIG;
	return -1;
}
