/* Reads /etc/resolv.conf and nsswitch.conf, /proc/PID/comm and cmdline, and the configuration of the resolver
 * of this device that runs: unbound, systemd-resolved or stubby. Of another one it is not known what it does.
 */
#define _GNU_SOURCE
#include "resolver.h"

#include "daemons.h"
#include "list.h"
#include "socket-line.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { DAEMONS_MAX = 8, TABLE_BYTES_MAX = 8 << 20 };

static const char group[] = "net";

/* --- resolv.conf, nsswitch.conf --- */

void resolver_line(char *line, void *resolver)
{
	struct resolver *r = resolver;
	unsigned char raw[16];
	char *word = lines_word(&line), *address;

	if (!word || strcmp(word, "nameserver") != 0)
		return;
	address = lines_word(&line);
	if (address && strchr(address, '%'))
		*strchr(address, '%') = 0; /* of a link, so a neighbour */
	if (address && inet_pton(AF_INET, address, raw) == 1)
		*(raw[0] == 127 ? &r->local : &r->remote) += 1;
	else if (address && inet_pton(AF_INET6, address, raw) == 1)
		*(strcmp(address, "::1") == 0 ? &r->local : &r->remote) += 1;
	else
		r->strange = true;
}

void resolver_switch_line(char *line, void *others)
{
	static const char *const fine[] = {"files", "dns", "resolve", "myhostname", "mymachines"};
	bool *out = others;
	char *word = lines_word(&line);
	int bracket = 0;

	if (!word || strcmp(word, "hosts:") != 0)
		return;
	while ((word = lines_word(&line))) {
		bool known = bracket || *word == '[';
		bracket = (bracket || *word == '[') && !strchr(word, ']');
		for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
			known |= strcmp(word, fine[i]) == 0;
		*out |= !known;
	}
}

/* --- unbound --- */

static void zone_end(struct resolver_unbound *u)
{
	if (u->clause == CLAUSE_ZONE) {
		u->roots += u->root;
		u->plain += !u->tls;
		u->first_all += u->first;
		u->unnamed += u->named < u->addresses || !u->addresses;
	}
	u->tls = u->root = u->first = false;
	u->addresses = u->named = 0;
}

static void clause_begin(struct resolver_unbound *u, const char *key)
{
	zone_end(u);
	u->clause = strcmp(key, "server") == 0                                          ? CLAUSE_SERVER
	            : strcmp(key, "forward-zone") == 0 || strcmp(key, "stub-zone") == 0 ? CLAUSE_ZONE
	                                                                                : CLAUSE_OTHER;
}

static void zone_line(struct resolver_unbound *u, const char *key, const char *value)
{
	bool yes = strcmp(value, "yes") == 0;
	/* both kinds of zones have the same options, by another name */
	const char *dash = strchr(key, '-');
	const char *option = dash ? dash + 1 : key;

	if (strcmp(key, "name") == 0)
		u->root = strcmp(value, ".") == 0;
	else if (strcmp(option, "tls-upstream") == 0 || strcmp(option, "ssl-upstream") == 0)
		u->tls = yes;
	else if (strcmp(option, "first") == 0)
		u->first = yes;
	else if (strcmp(option, "addr") == 0 || strcmp(option, "host") == 0) {
		u->addresses++;
		u->named += strchr(value, '#') != NULL;
	}
}

static void server_line(struct resolver_unbound *u, const char *key, const char *value)
{
	if (strcmp(key, "tls-upstream") == 0 || strcmp(key, "ssl-upstream") == 0)
		u->tls_all = strcmp(value, "yes") == 0;
	if (strcmp(key, "tls-cert-bundle") == 0 || strcmp(key, "ssl-cert-bundle") == 0)
		u->certificates |= *value != 0;
	if (strcmp(key, "tls-system-cert") == 0)
		u->certificates |= strcmp(value, "yes") == 0;
}

static char *unquote(char *s)
{
	size_t n = strlen(s);

	if (n >= 2 && (*s == '"' || *s == '\'') && s[n - 1] == *s) {
		s[n - 1] = 0;
		return s + 1;
	}
	return s;
}

/* KEY: VALUE, one a line; what puts more on a line is not understood. A comment begins behind a blank, since
 * # is part of an address. */
void resolver_unbound_line(char *line, void *unbound)
{
	struct resolver_unbound *u = unbound;
	char *key = lines_word(&line), *value = lines_word(&line), *more = lines_word(&line);
	size_t n = key ? strlen(key) : 0;

	if (!n)
		return;
	if (key[n - 1] != ':' || (value && *value != '#' && more && *more != '#')) {
		u->strange = true;
		return;
	}
	key[n - 1] = 0;
	if (!value || *value == '#') {
		clause_begin(u, key);
		return;
	}
	value = unquote(value);
	if (strcmp(key, "include") == 0 || strcmp(key, "include-toplevel") == 0) {
		if (u->includes == RESOLVER_INCLUDES_MAX ||
		        lines_include_parse(value, "", &u->include[u->includes]) < 0)
			u->strange = true;
		else
			u->includes++;
	} else if (u->clause == CLAUSE_ZONE) {
		zone_line(u, key, value);
	} else if (u->clause == CLAUSE_SERVER) {
		server_line(u, key, value);
	} else if (strncmp(key, "forward-", 8) == 0 || strncmp(key, "stub-", 5) == 0) {
		u->strange = true; /* of a zone that is not known */
	}
}

