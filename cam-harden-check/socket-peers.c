/* Reads /proc/PID/ns/net, and /proc/PID/net/tcp and tcp6 of one process in each network; enters none of them.
 * A network that cannot be told or read was not seen. */
#define _GNU_SOURCE
#include "socket-peers.h"

#include "process.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NETWORKS_MAX = 64, STATE_ESTABLISHED = 1 };

void socket_peer_note(struct list *l, const struct socket_owners *o, const struct socket_line *s)
{
	char owner[SOCKET_OWNER_BYTES];

	if (s->state == STATE_ESTABLISHED && !s->loopback)
		list_add(l, "%s uid %lu %s", s->remote, s->uid, socket_owner_text(o, s->inode, owner));
}

struct networks {
	const struct socket_owners *owners;
	struct list *peers;
	struct {
		unsigned long id;
		bool read; /* its tables, whole */
	} seen[NETWORKS_MAX];
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

/* false: the process ended, and its network was not seen through it. */
static bool network_table(struct networks *x, const struct where *w, const char *process, bool v6)
{
	char path[64], *save = NULL;
	struct socket_line s;
	size_t n;

	snprintf(path, sizeof path, "proc/%s/net/tcp%s", process, v6 ? "6" : "");
	char *text = where_read(w, path, SOCKET_TABLE_BYTES_MAX, &n);
	if (!text && !network_of(w, process))
		return false;
	if (!text && (!v6 || errno != ENOENT))
		list_unseen(x->peers, "the connections of another network cannot be read");
	if (text && (!strtok_r(text, "\n", &save) || text[0] != ' '))
		list_unseen(x->peers, "a table of /proc/PID/net without its heading");
	for (char *line; text && (line = strtok_r(NULL, "\n", &save));)
		if (socket_line_parse(line, v6, &s) < 0)
			list_unseen(x->peers, "a line of /proc/PID/net that is not understood");
		else
			socket_peer_note(x->peers, x->owners, &s);
	free(text);
	return true;
}

/* A network that was not read through any process looked at so far. */
static void network_look(const struct where *w, pid_t pid, void *arg)
{
	struct networks *x = arg;
	char process[16];

	snprintf(process, sizeof process, "%d", (int)pid);
	unsigned long of = network_of(w, process);
	if (!of && errno != ENOENT && errno != ESRCH)
		list_unseen(x->peers, "the network of a process is not known: root is needed");
	if (!of)
		return;
	size_t i = 0;
	while (i < x->n && x->seen[i].id != of)
		i++;
	if (i == NETWORKS_MAX) {
		list_unseen(x->peers, "more networks than are looked at");
		return;
	}
	if (i == x->n)
		x->seen[x->n++].id = of;
	if (!x->seen[i].read)
		x->seen[i].read = network_table(x, w, process, false) && network_table(x, w, process, true);
}

void socket_peers_elsewhere(const struct where *w, const struct socket_owners *o, struct list *peers)
{
	struct networks x = {.owners = o, .peers = peers};
	const char *why = process_hidden(w);

	x.seen[0].id = network_of(w, "self");
	x.seen[0].read = true; /* by its own tables */
	x.n = 1;
	if (!x.seen[0].id)
		list_unseen(peers, "the network that this runs in is not known");
	if (why)
		list_unseen(peers, why);
	else if (process_each(w, 0, network_look, &x) < 0)
		list_unseen(peers, "/proc cannot be listed");
	for (size_t i = 0; i < x.n; i++)
		if (!x.seen[i].read)
			list_unseen(peers, "the process of a network ended before its connections were read");
}
