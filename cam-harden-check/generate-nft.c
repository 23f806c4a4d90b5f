#define _GNU_SOURCE
#include "generate-nft.h"

#include "msg.h"
#include "number.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdarg.h>
#include <string.h>

/* --- operands --- */

int generate_nft_asks(const char *name)
{
	static const char *const names[] = {
	        "server", "port", "dns", "ntp", "ship", "time", "ipv6", "interface", "neighbours"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(names[i], name) == 0)
			return 1;
	return 0;
}

/* Addresses of IPv4, networks too, separated by commas. */
static int addresses_ok(const char *list)
{
	char copy[512], *s = copy;
	struct in_addr a;
	uint64_t bits;

	if (snprintf(copy, sizeof copy, "%s", list) >= (int)sizeof copy)
		return 0;
	for (char *one; (one = strsep(&s, ","));) {
		char *slash = strchr(one, '/');
		if (slash)
			*slash++ = 0;
		if (inet_pton(AF_INET, one, &a) != 1 || (slash && number_parse(slash, 8, 32, &bits) < 0))
			return 0;
	}
	return 1;
}

static int ports_ok(const char *list)
{
	char copy[128], *s = copy;
	uint64_t port;

	if (snprintf(copy, sizeof copy, "%s", list) >= (int)sizeof copy)
		return 0;
	for (char *one; (one = strsep(&s, ","));)
		if (number_parse(one, 1, 65535, &port) < 0)
			return 0;
	return 1;
}

/* A user, an interface. */
static int name_ok(const char *s)
{
	size_t n = 0;

	while (isalnum((unsigned char)s[n]) || (s[n] && strchr("._-", s[n])))
		n++;
	return n && n < 32 && !s[n];
}

static int mac_ok(const char *s)
{
	for (size_t i = 0; i < 17; i++)
		if (i % 3 == 2 ? s[i] != ':' : !isxdigit((unsigned char)s[i]))
			return 0;
	return !s[17];
}

/* ADDRESS/MAC of each neighbour, separated by commas. */
static int neighbours_ok(const char *list)
{
	char copy[512], *s = copy;
	struct in_addr a;

	if (strcmp(list, "none") == 0)
		return 1;
	if (snprintf(copy, sizeof copy, "%s", list) >= (int)sizeof copy)
		return 0;
	for (char *one; (one = strsep(&s, ","));) {
		char *mac = strchr(one, '/');
		if (!mac)
			return 0;
		*mac++ = 0;
		if (inet_pton(AF_INET, one, &a) != 1 || !mac_ok(mac))
			return 0;
	}
	return 1;
}

/* What was wrong or missing. */
struct missing {
	int n;
	bool tell;
};

/* The operand, or otherwise; NULL when it is wrong or missing, which is said and counted. */
static const char *want(const struct operands *o, const char *name, const char *otherwise,
        int (*ok)(const char *), const char *what, struct missing *missing)
{
	const char *v = operand(o, name);

	if (!generate_nft_asks(name))
		die(EXIT_BUG, "%s: an operand without a name", name);
	if (!v)
		v = otherwise;
	if (v && ok(v))
		return v;
	if (missing->tell && v)
		msg("%s=%s: not %s", name, v, what);
	else if (missing->tell)
		msg("%s: needed: %s", name, what);
	missing->n++;
	return NULL;
}

/* --- the ruleset --- */

/* A rule of the policy speaks of a part of the ruleset by a key of the group "net". */
struct nft {
	const struct policy *p;
	FILE *out;
};

static const char *id_of(const struct policy *p, const char *key)
{
	for (size_t i = 0; i < p->rules; i++)
		if (strcmp(p->rule[i].group, "net") == 0 && strcmp(p->rule[i].key, key) == 0)
			return p->rule[i].id;
	return key;
}

__attribute__((format(printf, 3, 4))) static void line(
        const struct nft *n, const char *key, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(n->out, fmt, ap);
	va_end(ap);
	fprintf(n->out, " # %s\n", id_of(n->p, key));
}

struct flows {
	const char *server, *port, *dns, *ntp, *ship, *time, *interface, *neighbours, *ipv6;
};

static void input(const struct nft *n)
{
	fputs("\tchain input {\n", n->out);
	line(n, "nft:ip:input", "\t\ttype filter hook input priority filter; policy drop;");
	line(n, "nft:ct-invalid", "\t\tct state invalid counter drop");
	line(n, "nft:ip:input", "\t\tiif lo accept");
	line(n, "nft:lo-spoofed", "\t\tip saddr 127.0.0.0/8 counter drop");
	line(n, "nft:established", "\t\tct state established accept");
	line(n, "nft:icmp",
	        "\t\tct state related icmp type { destination-unreachable, time-exceeded, parameter-problem "
	        "} limit rate "
	        "10/second accept");
	line(n, "nft:log", "\t\tlimit rate 6/minute log prefix \"cam in \"");
	fputs("\t}\n", n->out);
}

static void flow(const struct nft *n, const char *to, const char *user, const char *proto, const char *port)
{
	char daddr[600] = "";

	if (strcmp(to, "any") != 0)
		snprintf(daddr, sizeof daddr, "ip daddr { %s } ", to);
	line(n, "nft:egress-uid", "\t\tmeta skuid %s %s%s dport { %s } ct state new accept", user, daddr,
	        proto, port);
	/* the kernel's own last words of a connection have no user */
	line(n, "nft:egress-dst", "\t\t%s%s dport { %s } ct state established accept", daddr, proto, port);
}

