/* release: the content of a stretch, decrypted as a whole before any of it leaves.
 *
 * Padding is left out, a torn access unit too, and copies of parameter sets unless they are needed. */
#ifndef RELEASE_H
#define RELEASE_H
#include "record.h"

#include <stddef.h>
#include <stdint.h>

/* The data records of a stretch, one behind the other, as they came. */
struct stretch {
	uint8_t *p;
	size_t n, room;
};

struct release {
	uint32_t access_units, torn; /* that ended in this stretch: given out, left out */
	uint64_t bytes;              /* given out */
};

/* Adds a record. -1 with errno: ENOMEM, or EFBIG past RECORD_STRETCH_BYTES_MAX. */
int stretch_add(struct stretch *s, const uint8_t *record, size_t n);
void stretch_free(struct stretch *s);

/* Decrypts in place, then gives out through out, in order. repeated: 1 to give out copies of parameter sets.
 * -1 with errno: EBADMSG when a record does not decrypt (then nothing has been given out), or what out left.
 */
int release_stretch(struct stretch *s, const uint8_t data_key[32], int repeated,
        int (*out)(void *ctx, const uint8_t *p, size_t n), void *ctx, struct release *result);
#endif
