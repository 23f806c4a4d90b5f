/* Reads /proc/net, /sys/class/net, and /proc/PID/fd for the names of the owners. A table that cannot be read,
 * or has a line that is not understood, was not seen; only one that is not there although /proc/net is has no
 * sockets. */
#define _GNU_SOURCE
#include "sockets.h"

#include "list.h"
#include "process.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	TABLE_BYTES_MAX = 8 << 20,
	NETWORKS_MAX = 64,
	STATE_ESTABLISHED = 1,
	OWNERS_MAX = 4096,
	NAME_BYTES = 32,
	STATE_LISTEN = 10,
	FLAG_PROMISC = 0x100
};

static const char group[] = "net";

/* --- owners --- */

struct owner {
	unsigned long inode;
	int pid;
	char name[NAME_BYTES];
};

struct owners {
	struct owner *owner;
	size_t n;
};

static void owner_note(struct owners *o, const struct where *w, int pid, unsigned long inode)
{
	struct owner *more;
	char path[64];
	size_t n;

	if (o->n == OWNERS_MAX || !(more = realloc(o->owner, (o->n + 1) * sizeof *more)))
		return;
	o->owner = more;
	o->owner[o->n] = (struct owner){.inode = inode, .pid = pid};
	snprintf(path, sizeof path, "proc/%d/comm", pid);
	char *name = where_read(w, path, 4096, &n);
	if (name)
		snprintf(o->owner[o->n].name, NAME_BYTES, "%.*s", (int)strcspn(name, "\n"), name);
	free(name);
	o->n++;
}

static void owners_of_process(struct owners *o, const struct where *w, int pid)
{
	char path[64], link[64];

	snprintf(path, sizeof path, "proc/%d/fd", pid);
	int fd = where_open(w, path, O_RDONLY | O_DIRECTORY);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	for (struct dirent *x; d && (x = readdir(d));) {
		ssize_t n = readlinkat(fd, x->d_name, link, sizeof link - 1);
		if (n > 8 && memcmp(link, "socket:[", 8) == 0) {
			link[n] = 0;
			owner_note(o, w, pid, strtoul(link + 8, NULL, 10));
		}
	}
	if (d)
		closedir(d);
	else if (fd >= 0)
		close(fd);
}

/* Names are for people; a verdict never depends on them. */
static struct owners owners_find(const struct where *w)
{
	struct owners o = {0};
	int fd = where_open(w, "proc", O_RDONLY | O_DIRECTORY);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	for (struct dirent *x; d && (x = readdir(d));)
		if (isdigit((unsigned char)x->d_name[0]))
			owners_of_process(&o, w, (int)strtol(x->d_name, NULL, 10));
	if (d)
		closedir(d);
	else if (fd >= 0)
		close(fd);
	return o;
}

static const char *owner_text(const struct owners *o, unsigned long inode, char out[NAME_BYTES + 16])
{
	for (size_t i = 0; i < o->n && inode; i++)
		if (o->owner[i].inode == inode) {
			snprintf(out, NAME_BYTES + 16, "%s[%d]", o->owner[i].name, o->owner[i].pid);
			return out;
		}
	return "owner unknown";
}

/* --- lines --- */

/* Hexadecimal, as the kernel prints the words of an address: each in the order of this machine. */
static int address_parse(const char *s, bool v6, char out[SOCKET_ADDRESS_BYTES], bool *loopback, bool *any)
{
	uint32_t word[4];
	unsigned n = v6 ? 4 : 1, port;
	char text[INET6_ADDRSTRLEN], hex[9] = {0};

	if (strspn(s, "0123456789ABCDEFabcdef") != n * 8 || s[n * 8] != ':' ||
	        strspn(s + n * 8 + 1, "0123456789ABCDEFabcdef") != 4)
		return -1;
	for (unsigned i = 0; i < n; i++) {
		memcpy(hex, s + i * 8, 8);
		word[i] = (uint32_t)strtoul(hex, NULL, 16);
	}
	port = (unsigned)strtoul(s + n * 8 + 1, NULL, 16);
	inet_ntop(v6 ? AF_INET6 : AF_INET, word, text, sizeof text);
	snprintf(out, SOCKET_ADDRESS_BYTES, v6 ? "[%s]:%u" : "%s:%u", text, port);
	*loopback = v6 ? strcmp(text, "::1") == 0 || strncmp(text, "::ffff:127.", 11) == 0
	               : strncmp(text, "127.", 4) == 0;
	*any = strcmp(text, v6 ? "::" : "0.0.0.0") == 0;
	return 0;
}

int socket_line_parse(const char *line, bool v6, struct socket_line *out)
{
	char local[48], remote[48];
	bool loopback, any, unused;

	*out = (struct socket_line){0};
	/* NOLINTNEXTLINE(cert-err34-c): the kernel prints these numbers */
	if (sscanf(line, " %*u: %47s %47s %x %*x:%*x %*x:%*x %*x %lu %*u %lu", local, remote, &out->state,
	            &out->uid, &out->inode) != 5)
		return -1;
	if (address_parse(local, v6, out->local, &loopback, &unused) < 0 ||
	        address_parse(remote, v6, out->remote, &unused, &any) < 0)
		return -1;
	out->loopback = loopback;
	out->connected = !any;
	return 0;
}