static void output(const struct nft *n, const struct flows *f)
{
	fputs("\tchain output {\n", n->out);
	line(n, "nft:ip:output", "\t\ttype filter hook output priority filter; policy drop;");
	line(n, "nft:ip:output", "\t\toif lo accept");
	flow(n, f->server, f->ship, "tcp", f->port);
	if (strcmp(f->dns, "none") != 0) {
		flow(n, f->dns, f->ship, "udp", "53");
		flow(n, f->dns, f->ship, "tcp", "53");
	}
	if (strcmp(f->ntp, "none") != 0)
		flow(n, f->ntp, f->time, "udp", "123");
	line(n, "nft:log", "\t\tlimit rate 6/minute log prefix \"cam out \" flags skuid");
	fputs("\t}\n", n->out);
}

static void nothing(const struct nft *n, const char *family)
{
	static const char *const hooks[] = {"input", "forward", "output"};

	fprintf(n->out, "table %s cam\ndelete table %s cam\ntable %s cam {\n", family, family, family);
	for (size_t i = 0; i < sizeof hooks / sizeof *hooks; i++) {
		char key[32];
		snprintf(key, sizeof key, "nft:%s:%s", family, hooks[i]);
		fprintf(n->out, "\tchain %s {\n", hooks[i]);
		line(n, key, "\t\ttype filter hook %s priority filter; policy drop;", hooks[i]);
		fputs("\t}\n", n->out);
	}
	fputs("}\n", n->out);
}

static void ingress(const struct nft *n, const char *interface)
{
	fputs("table netdev cam\ndelete table netdev cam\ntable netdev cam {\n\tchain ingress {\n", n->out);
	line(n, "nft:ingress", "\t\ttype filter hook ingress device \"%s\" priority filter; policy drop;",
	        interface);
	line(n, "nft:ingress", "\t\tether type { ip, arp } accept");
	fputs("\t}\n}\n", n->out);
}

/* Who may say which address is where; what nobody was told to believe is dropped. */
static void arp(const struct nft *n, const char *neighbours)
{
	char copy[512], *s = copy;

	snprintf(copy, sizeof copy, "%s", neighbours);
	fputs("table arp cam\ndelete table arp cam\ntable arp cam {\n\tchain input {\n", n->out);
	line(n, "nft:arp", "\t\ttype filter hook input priority filter; policy drop;");
	for (char *one; (one = strsep(&s, ","));) {
		const char *ip = strsep(&one, "/");
		line(n, "nft:arp", "\t\tarp saddr ip %s arp saddr ether %s accept", ip, one);
	}
	fputs("\t}\n}\n", n->out);
}

static int list_ok(const char *v)
{
	return strcmp(v, "any") == 0 || addresses_ok(v);
}

static int none_ok(const char *v)
{
	return strcmp(v, "none") == 0 || addresses_ok(v);
}

static int drop_ok(const char *v)
{
	return strcmp(v, "drop") == 0 || strcmp(v, "absent") == 0;
}

/* With IPv6 compiled out there is no family inet: the table is of ip, and IPv6 needs none. */
static const char *ipv6_of(const struct evidence *e)
{
	const struct fact *f = evidence_first(e, "kconfig", "CONFIG_IPV6");
	return f && strcmp(f->value, "n") == 0 ? "absent" : "drop";
}

/* 0, or how many are missing. */
static int flows_take(struct flows *f, const struct evidence *e, const struct operands *o, bool tell)
{
	struct missing missing = {0, tell};

	f->server = want(o, "server", NULL, list_ok, "addresses of IPv4, or any", &missing);
	f->port = want(o, "port", "443", ports_ok, "ports", &missing);
	f->dns = want(o, "dns", "none", none_ok, "addresses of IPv4, or none", &missing);
	f->ntp = want(o, "ntp", "none", none_ok, "addresses of IPv4, or none", &missing);
	f->ship = want(o, "ship", "camship", name_ok, "a user", &missing);
	f->time = want(o, "time", "ntp", name_ok, "a user", &missing);
	f->ipv6 = want(o, "ipv6", ipv6_of(e), drop_ok, "drop or absent", &missing);
	f->interface = want(o, "interface", NULL, name_ok, "an interface, or none", &missing);
	f->neighbours = want(o, "neighbours", NULL, neighbours_ok, "ADDRESS/MAC of each, or none", &missing);
	return missing.n;
}

/* All of them, so that whoever has the file can write it again. */
static void operands_write(const struct flows *f, FILE *out)
{
	fprintf(out,
	        GENERATE_NFT_WITH
	        "server=%s port=%s dns=%s ntp=%s ship=%s time=%s interface=%s neighbours=%s "
	        "ipv6=%s\n",
	        f->server, f->port, f->dns, f->ntp, f->ship, f->time, f->interface, f->neighbours, f->ipv6);
}

int generate_nft(
        const struct policy *p, const struct evidence *e, const struct operands *o, FILE *out, bool tell)
{
	struct nft n = {p, out};
	struct flows f;
	int missing = flows_take(&f, e, o, tell);

	if (missing)
		return missing;
	fprintf(out, "# From the policy %s, by cam-harden-check -g nft: each line with the id of its rule.\n",
	        p->layer[p->layers - 1]);
	operands_write(&f, out);
	fputs("table ip cam\ndelete table ip cam\ntable ip cam {\n", out);
	input(&n);
	fputs("\tchain forward {\n", out);
	line(&n, "nft:ip:forward", "\t\ttype filter hook forward priority filter; policy drop;");
	fputs("\t}\n", out);
	output(&n, &f);
	fputs("}\n", out);
	if (strcmp(f.ipv6, "drop") == 0)
		nothing(&n, "ip6");
	if (strcmp(f.interface, "none") != 0)
		ingress(&n, f.interface);
	if (strcmp(f.neighbours, "none") != 0)
		arp(&n, f.neighbours);
	return 0;
}
