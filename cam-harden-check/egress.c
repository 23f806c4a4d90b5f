/* Takes values of nft's JSON (libnftables-json(5)) and lines of the evidence apart. A value that is not
 * understood names nobody; who is talked to beside it is then not known. */
#define _GNU_SOURCE
#include "egress.h"

#include "list.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char group[] = "net", filter[] = "nft -j list ruleset";

/* --- values --- */

static const char *string_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s ? s : "";
}

static int address_take(const char *s, bool v6, uint8_t out[EGRESS_ADDRESS_BYTES])
{
	memset(out, 0, EGRESS_ADDRESS_BYTES);
	return s && inet_pton(v6 ? AF_INET6 : AF_INET, s, out) == 1 ? 0 : -1;
}

static int prefix_take(const json_t *prefix, bool v6, uint8_t out[2][EGRESS_ADDRESS_BYTES])
{
	json_int_t bits = json_integer_value(json_object_get(prefix, "len"));

	if (address_take(string_of(prefix, "addr"), v6, out[0]) < 0 || bits < 0 || bits > (v6 ? 128 : 32))
		return -1;
	memcpy(out[1], out[0], EGRESS_ADDRESS_BYTES);
	for (int i = (int)bits; i < (v6 ? 128 : 32); i++) {
		out[0][i / 8] &= (uint8_t) ~(0x80 >> i % 8);
		out[1][i / 8] |= (uint8_t)(0x80 >> i % 8);
	}
	return 0;
}

static int addresses_take(const json_t *value, bool v6, uint8_t out[2][EGRESS_ADDRESS_BYTES])
{
	const json_t *prefix = json_object_get(value, "prefix"), *range = json_object_get(value, "range");

	if (prefix)
		return prefix_take(prefix, v6, out);
	const json_t *from = range ? json_array_get(range, 0) : value,
	             *to = range ? json_array_get(range, 1) : value;
	return address_take(json_string_value(from), v6, out[0]) < 0 ||
	                       address_take(json_string_value(to), v6, out[1]) < 0
	               ? -1
	               : 0;
}

static int numbers_take(const json_t *value, json_int_t max, uint32_t out[2])
{
	const json_t *range = json_object_get(value, "range");

	for (size_t i = 0; i < 2; i++) {
		const json_t *one = range ? json_array_get(range, i) : value;
		if (!json_is_integer(one) || json_integer_value(one) < 0 || json_integer_value(one) > max)
			return -1;
		out[i] = (uint32_t)json_integer_value(one);
	}
	return 0;
}

/* --- one more condition: what both let through --- */

static bool numbers_meet(uint32_t a[2], const uint32_t b[2])
{
	a[0] = a[0] > b[0] ? a[0] : b[0];
	a[1] = a[1] < b[1] ? a[1] : b[1];
	return a[0] <= a[1];
}

static bool addresses_meet(uint8_t a[2][EGRESS_ADDRESS_BYTES], uint8_t b[2][EGRESS_ADDRESS_BYTES])
{
	if (memcmp(a[0], b[0], EGRESS_ADDRESS_BYTES) < 0)
		memcpy(a[0], b[0], EGRESS_ADDRESS_BYTES);
	if (memcmp(a[1], b[1], EGRESS_ADDRESS_BYTES) > 0)
		memcpy(a[1], b[1], EGRESS_ADDRESS_BYTES);
	return memcmp(a[0], a[1], EGRESS_ADDRESS_BYTES) <= 0;
}

enum meets { MEETS_NONE, MEETS, MEETS_STRANGE };

static enum meets payload_meet(
        const char *protocol, const char *field, const json_t *value, struct egress_flow *f)
{
	uint8_t address[2][EGRESS_ADDRESS_BYTES];
	uint32_t port[2];

	if (strcmp(protocol, f->v6 ? "ip6" : "ip") == 0 && strcmp(field, "daddr") == 0) {
		if (addresses_take(value, f->v6, address) < 0)
			return MEETS_STRANGE;
		return addresses_meet(f->address, address) ? MEETS : MEETS_NONE;
	}
	if (strcmp(field, "dport") != 0)
		return MEETS; /* at most less of it */
	if (strcmp(protocol, "tcp") != 0 && strcmp(protocol, "th") != 0)
		return MEETS_NONE; /* no connection of TCP */
	if (numbers_take(value, 65535, port) < 0)
		return MEETS_STRANGE;
	return numbers_meet(f->port, port) ? MEETS : MEETS_NONE;
}

static enum meets value_meet(const json_t *left, const json_t *value, struct egress_flow *f)
{
	const json_t *meta = json_object_get(left, "meta"), *payload = json_object_get(left, "payload");
	const char *key = string_of(meta, "key");
	uint32_t uid[2];

