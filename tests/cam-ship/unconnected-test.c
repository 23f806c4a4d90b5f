/* defends: enter.egress */
/* The dialer and the filter as the uploader uses them, without libcurl: what still works, and what is
 * refused. */
#define _GNU_SOURCE
#include "dialer.h"
#include "tap.h"
#include "unconnected.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BOUND_S = 60 }; /* for what takes a moment, unless something is wrong */

static int64_t now_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int listener(int family, unsigned *port)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr *a = family == AF_INET ? (void *)&v4 : (void *)&v6;
	socklen_t n = family == AF_INET ? sizeof v4 : sizeof v6;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	v4.sin_port = v6.sin6_port = htons((uint16_t)*port);
	if (fd < 0 || bind(fd, a, n) < 0 || listen(fd, 8) < 0 || getsockname(fd, a, &n) < 0) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	*port = ntohs(family == AF_INET ? v4.sin_port : v6.sin6_port);
	return fd;
}

/* A port on which nobody listens as long as the descriptor, which is bound to it, is open. */
static unsigned closed_port(int *fd)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t n = sizeof a;

	*fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*fd < 0 || bind(*fd, (void *)&a, n) < 0 || getsockname(*fd, (void *)&a, &n) < 0)
		return 0;
	return ntohs(a.sin_port);
}

static int answer(const struct dialer *d, struct dialed *out, int seconds)
{
	struct pollfd p = {.fd = d->fd, .events = POLLIN};
	return poll(&p, 1, seconds * 1000) == 1 ? dialer_answer(d, out) : 0;
}

static struct dialed dial_once(const char *host, unsigned port, unsigned patience_s)
{
	struct dialer d;
	struct dialed a = {.fd = -1};

	if (dialer_start(&d, host, port, patience_s) < 0 || dialer_ask(&d, 7) < 0 ||
	        answer(&d, &a, BOUND_S) != 1)
		snprintf(a.why, sizeof a.why, "nothing");
	close(d.fd);
	waitpid(d.pid, NULL, 0);
	return a;
}

static void dialing(void)
{
	unsigned port = 0, both = 0;
	int v4 = listener(AF_INET, &port), v6 = listener(AF_INET6, &both);
	struct sockaddr_in peer = {0};
	socklen_t n = sizeof peer;

	struct dialed a = dial_once("127.0.0.1", port, 30);
	ok(a.fd >= 0 && a.id == 7 && !a.why[0], "a number");
	ok(fcntl(a.fd, F_GETFD) & FD_CLOEXEC && fcntl(a.fd, F_GETFL) & O_NONBLOCK, "as libcurl wants it");
	ok(getpeername(a.fd, (void *)&peer, &n) == 0 && peer.sin_port == htons((uint16_t)port), "connected");
	close(a.fd);
	a = dial_once("localhost", port, 30);
	ok(a.fd >= 0, "localhost, where only 127.0.0.1 listens: one that refuses does not keep the next from "
	              "being tried");
	close(a.fd);
	a = dial_once("bucket.localhost", port, 5);
	ok(a.fd >= 0, "what is below localhost is this machine, too, whatever a name server says");
	close(a.fd);
	if (v6 >= 0) {
		a = dial_once("::1", both, 30);
		ok(a.fd >= 0, "::1");
		close(a.fd);
	}
	int bound;
	unsigned nobody = closed_port(&bound);
	a = dial_once("127.0.0.1", nobody, 30);
	ok(a.fd < 0 && strstr(a.why, "Failed to connect to 127.0.0.1 port ") &&
	                strstr(a.why, ": Connection refused"),
	        "refused: %s", a.why);
	a = dial_once("does-not-exist.invalid", 1, 20);
	ok(a.fd < 0 && strstr(a.why, "Could not resolve host: does-not-exist.invalid: "), "no such host: %s",
	        a.why);
	close(bound);
	close(v4);
	close(v6);
}

