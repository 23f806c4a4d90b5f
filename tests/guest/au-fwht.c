/* Stands where au.c is, for FWHT, which has no place for a message: frames go out as the encoder made them,
 * and a line for each to descriptor 9, if it is open: number, clock from boot and UTC in nanoseconds, frames
 * dropped before, bytes, and I or P. */
#define _GNU_SOURCE
#include "au.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/v4l2-controls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINES_FD = 9, HEADER_BYTES = 44, FLAGS_AT = 20, SIZE_AT = 40 }; /* of vicodec's header, big-endian */

static const uint8_t magic[] = {'O', 'O', 'O', 'O'};

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

struct au *au_make(const uint8_t *p, size_t n, const struct stamp *stamp)
{
	if (n < HEADER_BYTES || memcmp(p, magic, sizeof magic) != 0 ||
	        be32(p + SIZE_AT) != n - HEADER_BYTES) {
		errno = EBADMSG;
		return NULL;
	}
	struct au *au = malloc(sizeof *au + n);
	if (!au)
		return NULL;
	*au = (struct au){.stamp = *stamp, .idr = be32(p + FLAGS_AT) & V4L2_FWHT_FL_I_FRAME, .bytes = n};
	memcpy(au->data, p, n);
	return au;
}

void au_tell(struct au *au, uint32_t dropped)
{
	dprintf(LINES_FD, "%" PRIu32 " %" PRIu64 " %" PRId64 " %" PRIu32 " %zu %c\n", au->stamp.number,
	        au->stamp.clocks.boot_ns, au->stamp.clocks.utc_ns, dropped, au->bytes, au->idr ? 'I' : 'P');
}