enum resolver_way resolver_unbound_end(struct resolver_unbound *u)
{
	zone_end(u);
	u->clause = CLAUSE_OTHER;
	if ((u->plain && !u->tls_all) || u->first_all || (!u->roots && !u->tls_all))
		return RESOLVER_PLAIN;
	return u->unnamed || !u->certificates || !u->roots ? RESOLVER_OPPORTUNISTIC : RESOLVER_ENCRYPTED;
}

/* false: cannot be read, or is not understood */
static bool unbound_read(const struct where *w, pid_t pid, enum resolver_way *out)
{
	static struct resolver_unbound u;
	char path[DAEMONS_ARGUMENT_BYTES];
	int given = daemons_argument(w, pid, 'c', 0, path);
	const char *file = given ? path + 1 : "etc/unbound/unbound.conf";

	u = (struct resolver_unbound){0};
	if (given < 0 || (given && *path != '/') ||
	        lines_of_file(w, file, "#", resolver_unbound_line, &u) < 0)
		return false;
	for (unsigned i = 0; i < u.includes; i++) {
		zone_end(&u);
		u.clause = CLAUSE_OTHER;
		if (lines_of_include(w, &u.include[i], "#", resolver_unbound_line, &u) < 0)
			return false;
	}
	*out = resolver_unbound_end(&u);
	return !u.strange;
}

/* --- systemd-resolved --- */

void resolver_systemd_line(char *line, void *systemd)
{
	static const char *const yes[] = {"yes", "true", "1", "on", "y", "t"};
	struct resolver_systemd *s = systemd;
	char *equals = strchr(line, '='), *value = equals ? equals + 1 : NULL, *key = lines_word(&line);

	if (!value || !key)
		return;
	key[strcspn(key, "=")] = 0;
	value += strspn(value, " \t");
	if (strcmp(key, "DNSOverTLS") != 0 && strcmp(key, "DNS_OVER_TLS") != 0)
		return;
	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
		if (strcasecmp(value, yes[i]) == 0) {
			s->yes++;
			return;
		}
	*(strcasecmp(value, "opportunistic") == 0 ? &s->opportunistic : &s->no) += 1;
}

enum resolver_way resolver_systemd_end(const struct resolver_systemd *s)
{
	if (s->no || !(s->yes + s->opportunistic))
		return RESOLVER_PLAIN;
	return s->opportunistic ? RESOLVER_OPPORTUNISTIC : RESOLVER_ENCRYPTED;
}

static bool systemd_read(const struct where *w, enum resolver_way *out)
{
	static const char *const folders[] = {"etc/systemd/resolved.conf.d", "run/systemd/resolved.conf.d",
	        "usr/local/lib/systemd/resolved.conf.d", "usr/lib/systemd/resolved.conf.d",
	        "run/systemd/netif/links", "run/systemd/resolve/netif"};
	struct resolver_systemd s = {0};

	if (lines_of_file(w, "etc/systemd/resolved.conf", "#;", resolver_systemd_line, &s) < 0 &&
	        errno != ENOENT)
		return false;
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
		if (lines_of_folder(w, folders[i], i < 4 ? ".conf" : "", "#;", resolver_systemd_line, &s) <
		                0 &&
		        errno != ENOENT)
			return false;
	*out = resolver_systemd_end(&s);
	return true;
}

/* --- stubby --- */

struct stubby {
	bool tls, other, required;
};

static void stubby_line(char *line, void *arg)
{
	struct stubby *s = arg;

	s->tls |= strstr(line, "GETDNS_TRANSPORT_TLS") != NULL;
	s->other |= strstr(line, "GETDNS_TRANSPORT_UDP") || strstr(line, "GETDNS_TRANSPORT_TCP");
	s->required |= strstr(line, "GETDNS_AUTHENTICATION_REQUIRED") != NULL;
}

static bool stubby_read(const struct where *w, pid_t pid, enum resolver_way *out)
{
	struct stubby s = {false, false, false};
	char path[DAEMONS_ARGUMENT_BYTES];
	int given = daemons_argument(w, pid, 'C', 0, path);

	if (given < 0 || (given && *path != '/') ||
	        lines_of_file(w, given ? path + 1 : "etc/stubby/stubby.yml", "#", stubby_line, &s) < 0)
		return false;
	*out = s.other || !s.tls ? RESOLVER_PLAIN : s.required ? RESOLVER_ENCRYPTED : RESOLVER_OPPORTUNISTIC;
	return true;
}

