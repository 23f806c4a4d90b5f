/* Reads what the resolver reads and its socket, connects, writes to its socket. Holds a host name and a port;
 * the copy of the environment that came with the fork is overwritten first. One process waits for requests
 * and forks one more for each dial, so that neither a slow name server nor a lost SYN holds up the next dial,
 * and an alarm ends any of them. */
#define _GNU_SOURCE
#include "dialer.h"

#include "clocks.h"
#include "dialcell.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	DIALS_MAX = 32,     /* at the same time; further requests wait in the socket */
	ADDRESSES_MAX = 16, /* of one host that are tried */
	NEXT_AFTER_MS = 250 /* RFC 8305, section 5: Connection Attempt Delay */
};

struct answer {
	uint32_t id;
	char why[DIALER_WHY_BYTES]; /* empty: a descriptor comes with it */
};

/* Of the dialing process. */
static struct {
	int fd;
	char host[DIALER_HOST_BYTES];
	unsigned port, patience_s;
} self;
static struct answer late_resolver, late_server; /* what is to be said when time is up */
static const struct answer *volatile late;

static int64_t now_ms(void)
{
	return (int64_t)(clocks_boot_ns() / 1000000);
}

/* --- one dial --- */

static void on_alarm(int unused)
{
	(void)unused;
	(void)!send(self.fd, (const void *)late, sizeof *late, MSG_NOSIGNAL);
	_exit(0);
}

__attribute__((format(printf, 2, 3))) static void why_put(struct answer *a, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(a->why, sizeof a->why, fmt, ap);
	va_end(ap);
}

static void answer_send(const struct answer *a, int fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {.bytes = {0}};
	struct iovec v = {.iov_base = (void *)a, .iov_len = sizeof *a};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};

	if (fd >= 0) {
		m.msg_control = control.bytes;
		m.msg_controllen = sizeof control.bytes;
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(c), &fd, sizeof fd);
	}
	while (sendmsg(self.fd, &m, MSG_NOSIGNAL) < 0 && errno == EINTR)
		;
}

/* The resolver's order, but families in turn: if one of them leads nowhere, the other is tried at once. */
static unsigned addresses_order(const struct addrinfo *all, const struct addrinfo *out[ADDRESSES_MAX])
{
	const struct addrinfo *next[2] = {all, all};
	unsigned n = 0;

	for (unsigned turn = 0; n < ADDRESSES_MAX && (next[0] || next[1]); turn = !turn) {
		const struct addrinfo **a = &next[turn];
		while (*a && ((*a)->ai_family == all->ai_family) != !turn)
			*a = (*a)->ai_next;
		if (!*a)
			continue;
		out[n++] = *a;
		*a = (*a)->ai_next;
	}
	return n;
}

static int attempt(const struct addrinfo *a)
{
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
	if (fd < 0)
		return -1;
	if (connect(fd, a->ai_addr, a->ai_addrlen) < 0 && errno != EINPROGRESS) {
		int saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

/* That a family has no route says less than what the other met. */
static void error_note(int *kept, int error)
{
	if (!*kept || *kept == ENETUNREACH || *kept == EADDRNOTAVAIL || *kept == EAFNOSUPPORT)
		*kept = error;
}

/* Look at each attempt under way. The connected descriptor, or -1. *open counts those that still are. */
static int attempts_look(struct pollfd *p, unsigned n, unsigned *open, int *error, int64_t *next_ms)
{
	for (unsigned i = 0; i < n; i++) {
		int e = 0;
		socklen_t len = sizeof e;
		if (p[i].fd < 0 || !p[i].revents)
			continue;
		/* connect() is not called again: the other process's call, if any, then finds it done. */
		if (getsockopt(p[i].fd, SOL_SOCKET, SO_ERROR, &e, &len) == 0 && !e)
			return p[i].fd;
		error_note(error, e);
		close(p[i].fd);
		p[i].fd = -1;
		--*open;
		*next_ms = 0;
	}
	return -1;
}

/* The first of the addresses that answers (RFC 8305). -1 and *error: none did. */
static int race(const struct addrinfo *const *address, unsigned n, int *error)
{
	struct pollfd p[ADDRESSES_MAX];
	unsigned begun = 0, open = 0;
	int64_t next_ms = 0;
	int won = -1;

	*error = 0;
	while (won < 0 && (begun < n || open)) {
		if (begun < n && (!open || now_ms() >= next_ms)) {
			p[begun] = (struct pollfd){.fd = attempt(address[begun]), .events = POLLOUT};
			next_ms = now_ms() + NEXT_AFTER_MS;
			if (p[begun++].fd >= 0) {
				open++;
			} else {
				error_note(error, errno);
				next_ms = 0;
			}
			continue;
		}
		int64_t wait_ms = begun < n ? next_ms - now_ms() : -1;
		if (begun < n && wait_ms < 0)
			wait_ms = 0;
		if (poll(p, begun, (int)wait_ms) > 0)
			won = attempts_look(p, begun, &open, error, &next_ms);
	}
	return won; /* the others are closed when this process ends */
}

/* localhost and what is below it are this machine's, whatever the resolver says (RFC 6761, 6.3). */
static int is_own(const char *host)
{
	static const char own[] = ".localhost";
	const size_t n = strlen(host), m = sizeof own - 1;
	return strcmp(host, own + 1) == 0 || (n > m && strcmp(host + n - m, own) == 0);
}

__attribute__((noreturn)) static void dial(uint32_t id)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV}, *all = NULL;
	const struct addrinfo *address[ADDRESSES_MAX];
	char service[8];
	struct answer a = {.id = id};
	int error;

	late_resolver.id = late_server.id = id;
	why_put(&late_resolver, "Could not resolve host: %.120s: timed out after %u s", self.host,
	        self.patience_s);
	why_put(&late_server, "Failed to connect to %.110s port %u: timed out after %u s", self.host,
	        self.port, self.patience_s);
	late = &late_resolver;
	signal(SIGALRM, on_alarm);
	alarm(self.patience_s);
	dialcell_resolving();
	snprintf(service, sizeof service, "%u", self.port);
	/* no name gives ::1 and 127.0.0.1 */
	int r = getaddrinfo(is_own(self.host) ? NULL : self.host, service, &hints, &all);
	if (r) {
		why_put(&a, "Could not resolve host: %.120s: %s", self.host,
		        r == EAI_SYSTEM ? strerror(errno) : gai_strerror(r));
		answer_send(&a, -1);
		_exit(0);
	}
	late = &late_server;
	unsigned n = addresses_order(all, address);
	dialcell_connecting(address, n);
	int fd = race(address, n, &error);
	alarm(0);
	if (fd < 0)
		why_put(&a, "Failed to connect to %.110s port %u: %s", self.host, self.port, strerror(error));
	answer_send(&a, fd);
	_exit(0);
}

