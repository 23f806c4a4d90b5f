#define _GNU_SOURCE
#include "nft-walk.h"

#include "evidence.h"
#include "nft-values.h"

#include <stdio.h>
#include <string.h>

enum {
	DEPTH_MAX = 16, /* NFT_JUMP_STACK_SIZE of the kernel */
	TEXT_BYTES = 160,
};

const char *const l3_name[] = {"ip", "ip6"};
const char *const hook_name[] = {"input", "forward", "output"};

enum end { END_FALLS, END_STOPPED };

struct walk {
	struct traffic t;
	struct evidence *e; /* NULL: nothing goes into it */
	struct verdict *v;
	bool failed; /* the evidence is full */
};

/* --- accepts --- */

static void item(struct walk *w, const char *key, const char *chain, json_int_t handle)
{
	char text[TEXT_BYTES];

	if (!w->e)
		return;
	if (handle < 0)
		snprintf(text, sizeof text, "%.12s %.40s %.40s: policy accept", w->t.table.family,
		        w->t.table.name, chain);
	else
		snprintf(text, sizeof text, "%.12s %.40s %.40s handle %lld (%s, %s)", w->t.table.family,
		        w->t.table.name, chain, (long long)handle, l3_name[w->t.l3], hook_name[w->t.hook]);
	if (evidence_item(w->e, "net", key, text, "nft -j list ruleset") < 0)
		w->failed = true;
}

/* Who is named as a peer. */
static void flows_put(struct walk *w, const struct path *p)
{
	struct verdict *v = w->v;

	switch (egress_put(w->e, p->met, p->mets, w->t.l3 == IP6, &v->flows)) {
	case EGRESS_DONE: v->flows_strange |= p->met_more; break;
	case EGRESS_STRANGE: v->flows_strange = true; break;
	case EGRESS_FULL: w->failed = true; break;
	}
}

/* Where a rule lets everything through, no more is said of it. */
static void accepted(struct walk *w, const struct path *p, const char *chain, json_int_t handle)
{
	struct verdict *v = w->v;
	unsigned b = p->bound;

	if (b & BOUND_REPLY && !(b & (BOUND_ICMP | BOUND_ICMP_ALL))) /* errors about it are no replies */
		v->replies = true;
	if (b & (BOUND_REPLY | BOUND_LOOPBACK))
		return;
	if (w->t.hook == FORWARD) {
		v->forwards++;
		item(w, "nft:forwarded", chain, handle);
		return;
	}
	if (!(b & BOUND_SOME)) {
		v->everything++;
		item(w, "nft:accept-everything", chain, handle);
		return;
	}
	if (b & BOUND_ICMP_ALL || (b & BOUND_ICMP && w->t.hook == INPUT && !(b & BOUND_RATE))) {
		v->icmp++;
		item(w, "nft:icmp", chain, handle);
		return;
	}
	if (b & BOUND_ICMP)
		return;
	if (w->t.hook == INPUT && (b & (BOUND_PORT | BOUND_PEER)) != (BOUND_PORT | BOUND_PEER)) {
		v->loose++;
		item(w, "nft:accept-rules", chain, handle);
	}
	if (w->t.hook == OUTPUT && !(b & BOUND_USER)) {
		v->unbound_user++;
		item(w, "nft:egress-uid", chain, handle);
	}
	if (w->t.hook == OUTPUT && (b & (BOUND_PORT | BOUND_PEER)) != (BOUND_PORT | BOUND_PEER)) {
		v->unbound_peer++;
		item(w, "nft:egress-dst", chain, handle);
	}
	if (w->t.hook == OUTPUT && b & BOUND_PEER && w->e)
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
		        chain_walk(w, nft_text(go, "target"), p, at->generic && p->every, at->depth + 1);
		return end == END_STOPPED && p->every ? NEXT_ENDS : NEXT_RULE;
	}
	if ((go = json_object_get(statement, "goto"))) {
		enum end end =
		        chain_walk(w, nft_text(go, "target"), p, at->generic && p->every, at->depth + 1);
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
	json_t *set = values_elements(&w->t.table, data, &dynamic);
	size_t i;

	if (dynamic)
		w->t.table.nft->strange = "a verdict map that packets can change, or that is not there";
	json_array_foreach(set, i, element)
	{
		json_t *key = values_part(json_array_get(element, 0), -1),
		       *verdict = json_array_get(element, 1);
		struct path q = *p;
		match_left(&w->t, json_object_get(vmap, "key"), key, -1, &q);
		q.every = false;
		if (!q.never && verdict_take(w, verdict, &q, at, escaped) == NEXT_STATEMENT &&
		        !json_object_get(verdict, "continue"))
			w->t.table.nft->strange = "a verdict map with another verdict";
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
		w->t.table.nft->strange = "a statement that is not understood";
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
				match_take(&w->t, value, &p);
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
		w->t.table.nft->strange = "jumps that are too deep";
		return END_FALLS;
	}
	p.every = true;
	json_array_foreach(w->t.table.nft->all, i, o)
	{
		json_t *rule = json_object_get(o, "rule");
		if (!nft_step(w->t.table.nft))
			return END_FALLS;
		if (!rule || strcmp(nft_text(rule, "chain"), chain) != 0 ||
		        strcmp(nft_text(rule, "table"), w->t.table.name) != 0 ||
		        strcmp(nft_text(rule, "family"), w->t.table.family) != 0)
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

int chain_judge(struct nft *nft, const json_t *chain, enum l3 l3, enum hook hook, struct evidence *e,
        struct verdict *v)
{
	struct walk w = {{{nft, nft_text(chain, "family"), nft_text(chain, "table")}, l3, hook}, e, v, false};
	struct path all = {.every = true};
	const char *name = nft_text(chain, "name");

	if (chain_walk(&w, name, &all, true, 0) == END_FALLS &&
	        strcmp(nft_text(chain, "policy"), "drop") != 0) {
		accepted(&w, &(struct path){0}, name, -1);
		v->fate = v->fate == FATE_OPEN ? FATE_ACCEPT : v->fate;
		/* some came back although the packet without conditions was dropped: the policy has them */
		v->everything += hook == FORWARD;
	}
	if (v->fate == FATE_OPEN)
		v->fate = FATE_DROP;
	return w.failed ? -1 : 0;
}