/* How many processes that have not ended are children of this one. */
static unsigned children(pid_t parent)
{
	unsigned n = 0;
	DIR *proc = opendir("/proc");
	const struct dirent *e;

	while (proc && (e = readdir(proc))) {
		char path[300], stat[512] = "";
		snprintf(path, sizeof path, "/proc/%s/stat", e->d_name);
		FILE *f = fopen(path, "re");
		const char *at = f && fgets(stat, sizeof stat, f) ? strrchr(stat, ')') : NULL;
		/* behind the name: the state and the parent */
		if (at && strlen(at) > 4 && at[2] != 'Z' && strtol(at + 4, NULL, 10) == parent)
			n++;
		if (f)
			fclose(f);
	}
	if (proc)
		closedir(proc);
	return n;
}

/* Where no connection comes about. A dialer that stands still would show that who asks waits for it. */
static void together(unsigned port)
{
	struct dialer d;
	int begun = dialer_start(&d, "127.0.0.1", port, BOUND_S) == 0;

	kill(d.pid, SIGSTOP);
	alarm(BOUND_S);
	ok(begun && dialer_ask(&d, 1) == 0 && dialer_ask(&d, 2) == 0, "asking does not wait");
	alarm(0);
	kill(d.pid, SIGCONT);
	int64_t since = now_ms();
	while (children(d.pid) < 2 && now_ms() - since < BOUND_S * 1000)
		usleep(10000);
	ok(children(d.pid) == 2, "both dials go on at the same time");
	kill(d.pid, SIGKILL);
	waitpid(d.pid, NULL, 0);
	close(d.fd);
}

/* A listener whose queue is full drops further SYNs. */
static void patience(void)
{
	unsigned port = 0;
	int l = listener(AF_INET, &port), filler[8];
	struct sockaddr_in a = {.sin_family = AF_INET,
	        .sin_addr = {htonl(INADDR_LOOPBACK)},
	        .sin_port = htons((uint16_t)port)};

	listen(l, 0);
	for (int i = 0; i < 8; i++) {
		filler[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)connect(filler[i], (void *)&a, sizeof a);
	}
	together(port);
	struct dialer d;
	struct dialed first, second;
	int got = dialer_start(&d, "127.0.0.1", port, 4) == 0 && dialer_ask(&d, 1) == 0 &&
	          dialer_ask(&d, 2) == 0 && answer(&d, &first, BOUND_S) == 1 &&
	          answer(&d, &second, BOUND_S) == 1;
	ok(got && first.fd < 0 && second.fd < 0 && strstr(first.why, ": timed out after 4 s"),
	        "SYNs are lost: %s", first.why);
	kill(d.pid, SIGTERM);
	kill(d.pid, SIGINT);
	ok(dialer_ask(&d, 3) == 0 && answer(&d, &first, BOUND_S) == 1 && first.id == 3,
	        "signals to the group are not for it");
	dialer_ask(&d, 4);
	kill(d.pid, SIGKILL);
	ok(answer(&d, &first, BOUND_S) == -1, "its death shows, and dials die with it");
	waitpid(d.pid, NULL, 0);
	close(d.fd);
	for (int i = 0; i < 8; i++)
		close(filler[i]);
	close(l);
}

/* Its parent is killed: nothing may stay behind. The children's pids come through a pipe. */
static void orphan(void)
{
	int p[2];
	pid_t pid = 0;

	if (pipe(p) < 0)
		return;
	pid_t parent = fork();
	if (parent == 0) {
		struct dialer d;
		dialer_start(&d, "127.0.0.1", 1, 5);
		(void)!write(p[1], &d.pid, sizeof d.pid);
		pause();
	}
	(void)!read(p[0], &pid, sizeof pid);
	kill(parent, SIGKILL);
	waitpid(parent, NULL, 0);
	int64_t begun = now_ms();
	while (kill(pid, 0) == 0 && now_ms() - begun < BOUND_S * 1000)
		usleep(10000);
	ok(pid > 0 && kill(pid, 0) < 0 && errno == ESRCH, "the dialer dies with its parent");
	close(p[0]);
	close(p[1]);
}

