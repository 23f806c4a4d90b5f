/* cpio: an archive of the kind that the kernel takes as its first root (driver-api/early-userspace/
 * buffer-format.rst of the kernel: "newc", several behind each other), in pieces as they come. */
#ifndef CPIO_H
#define CPIO_H
#include <stddef.h>
#include <stdint.h>

enum { CPIO_HEAD_BYTES = 110, CPIO_NAME_BYTES_MAX = 4096, CPIO_ENTRIES_MAX = 1 << 17 };

struct cpio {
	/* mode as of stat(2), name without leading / */
	void (*entry)(void *arg, const char *name, unsigned mode);
	void *arg;
	/* inside */
	enum { CPIO_BETWEEN, CPIO_HEAD, CPIO_NAME, CPIO_SKIP } state;
	char head[CPIO_HEAD_BYTES + 1], name[CPIO_NAME_BYTES_MAX];
	size_t have, name_bytes;
	uint64_t skip, after_name; /* bytes still to be passed over; of data, with its padding */
	unsigned long entries, archives;
	const char *why;
};

/* How many of the n bytes were taken: all, or fewer where an archive is over and something else begins. With
 * c->why set it is no archive, and never will be one. */
size_t cpio_push(struct cpio *c, const uint8_t *p, size_t n);
/* 0; -1: it ends within an archive, or there was none. */
int cpio_end(const struct cpio *c);
#endif
