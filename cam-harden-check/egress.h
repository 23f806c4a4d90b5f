/* egress: whom the packet filter names as a peer, and who is talked to beside that.
 *
 * A flow is what one accept on the way out names: addresses, ports of TCP and users, each from one to
 * another. As text it is "203.0.113.7 port 443 uid 904", or "FROM-TO" in each place. */
#ifndef EGRESS_H
#define EGRESS_H
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct evidence;

enum {
	EGRESS_CONDITIONS_MAX = 8,
	EGRESS_FLOWS_MAX = 512,
	EGRESS_TEXT_BYTES = 192,
	EGRESS_ADDRESS_BYTES = 16
};

/* What a packet met on its way to an accept. set: the array behind right, or NULL: right is one value. */
struct egress_condition {
	const json_t *left, *set, *right;
};

struct egress_flow {
	bool v6;
	uint8_t address[2][EGRESS_ADDRESS_BYTES]; /* from, to; of IPv4 the first four bytes */
	uint32_t port[2], uid[2];
};

enum egress_put { EGRESS_DONE, EGRESS_STRANGE, EGRESS_FULL };

/* Items "egress-allowed" of the group "net", at most EGRESS_FLOWS_MAX in all, of which *n were used. */
enum egress_put egress_put(
        struct evidence *, const struct egress_condition *, size_t conditions, bool v6, size_t *n);
/* 0, or -1: not such a text. */
int egress_parse(const char *text, struct egress_flow *out);
/* address as /proc/net has it, ADDRESS:PORT or [ADDRESS]:PORT; IPv4 in IPv6 counts as IPv4. -1: no address.
 */
int egress_names(const struct egress_flow *, const char *address, unsigned long uid);

/* From "tcp-established" and "egress-allowed": "established:unallowed", the connections that no flow names,
 * and "tcp-peers", the addresses alone. 0, or -1: evidence full. */
int egress_compare(struct evidence *);
#endif