	if (payload)
		return payload_meet(string_of(payload, "protocol"), string_of(payload, "field"), value, f);
	if (strcmp(key, "skuid") == 0) {
		if (numbers_take(value, UINT32_MAX, uid) < 0)
			return MEETS_STRANGE;
		return numbers_meet(f->uid, uid) ? MEETS : MEETS_NONE;
	}
	if (strcmp(key, "l4proto") == 0 && json_is_string(value))
		return strcmp(json_string_value(value), "tcp") == 0 ? MEETS : MEETS_NONE;
	return MEETS;
}

/* An element may be wrapped, and of a map it has a value beside it. */
static const json_t *element_value(const json_t *element)
{
	if (json_is_array(element))
		element = json_array_get(element, 0);
	const json_t *inner = json_object_get(element, "elem");
	return inner ? json_object_get(inner, "val") : element;
}

static enum meets element_meet(const json_t *left, const json_t *element, struct egress_flow *f)
{
	const json_t *concat = json_object_get(left, "concat"), *value = element_value(element),
	             *parts = json_object_get(value, "concat");
	enum meets all = MEETS;

	if (!concat)
		return value_meet(left, value, f);
	if (json_array_size(parts) != json_array_size(concat))
		return MEETS_STRANGE;
	for (size_t i = 0; i < json_array_size(concat); i++) {
		enum meets one = value_meet(json_array_get(concat, i), json_array_get(parts, i), f);
		if (one == MEETS_NONE)
			return one;
		all = one == MEETS_STRANGE ? one : all;
	}
	return all;
}

/* --- all conditions, element by element --- */

struct putting {
	struct evidence *e;
	const struct egress_condition *condition;
	size_t conditions, *n;
	bool strange, full;
};

static void range_text(char *out, size_t max, const uint32_t n[2], uint32_t all)
{
	if (n[0] == 0 && n[1] == all)
		snprintf(out, max, "any");
	else if (n[0] == n[1])
		snprintf(out, max, "%lu", (unsigned long)n[0]);
	else
		snprintf(out, max, "%lu-%lu", (unsigned long)n[0], (unsigned long)n[1]);
}

static void flow_put(struct putting *p, const struct egress_flow *f)
{
	char text[EGRESS_TEXT_BYTES], from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN], port[24], uid[24];
	int family = f->v6 ? AF_INET6 : AF_INET;
	bool one = memcmp(f->address[0], f->address[1], EGRESS_ADDRESS_BYTES) == 0;

	if (++*p->n > EGRESS_FLOWS_MAX) {
		p->strange = true;
		return;
	}
	inet_ntop(family, f->address[0], from, sizeof from);
	inet_ntop(family, f->address[1], to, sizeof to);
	range_text(port, sizeof port, f->port, 65535);
	range_text(uid, sizeof uid, f->uid, UINT32_MAX);
	snprintf(text, sizeof text, "%s%s%s port %s uid %s", from, one ? "" : "-", one ? "" : to, port, uid);
	p->full |= evidence_item(p->e, group, "egress-allowed", text, filter) < 0;
}

static void conditions_meet(struct putting *p, size_t at, const struct egress_flow *so_far)
{
	if (at == p->conditions) {
		flow_put(p, so_far);
		return;
	}
	const struct egress_condition *c = &p->condition[at];
	size_t n = c->set ? json_array_size(c->set) : 1;
	for (size_t i = 0; i < n && !p->full && *p->n <= EGRESS_FLOWS_MAX; i++) {
		struct egress_flow f = *so_far;
		switch (element_meet(c->left, c->set ? json_array_get(c->set, i) : c->right, &f)) {
		case MEETS: conditions_meet(p, at + 1, &f); break;
		case MEETS_STRANGE: p->strange = true; break;
		case MEETS_NONE: break;
		}
	}
}

enum egress_put egress_put(
        struct evidence *e, const struct egress_condition *condition, size_t conditions, bool v6, size_t *n)
{
	struct putting p = {e, condition, conditions, n, false, false};
	struct egress_flow all = {.v6 = v6, .port = {0, 65535}, .uid = {0, UINT32_MAX}};

	memset(all.address[1], 0xff, v6 ? 16 : 4);
	conditions_meet(&p, 0, &all);
	return p.full ? EGRESS_FULL : p.strange ? EGRESS_STRANGE : EGRESS_DONE;
}

/* --- back from text --- */

static int range_parse(const char *s, uint32_t max, uint32_t out[2])
{
	char *end;

	out[0] = 0;
	out[1] = max;
	if (strcmp(s, "any") == 0)
		return 0;
	unsigned long from = strtoul(s, &end, 10), to = *end == '-' ? strtoul(end + 1, &end, 10) : from;
	out[0] = (uint32_t)from;
	out[1] = (uint32_t)to;
	return *end || end == s || from > to || to > max ? -1 : 0;
}