/* --- the process that waits for requests --- */

static void on_child(int unused)
{
	(void)unused; /* interrupts poll */
}

/* Nobody's footage depends on this process: what ends it is the end of its parent, not a signal to the group.
 */
static void signals_set(void)
{
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	struct sigaction child = {.sa_handler = on_child};
	sigaction(SIGCHLD, &child, NULL);
}

static void environment_wipe(void)
{
	for (char **e = environ; e && *e; e++)
		explicit_bzero(*e, strlen(*e));
	environ = NULL;
}

static void descriptors_drop(int keep)
{
	int null = open("/dev/null", O_RDWR);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
		_exit(1);
	if (keep > 3 && dup2(keep, 3) < 0)
		_exit(1);
	if (close_range(4, ~0U, 0) < 0)
		_exit(1);
	self.fd = 3;
	(void)fcntl(3, F_SETFD, FD_CLOEXEC);
}

/* One process more, which dies with this one. */
static unsigned dial_begin(uint32_t id)
{
	pid_t parent = getpid(), pid = fork();

	if (pid == 0) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
			_exit(1);
		dial(id);
	}
	if (pid > 0)
		return 1;
	struct answer a = {.id = id};
	why_put(&a, "fork: %s", strerror(errno));
	answer_send(&a, -1);
	return 0;
}

__attribute__((noreturn)) static void serve(void)
{
	unsigned dials = 0;

	for (;;) {
		while (dials && waitpid(-1, NULL, dials < DIALS_MAX ? WNOHANG : 0) > 0)
			dials--;
		struct pollfd p = {.fd = self.fd, .events = POLLIN};
		uint32_t id;
		/* A child that ends just before poll is reaped a turn later. */
		if (poll(&p, 1, -1) <= 0)
			continue;
		ssize_t n = recv(self.fd, &id, sizeof id, MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			_exit(0);
		if (n == (ssize_t)sizeof id)
			dials += dial_begin(id);
	}
}

__attribute__((noreturn)) static void become_dialer(int fd, pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(1);
	/* Same user: without this the other process could attach to this one and dial elsewhere. */
	prctl(PR_SET_DUMPABLE, 0);
	prctl(PR_SET_NAME, "cam-ship-dialer");
	signals_set();
	environment_wipe();
	descriptors_drop(fd);
	dialcell_waiting(self.port);
	serve();
}

/* --- the parent's side --- */

int dialer_start(struct dialer *d, const char *host, unsigned port, unsigned patience_s)
{
	int pair[2];
	pid_t parent = getpid();

	self.port = port;
	self.patience_s = patience_s;
	snprintf(self.host, sizeof self.host, "%s", host);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	d->pid = fork();
	if (d->pid == 0)
		become_dialer(pair[1], parent);
	int saved = errno;
	close(pair[1]);
	d->fd = pair[0];
	if (d->pid < 0)
		close(pair[0]);
	errno = saved;
	return d->pid < 0 ? -1 : 0;
}

int dialer_ask(const struct dialer *d, uint32_t id)
{
	return send(d->fd, &id, sizeof id, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof id ? 0 : -1;
}

/* Only a stream socket of the internet is one that was asked for. */
static int fd_suits(int fd)
{
	int type = 0, family = 0;
	socklen_t n = sizeof type, m = sizeof family;
	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 && type == SOCK_STREAM &&
	       getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &m) == 0 &&
	       (family == AF_INET || family == AF_INET6);
}

int dialer_answer(const struct dialer *d, struct dialed *out)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct answer a;
	struct iovec v = {.iov_base = &a, .iov_len = sizeof a};
	struct msghdr m = {.msg_iov = &v,
	        .msg_iovlen = 1,
	        .msg_control = control.bytes,
	        .msg_controllen = sizeof control.bytes};

	ssize_t n = recvmsg(d->fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	*out = (struct dialed){.fd = -1};
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
			memcpy(&out->fd, CMSG_DATA(c), sizeof out->fd);
	int good = out->fd >= 0 && fd_suits(out->fd);
	if (out->fd >= 0 && (!good || n != (ssize_t)sizeof a)) {
		close(out->fd);
		out->fd = -1;
	}
	if (n != (ssize_t)sizeof a)
		return -1;
	out->id = a.id;
	a.why[sizeof a.why - 1] = 0;
	snprintf(out->why, sizeof out->why, "%s",
	        out->fd < 0 && !a.why[0] ? "dialed, but no connection came" : a.why);
	return 1;
}
