/* Reads /proc/net/protocols, lib/modules/VERSION/modules.alias; makes sockets and closes them at once. */
#define _GNU_SOURCE
#include "protocols.h"

#include "list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FAMILIES = 46, TABLE_BYTES_MAX = 1 << 20, ALIAS_BYTES_MAX = 16 << 20 };

static const char group[] = "proto";

/* linux/socket.h */
static const char *const family_name[FAMILIES] = {"UNSPEC", "UNIX", "INET", "AX25", "IPX", "APPLETALK",
        "NETROM", "BRIDGE", "ATMPVC", "X25", "INET6", "ROSE", "DECnet", "NETBEUI", "SECURITY", "KEY",
        "NETLINK", "PACKET", "ASH", "ECONET", "ATMSVC", "RDS", "SNA", "IRDA", "PPPOX", "WANPIPE", "LLC", "IB",
        "MPLS", "CAN", "TIPC", "BLUETOOTH", "IUCV", "RXRPC", "ISDN", "PHONET", "IEEE802154", "CAIF", "ALG",
        "NFC", "VSOCK", "KCM", "QIPCRTR", "SMC", "XDP", "MCTP"};

static const struct {
	const char *name;
	int type, protocol;
} transports[] = {{"TCP", SOCK_STREAM, 6}, {"UDP", SOCK_DGRAM, 17}, {"DCCP", 6, 33},
        {"SCTP", SOCK_STREAM, 132}, {"UDPLITE", SOCK_DGRAM, 136}, {"L2TP", SOCK_DGRAM, 115},
        {"SMC", SOCK_STREAM, 256}, {"MPTCP", SOCK_STREAM, 262}};

static bool begins(const struct where *w, const char *path, const char *with)
{
	size_t n;
	char *s = where_read(w, path, 4096, &n);
	bool yes = s && strncmp(s, with, strlen(with)) == 0;

	free(s);
	return yes;
}

/* Can asking for a module have no effect? A kernel without modules, one whose loading is shut, or one whose
 * program for it is not there. */
static bool nothing_loads(const struct where *w)
{
	size_t n;

	if (!where_exists(w, "proc/version"))
		return false;
	if (!where_exists(w, "proc/modules") && !where_exists(w, "proc/sys/kernel/modprobe"))
		return true;
	if (begins(w, "proc/sys/kernel/modules_disabled", "1"))
		return true;
	char *program = where_read(w, "proc/sys/kernel/modprobe", 4096, &n);
	bool none = false;
	if (program) {
		program[strcspn(program, "\n")] = 0;
		none = !*program || (*program == '/' && !where_exists(w, program + 1) && errno == ENOENT);
	}
	free(program);
	return none;
}

/* EPERM and EACCES come after the family was found: only its use is refused. */
static bool usable(int family, int type, int protocol)
{
	int fd = socket(family, type | SOCK_CLOEXEC, protocol);

	if (fd >= 0)
		close(fd);
	return fd >= 0 || errno == EPERM || errno == EACCES;
}

static bool family_usable(int family)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET};

	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (usable(family, types[i], 0) || (errno != EAFNOSUPPORT && errno != EINVAL))
			return true; /* another type or protocol is wanted: there is such a family */
	return false;
}

/* What came of trying. */
static bool family_there[FAMILIES], transport_there[sizeof transports / sizeof *transports];
static const char *not_tried = "not tried";

static int tried_put(struct evidence *e)
{
	struct list families = {e, group, "families", "socket(2)", 0, not_tried, 0};
	struct list found = {e, group, "transports", "socket(2)", 0, not_tried, 0};

	for (int f = 1; f < FAMILIES && !not_tried; f++)
		if (family_there[f])
			list_add(&families, "%s", family_name[f]);
	for (size_t i = 0; i < sizeof transports / sizeof *transports && !not_tried; i++)
		if (transport_there[i])
			list_add(&found, "%s", transports[i].name);
	return list_end(&families) | list_end(&found);
}

static int registered_collect(struct evidence *e, const struct where *w)
{
	struct list l = {e, group, "registered", "/proc/net/protocols", 0, NULL, 0};
	size_t n;
	char *text = where_read(w, "proc/net/protocols", TABLE_BYTES_MAX, &n), *save = NULL;
	char *line = text ? strtok_r(text, "\n", &save) : NULL;

	if (!line || strncmp(line, "protocol ", 9) != 0)
		list_unseen(&l, "/proc/net/protocols cannot be read or understood");
	while (line && (line = strtok_r(NULL, "\n", &save)))
		list_add(&l, "%.*s", (int)strcspn(line, " "), line);
	if (!l.n)
		list_unseen(&l, "/proc/net/protocols is empty");
	free(text);
	return list_end(&l);
}

/* Lines "alias net-pf-FAMILY..." */
static void aliases_read(const struct where *w, const char *version, struct list *l)
{
	char path[400], *save = NULL;
	size_t n;

	snprintf(path, sizeof path, "lib/modules/%.255s/modules.alias", version);
	char *text = where_read(w, path, ALIAS_BYTES_MAX, &n);
	if (!text && errno != ENOENT)
		list_unseen(l, "modules.alias cannot be read");
	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line;
	        line = strtok_r(NULL, "\n", &save)) {
		char *end;
		if (strncmp(line, "alias net-pf-", 13) != 0)
			continue;
		unsigned long f = strtoul(line + 13, &end, 10);
		const char *module = strchr(line + 13, ' ');
		/* "net-pf-2-proto-132" belongs to a family that everybody needs: the protocol counts */
		if (f < FAMILIES && module)
			list_add(l, "%s%.*s:%s", family_name[f], (int)(strcspn(end, " ")), end, module);
	}
	free(text);
}

static int loadable_collect(struct evidence *e, const struct where *w)
{
	struct list l = {e, group, "loadable", "lib/modules", 0, NULL, 0};
	DIR *d = where_folder(w, "lib/modules");

	for (const char *name; d && (name = where_folder_next(d));)
		aliases_read(w, name, &l);
	if (errno && (d || errno != ENOENT))
		list_unseen(&l, "lib/modules cannot be listed");
	if (d)
		closedir(d);
	return list_end(&l);
}

/* A filter of our own would answer instead of the kernel. */
static bool filtered(const struct where *w)
{
	size_t n;
	char *s = where_read(w, "proc/self/status", 64 << 10, &n);
	const char *line = s ? strstr(s, "\nSeccomp:") : NULL;
	bool yes = s && (!line || line[9 + strspn(line + 9, " \t")] != '0');

	free(s);
	return yes || !s;
}

void protocols_open(const struct where *w)
{
	if (!w->live)
		return;
	not_tried = !nothing_loads(w) ? "not tried, because that could load modules"
	            : filtered(w)     ? "not tried: a filter of system calls would answer"
	                              : NULL;
	for (int f = 1; f < FAMILIES && !not_tried; f++)
		family_there[f] = family_usable(f);
	for (size_t i = 0; i < sizeof transports / sizeof *transports && !not_tried; i++)
		transport_there[i] = usable(AF_INET, transports[i].type, transports[i].protocol);
}

int protocols_collect(struct evidence *e, const struct where *w)
{
	int r = w->root >= 0 ? loadable_collect(e, w) : 0;

	return w->live ? r | registered_collect(e, w) | tried_put(e) : r;
}