int egress_parse(const char *text, struct egress_flow *out)
{
	char address[2 * INET6_ADDRSTRLEN], port[24], uid[24], *to;

	*out = (struct egress_flow){0};
	if (sscanf(text, "%91s port %23s uid %23s", address, port, uid) != 3 ||
	        range_parse(port, 65535, out->port) < 0 || range_parse(uid, UINT32_MAX, out->uid) < 0)
		return -1;
	to = strchr(address, '-');
	if (to)
		*to++ = 0;
	out->v6 = strchr(address, ':');
	if (address_take(address, out->v6, out->address[0]) < 0)
		return -1;
	return address_take(to ? to : address, out->v6, out->address[1]);
}

/* ADDRESS:PORT, or [ADDRESS]:PORT. */
static int peer_parse(const char *s, bool *v6, uint8_t out[EGRESS_ADDRESS_BYTES], uint32_t *port)
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	char address[INET6_ADDRSTRLEN];
	const char *colon = strrchr(s, ':');
	uint32_t ports[2];

	*v6 = *s == '[';
	size_t n = colon ? (size_t)(colon - s) - (*v6 ? 2 : 0) : 0;
	if (!colon || colon < s + 3 || n >= sizeof address || (*v6 && colon[-1] != ']') ||
	        range_parse(colon + 1, 65535, ports) < 0 || ports[0] != ports[1])
		return -1;
	snprintf(address, sizeof address, "%.*s", (int)n, s + *v6);
	*port = ports[0];
	if (address_take(address, *v6, out) < 0)
		return -1;
	if (*v6 && memcmp(out, mapped, sizeof mapped) == 0) {
		*v6 = false;
		memmove(out, out + 12, 4);
		memset(out + 4, 0, 12);
	}
	return 0;
}

int egress_names(const struct egress_flow *f, const char *address, unsigned long uid)
{
	uint8_t peer[EGRESS_ADDRESS_BYTES];
	uint32_t port;
	bool v6;

	if (peer_parse(address, &v6, peer, &port) < 0)
		return -1;
	return v6 == f->v6 && memcmp(f->address[0], peer, sizeof peer) <= 0 &&
	       memcmp(peer, f->address[1], sizeof peer) <= 0 && f->port[0] <= port && port <= f->port[1] &&
	       f->uid[0] <= uid && uid <= f->uid[1];
}

/* --- who is talked to --- */

/* 1: a flow names this connection, 0: none does, -1: it is not known whether one does. */
static int named(const struct evidence *e, const char *address, unsigned long uid)
{
	const struct fact *f = evidence_first(e, group, "egress-allowed");
	struct egress_flow flow;
	int known = f ? 0 : -1;

	for (; f; f = f->next)
		if (f->kind == FACT_UNSEEN || f->kind == FACT_REST)
			known = -1;
		else if (f->kind == FACT_ITEM && egress_parse(f->value, &flow) == 0 &&
		         egress_names(&flow, address, uid) == 1)
			return 1;
	return known;
}

static void connection_judge(
        const struct evidence *e, const char *text, struct list *unallowed, struct list *peers)
{
	char address[64];
	unsigned long uid;

	/* NOLINTNEXTLINE(cert-err34-c): written by the collector of sockets */
	if (sscanf(text, "%63s uid %lu ", address, &uid) != 2) {
		list_unseen(unallowed, "a connection that is not understood");
		list_unseen(peers, "a connection that is not understood");
		return;
	}
	list_add(peers, "%s", address);
	switch (named(e, address, uid)) {
	case 1: break;
	case 0: list_add(unallowed, "%s", text); break;
	default: list_unseen(unallowed, "whom the packet filter names was not seen"); break;
	}
}

int egress_compare(struct evidence *e)
{
	const struct fact *f = evidence_first(e, group, "tcp-established");
	struct list unallowed = {e, group, "established:unallowed", "/proc/net/tcp, and nft", 0, NULL, 0},
	            peers = {e, group, "tcp-peers", "/proc/net/tcp", 0, NULL, 0};

	if (!f || evidence_group_unseen(e, group))
		return 0;
	for (; f; f = f->next) {
		if (f->kind == FACT_ITEM)
			connection_judge(e, f->value, &unallowed, &peers);
		if (f->kind == FACT_UNSEEN || f->kind == FACT_REST) {
			list_unseen(&unallowed, f->value);
			list_unseen(&peers, f->value);
		}
	}
	return list_end(&unallowed) | list_end(&peers);
}
