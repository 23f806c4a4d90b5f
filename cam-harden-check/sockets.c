/* Reads the tables of /proc/net. A table that cannot be read, or has a line that is not understood, was not
 * seen; only one that is not there although /proc/net is has no sockets. Opens no socket. */
#define _GNU_SOURCE
#include "sockets.h"

#include "interfaces.h"
#include "list.h"
#include "socket-line.h"
#include "socket-owners.h"
#include "socket-peers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STATE_LISTEN = 10 };

static const char group[] = "net";

/* --- the internet's --- */

struct lists {
	const struct socket_owners *owners;
	struct list *listen, *loopback, *peers;
	bool tcp;
};

static void line_note(const struct lists *l, const struct socket_line *s)
{
	char owner[SOCKET_OWNER_BYTES];
	const char *who = socket_owner_text(l->owners, s->inode, owner);
	bool listens = l->tcp ? s->state == STATE_LISTEN : !s->connected;

	if (listens && s->loopback)
		list_add(l->loopback, "%s uid %lu %s", s->local, s->uid, who);
	else if (listens)
		list_add(l->listen, "%s uid %lu %s", s->local, s->uid, who);
	else if (l->tcp)
		socket_peer_note(l->peers, l->owners, s);
}

/* A table, its heading left out, line by line. */
static void table_read(const struct where *w, const char *name, bool v6, const struct lists *l)
{
	char path[64], *save = NULL;
	struct socket_line s;
	size_t n;

	snprintf(path, sizeof path, "proc/net/%s", name);
	char *text = where_read(w, path, SOCKET_TABLE_BYTES_MAX, &n);
	if (!text) {
		if (errno != ENOENT)
			list_unseen(l->listen, "a table of /proc/net cannot be read");
		return;
	}
	if (!strtok_r(text, "\n", &save) || text[0] != ' ')
		list_unseen(l->listen, "a table of /proc/net without its heading");
	for (char *line; (line = strtok_r(NULL, "\n", &save));)
		if (socket_line_parse(line, v6, &s) == 0)
			line_note(l, &s);
		else
			list_unseen(l->listen, "a line of /proc/net that is not understood");
	free(text);
}

static int inet_collect(struct evidence *e, const struct where *w, const struct socket_owners *o)
{
	static const struct {
		const char *key, *table[3];
		bool v6, tcp;
	} kinds[] = {{"listen:tcp", {"tcp"}, false, true}, {"listen:tcp6", {"tcp6"}, true, true},
	        {"listen:udp", {"udp", "udplite"}, false, false},
	        {"listen:udp6", {"udp6", "udplite6"}, true, false}, {"listen:raw", {"raw"}, false, false},
	        {"listen:raw6", {"raw6"}, true, false}};
	struct list loopback = {e, group, "listen:loopback", "/proc/net", 0, NULL, 0};
	struct list peers = {e, group, "tcp-established", "/proc/net/tcp", 0, NULL, 0};
	int r = 0;

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		struct list listen = {e, group, kinds[i].key, "/proc/net", 0, NULL, 0};
		struct lists l = {o, &listen, &loopback, &peers, kinds[i].tcp};
		for (const char *const *t = kinds[i].table; *t; t++)
			table_read(w, *t, kinds[i].v6, &l);
		if (listen.unseen) {
			list_unseen(&loopback, listen.unseen);
			list_unseen(&peers, listen.unseen);
		}
		r |= list_end(&listen);
	}
	socket_peers_elsewhere(w, o, &peers);
	return r | list_end(&loopback) | list_end(&peers);
}

/* --- other families: what a line says is a matter of its heading --- */

typedef void noter(struct list *l, const struct socket_owners *o, char *line);

