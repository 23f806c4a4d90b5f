#define _GNU_SOURCE
#include "child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { FIRST_BYTES = 16 << 10, GRACE_MS = 1000, WITHOUT_PIDFD_MS = 10 };

static long now_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Until there is something to read, or the process of a pidfd has ended. */
static bool is_ready(int fd, long end)
{
	for (;;) {
		long left = end - now_ms();
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int r = poll(&p, 1, left > 0 ? (int)left : 0);
		if (r > 0 || (r < 0 && errno != EINTR))
			return r > 0;
		if (r == 0)
			return false;
	}
}

/* NULL, or why the text is not whole. */
static const char *text_read(int fd, size_t max, long end, char **text, size_t *n)
{
	size_t room = FIRST_BYTES;

	*n = 0;
	if (!(*text = malloc(room + 1)))
		return "no memory";
	while (is_ready(fd, end)) {
		ssize_t r = read(fd, *text + *n, room - *n);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return "its pipe cannot be read";
		if (r == 0)
			return NULL;
		*n += (size_t)r;
		if (*n > max)
			return "it wrote more than fits";
		if (*n < room)
			continue;
		char *more = realloc(*text, room * 2 + 1);
		if (!more)
			return "no memory";
		*text = more;
		room *= 2;
	}
	return "it did not end in time";
}

/* true: it has ended, and *status says how. */
static bool has_ended(pid_t pid, int process, long end, int *status)
{
	for (;;) {
		pid_t r = waitpid(pid, status, WNOHANG);
		if (r > 0 || (r < 0 && errno != EINTR))
			return true;
		long now = now_ms();
		if (now >= end)
			return false;
		(void)is_ready(process, process < 0 ? now + WITHOUT_PIDFD_MS : end);
	}
}

static void end_it(pid_t pid, int process, int *status)
{
	(void)kill(pid, SIGTERM);
	(void)kill(pid, SIGCONT);
	if (has_ended(pid, process, now_ms() + GRACE_MS, status))
		return;
	(void)kill(pid, SIGKILL);
	(void)has_ended(pid, process, now_ms() + GRACE_MS, status);
}

char *child_text(pid_t pid, int fd, size_t max, long ms, size_t *n, int *status, const char **why)
{
	int process = (int)syscall(SYS_pidfd_open, pid, 0);
	long end = now_ms() + ms;
	char *text;

	*status = -1;
	*why = text_read(fd, max, end, &text, n);
	close(fd); /* what it writes from now on ends it */
	if (!*why && !has_ended(pid, process, end, status))
		*why = "it did not end in time";
	if (*why && *status < 0)
		end_it(pid, process, status);
	if (process >= 0)
		close(process);
	if (*why) {
		free(text);
		return NULL;
	}
	text[*n] = 0;
	return text;
}
