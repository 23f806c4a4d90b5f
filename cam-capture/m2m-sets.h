/* m2m-sets: parameter sets before each IDR picture, of an encoder that may write them only once, or in a
 * buffer of their own. */
#ifndef M2M_SETS_H
#define M2M_SETS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { M2M_SETS_BYTES_MAX = 1024 };

struct m2m_sets {
	uint8_t kept[M2M_SETS_BYTES_MAX]; /* the newest */
	size_t kept_bytes, base_bytes;    /* base: up to the end of what came with the last SPS */
	uint8_t *joined;                  /* to be freed in the end */
	size_t joined_size;
};

/* Looks at what an encoder made, n bytes at *p of Annex B, and at n of it. True when that, or what *p and *n
 * are then, which is valid until the next call, is an access unit; idr says whether it is an IDR picture.
 * False with errno 0 when it was only parameter sets, which are kept; else with errno. */
bool m2m_sets_join(struct m2m_sets *s, const uint8_t **p, size_t *n, bool *idr);
#endif