/* --- tables --- */

struct lists {
	const struct owners *owners;
	struct list *listen, *loopback, *peers;
	bool tcp;
};

static void peer_note(struct list *l, const struct owners *o, const struct socket_line *s)
{
	char owner[NAME_BYTES + 16];

	if (s->state == STATE_ESTABLISHED && !s->loopback)
		list_add(l, "%s uid %lu %s", s->remote, s->uid, owner_text(o, s->inode, owner));
}

static void line_note(const struct lists *l, const struct socket_line *s)
{
	char owner[NAME_BYTES + 16];
	const char *who = owner_text(l->owners, s->inode, owner);
	bool listens = l->tcp ? s->state == STATE_LISTEN : !s->connected;

	if (listens && s->loopback)
		list_add(l->loopback, "%s uid %lu %s", s->local, s->uid, who);
	else if (listens)
		list_add(l->listen, "%s uid %lu %s", s->local, s->uid, who);
	else if (l->tcp)
		peer_note(l->peers, l->owners, s);
}

/* A table, its heading left out, line by line. */
static void table_read(const struct where *w, const char *name, bool v6, const struct lists *l)
{
	char path[64], *save = NULL;
	struct socket_line s;
	size_t n;

	snprintf(path, sizeof path, "proc/net/%s", name);
	char *text = where_read(w, path, TABLE_BYTES_MAX, &n);
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

/* --- networks besides ours --- */

struct networks {
	const struct owners *owners;
	struct list *peers;
	unsigned long seen[NETWORKS_MAX];
	size_t n;
};

/* The number of "net:[4026531840]"; 0 with errno. */
static unsigned long network_of(const struct where *w, const char *process)
{
	char path[64], link[64];

	snprintf(path, sizeof path, "proc/%s/ns/net", process);
	ssize_t n = readlinkat(w->root, path, link, sizeof link - 1);
	if (n < 0)
		return 0;
	link[n] = 0;
	errno = EINVAL;
	return strncmp(link, "net:[", 5) == 0 ? strtoul(link + 5, NULL, 10) : 0;
}

static void network_table(struct networks *x, const struct where *w, const char *process, bool v6)
{
	char path[64], *save = NULL;
	struct socket_line s;
	size_t n;

	snprintf(path, sizeof path, "proc/%s/net/tcp%s", process, v6 ? "6" : "");
	char *text = where_read(w, path, TABLE_BYTES_MAX, &n);
	if (!text && (!v6 || errno != ENOENT) && network_of(w, process))
		list_unseen(x->peers, "the connections of another network cannot be read");
	if (text && (!strtok_r(text, "\n", &save) || text[0] != ' '))
		list_unseen(x->peers, "a table of /proc/PID/net without its heading");
	for (char *line; text && (line = strtok_r(NULL, "\n", &save));)
		if (socket_line_parse(line, v6, &s) < 0)
			list_unseen(x->peers, "a line of /proc/PID/net that is not understood");
		else
			peer_note(x->peers, x->owners, &s);
	free(text);
}

/* A network that no process looked at so far lives in. */
static void network_look(const struct where *w, pid_t pid, void *arg)
{
	struct networks *x = arg;
	char process[16];

	snprintf(process, sizeof process, "%d", (int)pid);
	unsigned long of = network_of(w, process);
	if (!of && errno != ENOENT && errno != ESRCH)
		list_unseen(x->peers, "the network of a process is not known: root is needed");
	for (size_t i = 0; i < x->n; i++)
		if (x->seen[i] == of)
			return;
	if (!of)
		return;
	if (x->n == NETWORKS_MAX) {
		list_unseen(x->peers, "more networks than are looked at");
		return;
	}
	x->seen[x->n++] = of;
	network_table(x, w, process, false);
	network_table(x, w, process, true);
}

static void networks_walk(const struct where *w, const struct owners *o, struct list *peers)
{
	struct networks x = {.owners = o, .peers = peers};
	const char *why = process_hidden(w);

	if ((x.seen[0] = network_of(w, "self")))
		x.n = 1; /* whose tables were read */
	else
		list_unseen(peers, "the network that this runs in is not known");
	if (why)
		list_unseen(peers, why);
	else if (process_each(w, 0, network_look, &x) < 0)
		list_unseen(peers, "/proc cannot be listed");
}

static int inet_collect(struct evidence *e, const struct where *w, const struct owners *o)
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
	networks_walk(w, o, &peers);
	return r | list_end(&loopback) | list_end(&peers);
}

/* Tables of other families: what a line says is a matter of its heading. */
typedef void noter(struct list *l, const struct owners *o, char *line);

static int other_collect(struct evidence *e, const struct where *w, const char *key, const char *path,
        const struct owners *o, noter *note)
{
	struct list l = {e, group, key, path, 0, NULL, 0};
	size_t n;
	char *text = where_read(w, path, TABLE_BYTES_MAX, &n), *save = NULL;

	if (!text && errno != ENOENT)
		list_unseen(&l, "cannot be read");
	char *line = text ? strtok_r(text, "\n", &save) : NULL;
	while (line && (line = strtok_r(NULL, "\n", &save)))
		note(&l, o, line);
	free(text);
	return list_end(&l);
}

