#define _GNU_SOURCE
#include "fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

int fd_write(int fd, const void *p, size_t n)
{
	const uint8_t *b = p;
	while (n) {
		ssize_t r = write(fd, b, n);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -1;
		b += r;
		n -= (size_t)r;
	}
	return 0;
}

int fd_pwrite(int fd, const void *p, size_t n, off_t off)
{
	const uint8_t *b = p;
	while (n) {
		ssize_t r = pwrite(fd, b, n, off);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -1;
		b += r;
		n -= (size_t)r;
		off += r;
	}
	return 0;
}

ssize_t fd_read(int fd, void *p, size_t n)
{
	uint8_t *b = p;
	size_t have = 0;
	while (have < n) {
		ssize_t r = read(fd, b + have, n - have);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -1;
		if (!r)
			break;
		have += (size_t)r;
	}
	return (ssize_t)have;
}

ssize_t fd_pread(int fd, void *p, size_t n, off_t off)
{
	uint8_t *b = p;
	size_t have = 0;
	while (have < n) {
		ssize_t r = pread(fd, b + have, n - have, off + (off_t)have);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -1;
		if (!r)
			break;
		have += (size_t)r;
	}
	return (ssize_t)have;
}

void fd_pipe_grow(int fd)
{
	int saved = errno;
	(void)fcntl(fd, F_SETPIPE_SZ, 1 << 20);
	errno = saved;
}
