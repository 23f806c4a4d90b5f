/* fdio: whole reads and writes on descriptors, with EINTR and short counts handled. */
#ifndef FDIO_H
#define FDIO_H
#include <stddef.h>
#include <sys/types.h>

/* All n bytes, or -1 with errno. Writes of at most PIPE_BUF bytes to a pipe stay atomic. */
int fd_write(int fd, const void *p, size_t n);
/* All n bytes at off, or -1 with errno. */
int fd_pwrite(int fd, const void *p, size_t n, off_t off);
/* Up to n bytes, fewer only at the end of the file; -1 with errno. */
ssize_t fd_read(int fd, void *p, size_t n);
/* The same at off. */
ssize_t fd_pread(int fd, void *p, size_t n, off_t off);
/* Best effort: 1 MiB of pipe, so that a short stall of a neighbour is not felt; nothing when fd is no pipe.
 */
void fd_pipe_grow(int fd);
#endif