/* sk RefCnt Type Proto Iface R Rmem User Inode */
static void packet_note(struct list *l, const struct owners *o, char *line)
{
	char owner[NAME_BYTES + 16], protocol[16];
	unsigned long uid, inode;

	/* NOLINTNEXTLINE(cert-err34-c): the kernel prints these numbers */
	if (sscanf(line, "%*s %*d %*d %15s %*d %*d %*u %lu %lu", protocol, &uid, &inode) == 3)
		list_add(l, "ethertype %s uid %lu %s", protocol, uid, owner_text(o, inode, owner));
	else
		list_unseen(l, "a line that is not understood");
}

/* Num RefCount Protocol Flags Type St Inode Path; flag 0x10000: listens. '@' stands for the NUL of an
 * abstract name. */
static void unix_note(struct list *l, const struct owners *o, char *line)
{
	char owner[NAME_BYTES + 16];
	unsigned long flags, inode;
	int at = 0;

	/* NOLINTNEXTLINE(cert-err34-c): the kernel prints these numbers */
	if (sscanf(line, "%*s %*x %*x %lx %*x %*x %lu%n", &flags, &inode, &at) != 2 || !at)
		list_unseen(l, "a line that is not understood");
	else if (flags & 0x10000 && line[at] == ' ' && line[at + 1] == '@')
		list_add(l, "%s %s", line + at + 1, owner_text(o, inode, owner));
}

/* sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode; Pid 0 is the kernel's own. */
static void netlink_note(struct list *l, const struct owners *o, char *line)
{
	char owner[NAME_BYTES + 16];
	unsigned protocol;
	unsigned long port, inode;

	/* NOLINTNEXTLINE(cert-err34-c): the kernel prints these numbers */
	if (sscanf(line, "%*s %u %lu %*x %*d %*d %*d %*d %*d %lu", &protocol, &port, &inode) != 3)
		list_unseen(l, "a line that is not understood");
	else if (port)
		list_add(l, "protocol %u %s", protocol, owner_text(o, inode, owner));
}

static void any_note(struct list *l, const struct owners *o, char *line)
{
	(void)o;
	list_add(l, "%s", line);
}

/* --- interfaces --- */

static unsigned long flags_read(const struct where *w, const char *name, bool *seen)
{
	char path[300];
	size_t n;

	snprintf(path, sizeof path, "sys/class/net/%.255s/flags", name);
	char *s = where_read(w, path, 64, &n);
	unsigned long flags = s ? strtoul(s, NULL, 0) : 0;
	*seen = s != NULL;
	free(s);
	return flags;
}

static int interfaces_collect(struct evidence *e, const struct where *w)
{
	struct list promisc = {e, group, "promisc", "/sys/class/net", 0, NULL, 0};
	struct list up = {e, group, "ifaces", "/sys/class/net", 0, NULL, 0};
	int fd = where_open(w, "sys/class/net", O_RDONLY | O_DIRECTORY);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	char count[24];

	if (!d && fd >= 0)
		close(fd);
	if (!d)
		return evidence_unseen(e, group, "promisc", "/sys/class/net cannot be listed") |
		       evidence_unseen(e, group, "ifaces", "/sys/class/net cannot be listed") |
		       evidence_unseen(e, group, "uplinks", "/sys/class/net cannot be listed");
	for (struct dirent *x; (x = readdir(d));) {
		bool seen;
		if (x->d_name[0] == '.')
			continue;
		unsigned long flags = flags_read(w, x->d_name, &seen);
		if (!seen && errno == ENOTDIR)
			continue; /* bonding_masters and its like */
		if (!seen)
			list_unseen(&promisc, "the flags of an interface cannot be read");
		if (flags & FLAG_PROMISC)
			list_add(&promisc, "%s", x->d_name);
		if (flags & 1 && strcmp(x->d_name, "lo") != 0)
			list_add(&up, "%s", x->d_name);
	}
	closedir(d);
	if (promisc.unseen)
		list_unseen(&up, promisc.unseen);
	snprintf(count, sizeof count, "%lu", up.n);
	int r = list_end(&promisc) | list_end(&up);
	return r | (up.unseen ? evidence_unseen(e, group, "uplinks", up.unseen)
	                      : evidence_fact(e, group, "uplinks", count, "/sys/class/net"));
}

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
	struct owners o = owners_find(w);
	r |= inet_collect(e, w, &o);
	r |= other_collect(e, w, "listen:packet", "proc/net/packet", &o, packet_note);
	r |= other_collect(e, w, "listen:sctp", "proc/net/sctp/eps", &o, any_note);
	r |= other_collect(e, w, "listen:unix-abstract", "proc/net/unix", &o, unix_note);
	r |= other_collect(e, w, "netlink:sockets", "proc/net/netlink", &o, netlink_note);
	free(o.owner);
	return r | interfaces_collect(e, w);
}
