#define _GNU_SOURCE
#include "stop.h"

#include "msg.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

static int stop_fd = -1;

int stop_init(void)
{
	sigset_t set;

	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
			_exit(EXIT_TEMPORARY);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	stop_fd =
	        sigprocmask(SIG_BLOCK, &set, NULL) < 0 ? -1 : signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (stop_fd < 0)
		die_errno(EXIT_TEMPORARY, "signals");
	return stop_fd;
}

bool stop_interrupted(void)
{
	sigset_t set;
	return sigpending(&set) == 0 && sigismember(&set, SIGINT) == 1 && sigismember(&set, SIGTERM) == 0;
}

/* The signal is never read, so the descriptor stays readable. */
bool stop_asked(int timeout_ms)
{
	struct pollfd p = {.fd = stop_fd, .events = POLLIN};
	return poll(&p, 1, timeout_ms) == 1;
}
