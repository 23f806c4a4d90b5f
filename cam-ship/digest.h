/* digest: the SHA-256 of bytes that come in pieces. */
#ifndef DIGEST_H
#define DIGEST_H
#include <stddef.h>
#include <stdint.h>

enum { DIGEST_BYTES = 32 };

struct digest {
	struct evp_md_ctx_st *ctx;
};

/* Once, before the others. -1 when out of memory. */
int digest_open(struct digest *d);
void digest_begin(struct digest *d);
void digest_update(struct digest *d, const void *bytes, size_t n);
void digest_end(struct digest *d, uint8_t out[DIGEST_BYTES]);
#endif
