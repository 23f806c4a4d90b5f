/* Makes an access unit of what an encoder gave: finds the place for the SEI message and leaves room for it.
 * Only the NAL units before the first slice are looked at. */
#define _GNU_SOURCE
#include "au.h"

#include "sei.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* nal_unit_type, H.264 table 7-1 */
enum { NAL_SLICE = 1, NAL_IDR = 5, NAL_SPS = 7, NAL_PPS = 8, NAL_AUD = 9, NAL_SPS_EXTENSION = 13 };

static const uint8_t delimiter[] = {0, 0, 0, 1, NAL_AUD, 0xf0}; /* primary_pic_type 7: any slice type */

struct shape {
	size_t sei_at; /* in the encoder's bytes */
	bool has_aud, idr;
};

/* Position of the next start code's 01 byte at or after at; n when there is none. */
static size_t start_code(const uint8_t *p, size_t n, size_t at)
{
	for (; n - at >= 3; at++)
		if (!p[at] && !p[at + 1] && p[at + 2] == 1)
			return at + 2;
	return n;
}

static int look(const uint8_t *p, size_t n, struct shape *out)
{
	bool found = false, sps = false, pps = false;

	*out = (struct shape){0};
	for (size_t at = start_code(p, n, 0); at + 1 < n; at = start_code(p, n, at + 1)) {
		unsigned type = p[at + 1] & 31;
		size_t begin =
		        at - 2 - (at > 2 && !p[at - 3]); /* the zero_byte belongs to the NAL unit after it */
		sps |= type == NAL_SPS;
		pps |= type == NAL_PPS;
		if (begin == 0)
			out->has_aud = type == NAL_AUD;
		if (!found && type != NAL_AUD && type != NAL_SPS && type != NAL_PPS &&
		        type != NAL_SPS_EXTENSION) {
			out->sei_at = begin;
			found = true;
		}
		if (type >= NAL_SLICE && type <= NAL_IDR) {
			out->idr = type == NAL_IDR;
			return out->idr && (!sps || !pps) ? -1 : 0;
		}
	}
	return -1;
}

struct au *au_make(const uint8_t *p, size_t n, const struct stamp *stamp)
{
	struct shape s;

	if (look(p, n, &s) < 0 || n > UINT32_MAX) {
		errno = EBADMSG;
		return NULL;
	}
	size_t head = s.has_aud ? 0 : sizeof delimiter;
	struct au *au = malloc(sizeof *au + head + n + SEI_NAL_BYTES);
	if (!au)
		return NULL;
	*au = (struct au){
	        .stamp = *stamp, .idr = s.idr, .sei_at = head + s.sei_at, .bytes = head + n + SEI_NAL_BYTES};
	memcpy(au->data, delimiter, head);
	memcpy(au->data + head, p, s.sei_at);
	memcpy(au->data + au->sei_at + SEI_NAL_BYTES, p + s.sei_at, n - s.sei_at);
	au_tell(au, 0);
	return au;
}

void au_tell(struct au *au, uint32_t dropped)
{
	struct sei sei = {
	        .clock_state = au->stamp.clocks.state,
	        .motion = au->stamp.motion,
	        .utc_ns = au->stamp.clocks.utc_ns,
	        .boot_ns = au->stamp.clocks.boot_ns,
	        .frame = au->stamp.number,
	        .dropped = dropped,
	        .rest_bytes = (uint32_t)(au->bytes - au->sei_at - SEI_NAL_BYTES),
	};
	sei_put(au->data + au->sei_at, &sei);
}