static void refused(void)
{
	struct dialer d;
	struct dialed a = {.fd = -1};
	unsigned port = 0, other = 0;
	int l = listener(AF_INET, &port), elsewhere = listener(AF_INET, &other), pair[2];
	struct sockaddr_in to = {.sin_family = AF_INET,
	        .sin_addr = {htonl(INADDR_LOOPBACK)},
	        .sin_port = htons((uint16_t)other)};
	int before = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char byte = 0;

	fcntl(l, F_SETFL, O_NONBLOCK);
	fcntl(elsewhere, F_SETFL, O_NONBLOCK);
	ok(dialer_start(&d, "127.0.0.1", port, 30) == 0 && unconnected_enter() == 0,
	        "the dialer, then the filter");
	ok(dialer_ask(&d, 1) == 0 && answer(&d, &a, BOUND_S) == 1 && a.fd >= 0, "a connection comes");
	ok(connect(a.fd, (void *)&to, sizeof to) == 0, "connect() says that it is connected");
	ok(send(a.fd, "x", 1, MSG_NOSIGNAL) == 1, "and it can be written to");
	ok(connect(before, (void *)&to, sizeof to) == 0 && send(before, "x", 1, MSG_NOSIGNAL) < 0,
	        "but connect() connects nothing");
	ok(sendto(before, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, (void *)&to, sizeof to) < 0 && errno == EPERM,
	        "nor does fast open");
	struct iovec v = {.iov_base = &byte, .iov_len = 1};
	struct msghdr m = {.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &v, .msg_iovlen = 1};
	ok(sendmsg(before, &m, MSG_FASTOPEN | MSG_NOSIGNAL) < 0 && errno == EPERM, "in either call");
	struct sockaddr none = {.sa_family = AF_UNSPEC};
	(void)connect(a.fd, &none, sizeof none);
	ok(send(a.fd, "y", 1, MSG_NOSIGNAL) == 1, "a connected one cannot be set free for another host");

	static const int families[] = {AF_INET, AF_INET6, AF_UNIX, AF_NETLINK, AF_PACKET, AF_VSOCK};
	int open = 0;
	for (unsigned i = 0; i < sizeof families / sizeof *families; i++)
		open += socket(families[i], SOCK_STREAM, 0) >= 0 || errno != EPERM ||
		        socket(families[i], SOCK_DGRAM, 0) >= 0 || errno != EPERM;
	ok(!open, "no socket of any family");
	ok(bind(before, (void *)&to, sizeof to) < 0 && errno == EPERM && listen(before, 1) < 0 &&
	                errno == EPERM && accept(l, NULL, NULL) < 0 && errno == EPERM,
	        "nothing is listened for");
	struct io_uring_params ring = {0};
	ok(syscall(SYS_io_uring_setup, 4, &ring) < 0 && errno == EPERM, "no io_uring");
	ok(UNCONNECTED_TRACED || (ptrace(PTRACE_ATTACH, d.pid, NULL, NULL) < 0 && errno == EPERM),
	        "the dialer cannot be traced");
	struct iovec there = {.iov_base = &byte, .iov_len = 1};
	ok(process_vm_writev(d.pid, &there, 1, &there, 1, 0) < 0 && errno == EPERM, "nor written to");
	ok(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "a socketpair leads nowhere and is allowed");

	pid_t pid = fork();
	if (pid == 0)
		_exit(socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EPERM ? 0 : 1);
	int status = -1;
	waitpid(pid, &status, 0);
	ok(status == 0, "it holds for children, too");
	kill(d.pid, SIGKILL);
	waitpid(d.pid, NULL, 0);
}

int main(void)
{
	if (getenv("CAM_EMULATED")) {
		puts("1..0 # SKIP an emulator of a process has neither Landlock nor a filter, and the dialer "
		     "does not "
		     "begin without");
		return 0;
	}
	dialing();
	patience();
	orphan();
	refused();
	return tap_done();
}
