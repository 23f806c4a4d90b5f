#define _GNU_SOURCE
#include "msg.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { BURST = 50, PER_SECOND = 10, LINE_BYTES_MAX = 1024 };

static const char *tool = "cam";
static int service;
static unsigned long dropped;
static unsigned tokens = BURST;
static int64_t refilled_ms;

void msg_init(const char *name)
{
	tool = name;
}

void msg_service(void)
{
	service = 1;
}

static int64_t now_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int token_take(void)
{
	int64_t now = now_ms(), earned = (now - refilled_ms) * PER_SECOND / 1000;
	if (earned > 0) {
		tokens = earned > BURST - (int64_t)tokens ? BURST : tokens + (unsigned)earned;
		refilled_ms = now;
	}
	if (!tokens)
		return 0;
	tokens--;
	return 1;
}

/* A pipe that polls writable has room for PIPE_BUF bytes, more than a line; RWF_NOWAIT closes the race
 * with other writers of the same pipe where the kernel knows it for pipes (6.4). */
static int write_nowait(char *line, size_t n)
{
	struct iovec v = {.iov_base = line, .iov_len = n};
	ssize_t r = pwritev2(STDERR_FILENO, &v, 1, -1, RWF_NOWAIT);
	if (r >= 0 || errno == EAGAIN)
		return r >= 0 ? 0 : -1;
	struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
	if (poll(&p, 1, 0) != 1 || !(p.revents & POLLOUT))
		return -1;
	return write(STDERR_FILENO, line, n) < 0 ? -1 : 0;
}

static int line_write(char *line, size_t n)
{
	if (service)
		return write_nowait(line, n);
	while (n) {
		ssize_t r = write(STDERR_FILENO, line, n);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -1;
		line += r;
		n -= (size_t)r;
	}
	return 0;
}

__attribute__((format(printf, 1, 0))) static void line_send(const char *fmt, va_list ap, int err, int urgent)
{
	char line[LINE_BYTES_MAX];
	int saved = errno;

	if (service && !urgent && !token_take()) {
		dropped++;
		errno = saved;
		return;
	}
	if (dropped) {
		int n = snprintf(line, sizeof line,
		        "%s: %lu messages dropped: too many, or nobody read them\n", tool, dropped);
		if (line_write(line, (size_t)n) == 0)
			dropped = 0;
	}
	int head = snprintf(line, sizeof line, "%s: ", tool);
	size_t n = (size_t)head, room = sizeof line - 1;
	int body = vsnprintf(line + n, room - n, fmt, ap);
	n += body < 0 ? 0 : (size_t)body < room - n ? (size_t)body : room - n - 1;
	if (err) {
		int why = snprintf(line + n, room - n, ": %s", strerror(err));
		n += why < 0 ? 0 : (size_t)why < room - n ? (size_t)why : room - n - 1;
	}
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	line[n++] = '\n';
	if (line_write(line, n) < 0)
		dropped++;
	errno = saved;
}

void msg(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	line_send(fmt, ap, 0, 0);
	va_end(ap);
}

void msg_errno(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	line_send(fmt, ap, errno, 0);
	va_end(ap);
}

void die(int code, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	line_send(fmt, ap, 0, 1);
	va_end(ap);
	exit(code);
}

void die_errno(int code, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	line_send(fmt, ap, errno, 1);
	va_end(ap);
	exit(code);
}
