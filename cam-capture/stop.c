/* Every wait of the capturing thread: signals arrive as a readable descriptor, so that none is missed between
 * a check and a sleep. The descriptors are never drained: what has been said stays said. */
#define _GNU_SOURCE
#include "stop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <time.h>

enum { NS_PER_S = 1000000000 };

int stop_open(struct stop *s)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -1;
	s->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	s->failed_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return s->signal_fd < 0 || s->failed_fd < 0 ? -1 : 0;
}

bool stop_asked(const struct stop *s)
{
	struct pollfd p = {.fd = s->signal_fd, .events = POLLIN};
	return poll(&p, 1, 0) == 1;
}

int64_t stop_clock_ns(void)
{
	struct timespec ts = {0};
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

bool stop_wait(const struct stop *s, int fd, int64_t until_ns)
{
	return stop_wait_either(s, fd, -1, until_ns);
}

bool stop_wait_either(const struct stop *s, int fd, int other_fd, int64_t until_ns)
{
	struct pollfd p[] = {
	        {s->signal_fd, POLLIN, 0}, {s->failed_fd, POLLIN, 0}, {fd, POLLIN, 0}, {other_fd, POLLIN, 0}};

	for (;;) {
		struct timespec left = {0};
		if (until_ns != STOP_NEVER) {
			int64_t ns = until_ns - stop_clock_ns();
			if (ns > 0)
				left = (struct timespec){.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
		}
		int r = ppoll(p, sizeof p / sizeof *p, until_ns == STOP_NEVER ? NULL : &left, NULL);
		if (r < 0 && errno != EINTR)
			return true; /* cannot happen; better to end than to spin */
		if (r > 0 && (p[0].revents || p[1].revents))
			return true;
		if (r > 0 || (r == 0 && stop_clock_ns() >= until_ns))
			return false;
	}
}
