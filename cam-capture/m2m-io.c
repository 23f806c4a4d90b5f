/* The system calls of the hardware encoder, as they are. */
#define _GNU_SOURCE
#include "m2m-io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { NS_PER_S = 1000000000 };

int m2m_io_open(const char *path)
{
	return open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

void m2m_io_close(int fd)
{
	close(fd);
}

int m2m_io_ctl(int fd, unsigned long request, void *arg)
{
	int r;
	do
		r = ioctl(fd, request, arg);
	while (r < 0 && errno == EINTR);
	return r;
}

void *m2m_io_map(int fd, size_t n, uint32_t offset, bool writable)
{
	void *p = mmap(NULL, n, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, offset);
	return p == MAP_FAILED ? NULL : p;
}

void m2m_io_unmap(void *p, size_t n)
{
	munmap(p, n);
}

int m2m_io_wait(int fd, short events, int64_t ms)
{
	struct pollfd p = {.fd = fd, .events = events};
	int r = poll(&p, 1, ms < 0 ? 0 : (int)ms);
	if (r < 0 && errno == EINTR)
		return 0;
	return r <= 0 ? r : p.revents;
}

int64_t m2m_io_size(int dmabuf)
{
	return lseek(dmabuf, 0, SEEK_END);
}

int64_t m2m_io_now_ns(void)
{
	struct timespec ts = {0};
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}
