/* m2m-io: the system calls of the hardware encoder, so that its unit tests can stand in for the kernel. */
#ifndef M2M_IO_H
#define M2M_IO_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As the system calls do, -1 with errno; none is interrupted by a signal. The device never blocks. */
int m2m_io_open(const char *path);
void m2m_io_close(int fd);
int m2m_io_ctl(int fd, unsigned long request, void *arg);
/* NULL with errno. */
void *m2m_io_map(int fd, size_t n, uint32_t offset, bool writable);
void m2m_io_unmap(void *p, size_t n);
/* poll(2) on one descriptor: what happened, 0 after ms. */
int m2m_io_wait(int fd, short events, int64_t ms);
/* Bytes of a DMABUF. */
int64_t m2m_io_size(int dmabuf);
/* CLOCK_MONOTONIC */
int64_t m2m_io_now_ns(void);
#endif
