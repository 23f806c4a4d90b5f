/* resolver: whom the running device asks for names, and whether others can read along or answer instead. */
#ifndef RESOLVER_H
#define RESOLVER_H
#include "evidence.h"
#include "lines.h"
#include "where.h"

#include <stdbool.h>

enum { RESOLVER_INCLUDES_MAX = 16 };

/* How names travel: the worst counts. */
enum resolver_way {
	RESOLVER_ENCRYPTED,
	RESOLVER_OPPORTUNISTIC, /* encrypted, but for whoever says that he cannot, or to anybody */
	RESOLVER_PLAIN,
};

/* resolv.conf(5). */
struct resolver {
	unsigned local, remote; /* servers: on this device, elsewhere */
	bool strange;           /* a server that is no address */
};
void resolver_line(char *line, void *resolver);
/* nsswitch.conf(5); bool: others than files and servers are asked for hosts: neighbours, strangers. */
void resolver_switch_line(char *line, void *others);

/* unbound.conf(5). */
struct resolver_unbound {
	enum { CLAUSE_OTHER, CLAUSE_SERVER, CLAUSE_ZONE } clause;
	/* of the zone that is read */
	bool tls, root, first;
	unsigned addresses, named;
	/* of all */
	bool tls_all, certificates, strange;
	unsigned roots, plain, first_all, unnamed;
	struct lines_include include[RESOLVER_INCLUDES_MAX];
	unsigned includes;
};
void resolver_unbound_line(char *line, void *unbound);
/* Behind the last line of the last file. */
enum resolver_way resolver_unbound_end(struct resolver_unbound *);

/* Lines of systemd-resolved's files, and of what systemd says of each link. */
struct resolver_systemd {
	unsigned yes, opportunistic, no;
};
void resolver_systemd_line(char *line, void *systemd);
enum resolver_way resolver_systemd_end(const struct resolver_systemd *);

/* The keys "dns" and "server-pinned" of the group "net". Live only. 0, or -1: evidence full. */
int resolver_collect(struct evidence *, const struct where *);
#endif