static int other_collect(struct evidence *e, const struct where *w, const char *key, const char *path,
        const struct socket_owners *o, noter *note)
{
	struct list l = {e, group, key, path, 0, NULL, 0};
	size_t n;
	char *text = where_read(w, path, SOCKET_TABLE_BYTES_MAX, &n), *save = NULL;

	if (!text && errno != ENOENT)
		list_unseen(&l, "cannot be read");
	char *line = text ? strtok_r(text, "\n", &save) : NULL;
	while (line && (line = strtok_r(NULL, "\n", &save)))
		note(&l, o, line);
	free(text);
	return list_end(&l);
}

/* sk RefCnt Type Proto Iface R Rmem User Inode */
static void packet_note(struct list *l, const struct socket_owners *o, char *line)
{
	char owner[SOCKET_OWNER_BYTES], protocol[16];
	unsigned long uid, inode;

	/* NOLINTNEXTLINE(cert-err34-c): the kernel prints these numbers */
	if (sscanf(line, "%*s %*d %*d %15s %*d %*d %*u %lu %lu", protocol, &uid, &inode) == 3)
		list_add(l, "ethertype %s uid %lu %s", protocol, uid, socket_owner_text(o, inode, owner));
	else
		list_unseen(l, "a line that is not understood");
}

/* Num RefCount Protocol Flags Type St Inode Path; flag 0x10000: listens. '@' stands for the NUL of an
 * abstract name. */
static void unix_note(struct list *l, const struct socket_owners *o, char *line)
{
	char owner[SOCKET_OWNER_BYTES];
	unsigned long flags, inode;
	int at = 0;

	/* NOLINTNEXTLINE(cert-err34-c): the kernel prints these numbers */
	if (sscanf(line, "%*s %*x %*x %lx %*x %*x %lu%n", &flags, &inode, &at) != 2 || !at)
		list_unseen(l, "a line that is not understood");
	else if (flags & 0x10000 && line[at] == ' ' && line[at + 1] == '@')
		list_add(l, "%s %s", line + at + 1, socket_owner_text(o, inode, owner));
}

/* sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode; Pid 0 is the kernel's own. */
static void netlink_note(struct list *l, const struct socket_owners *o, char *line)
{
	char owner[SOCKET_OWNER_BYTES];
	unsigned protocol;
	unsigned long port, inode;

	/* NOLINTNEXTLINE(cert-err34-c): the kernel prints these numbers */
	if (sscanf(line, "%*s %u %lu %*x %*d %*d %*d %*d %*d %lu", &protocol, &port, &inode) != 3)
		list_unseen(l, "a line that is not understood");
	else if (port)
		list_add(l, "protocol %u %s", protocol, socket_owner_text(o, inode, owner));
}

static void any_note(struct list *l, const struct socket_owners *o, char *line)
{
	(void)o;
	list_add(l, "%s", line);
}

/* --- all of them --- */

int sockets_collect(struct evidence *e, const struct where *w)
{
	static const char *const keys[] = {"listen:tcp", "listen:tcp6", "listen:udp", "listen:udp6",
	        "listen:raw", "listen:raw6", "listen:loopback", "listen:packet", "listen:sctp",
	        "listen:unix-abstract", "netlink:sockets", "tcp-established"};
	int r = 0;

	if (!w->live)
		return 0;
	int fd = where_open(w, "proc/net/dev", O_PATH);
	if (fd < 0) {
		for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
			r |= evidence_unseen(e, group, keys[i], "/proc/net is not there");
		return r | interfaces_collect(e, w);
	}
	close(fd);
	struct socket_owners o = socket_owners_find(w);
	r |= inet_collect(e, w, &o);
	r |= other_collect(e, w, "listen:packet", "proc/net/packet", &o, packet_note);
	r |= other_collect(e, w, "listen:sctp", "proc/net/sctp/eps", &o, any_note);
	r |= other_collect(e, w, "listen:unix-abstract", "proc/net/unix", &o, unix_note);
	r |= other_collect(e, w, "netlink:sockets", "proc/net/netlink", &o, netlink_note);
	socket_owners_free(&o);
	return r | interfaces_collect(e, w);
}