/* --- all together --- */

static int way_put(struct evidence *e, enum resolver_way way, const char *source)
{
	static const char *const names[] = {"encrypted", "opportunistic", "plain"};
	return evidence_fact(e, group, "dns", names[way], source);
}

/* Does anybody take questions? -1: cannot be told. */
static int answered(const struct where *w)
{
	static const char *const tables[] = {"proc/net/udp", "proc/net/udp6"};
	int r = 0;

	for (size_t i = 0; i < 2; i++) {
		size_t n;
		char *text = where_read(w, tables[i], TABLE_BYTES_MAX, &n), *save = NULL;
		if (!text && (i == 0 || errno != ENOENT))
			return -1;
		if (text)
			(void)strtok_r(text, "\n", &save); /* the heading */
		for (char *line; text && (line = strtok_r(NULL, "\n", &save));) {
			struct socket_line s;
			if (socket_line_parse(line, i == 1, &s) < 0)
				r = -1;
			else if (r == 0 && strcmp(strrchr(s.local, ':'), ":53") == 0)
				r = 1;
		}
		free(text);
	}
	return r;
}

/* The worst of the resolvers of this device, since each of them may be the one that is asked. */
static int local_collect(struct evidence *e, const struct where *w)
{
	static const char *const names[] = {"unbound", "systemd-resolved", "stubby", "dnsmasq", "named",
	        "kresd", "dnscrypt-proxy", "pdns_recursor", "coredns", NULL};
	struct daemon found[DAEMONS_MAX];
	enum resolver_way worst = RESOLVER_ENCRYPTED, way = RESOLVER_PLAIN;
	bool known = true;
	const char *why;
	int n = daemons_find(w, names, found, DAEMONS_MAX, &why);

	if (n < 0)
		return evidence_unseen(e, group, "dns", why);
	if (n == 0 && answered(w) == 0)
		return evidence_none(e, group, "dns", "nobody answers: no server elsewhere, none here");
	for (int i = 0; i < n; i++) {
		known &= strcmp(found[i].name, "unbound") == 0           ? unbound_read(w, found[i].pid, &way)
		         : strcmp(found[i].name, "systemd-resolve") == 0 ? systemd_read(w, &way)
		         : strcmp(found[i].name, "stubby") == 0          ? stubby_read(w, found[i].pid, &way)
		                                                         : false;
		worst = way > worst ? way : worst;
	}
	if (n == 0 || !known)
		return evidence_unseen(e, group, "dns",
		        "what the resolver of this device does cannot be read, or not understood");
	return way_put(e, worst, found[0].name);
}

static int dns_collect(struct evidence *e, const struct where *w)
{
	struct resolver r = {0};
	bool others = false;

	if (lines_of_file(w, "etc/resolv.conf", "#;", resolver_line, &r) < 0 && errno != ENOENT)
		return evidence_unseen(e, group, "dns", "/etc/resolv.conf cannot be read");
	if (lines_of_file(w, "etc/nsswitch.conf", "#", resolver_switch_line, &others) < 0 && errno != ENOENT)
		return evidence_unseen(e, group, "dns", "/etc/nsswitch.conf cannot be read");
	if (r.remote)
		return way_put(e, RESOLVER_PLAIN, "/etc/resolv.conf");
	if (others)
		return way_put(e, RESOLVER_PLAIN, "/etc/nsswitch.conf");
	if (r.strange)
		return evidence_unseen(e, group, "dns", "a server in /etc/resolv.conf that is no address");
	return local_collect(e, w);
}

/* Whoever answers instead gets no further when the server's key is known. */
static int pin_collect(struct evidence *e, const struct where *w)
{
	static const char *const names[] = {"cam-ship", NULL};
	struct daemon found[DAEMONS_MAX];
	char pin[DAEMONS_ARGUMENT_BYTES];
	const char *why, *pinned = "yes";
	bool unread = false;
	int n = daemons_find(w, names, found, DAEMONS_MAX, &why);

	if (n <= 0)
		return evidence_unseen(e, group, "server-pinned", n < 0 ? why : "no cam-ship is running");
	for (int i = 0; i < n; i++) {
		int given = daemons_argument(w, found[i].pid, 'p', 0, pin);
		if (given < 0)
			unread = true;
		else if (!given || strncmp(pin, "sha256//", 8) != 0)
			pinned = "no";
	}
	if (unread && strcmp(pinned, "yes") == 0)
		return evidence_unseen(e, group, "server-pinned", "the arguments of cam-ship cannot be read");
	return evidence_fact(e, group, "server-pinned", pinned, "/proc/PID/cmdline");
}

int resolver_collect(struct evidence *e, const struct where *w)
{
	return w->live ? dns_collect(e, w) | pin_collect(e, w) : 0;
}
