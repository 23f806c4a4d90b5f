/* sei: the message that cam-capture puts into each access unit, and cam-seal reads.
 *
 * An SEI NAL unit with one user_data_unregistered payload (ITU-T H.264, D.1.7): our UUID, then the fields
 * below as one big-endian bit string of 256 bits cut into 37 groups of 7 bits (the last one padded with
 * zeros), each byte with its top bit set. No byte is ever 0 to 3, so emulation prevention never applies and
 * the message always has the same length. */
#ifndef SEI_H
#define SEI_H
#include <stddef.h>
#include <stdint.h>

enum {
	SEI_VERSION = 1,
	SEI_UUID_BYTES = 16,
	SEI_FIELD_BYTES = 32,
	SEI_CODED_BYTES = 37,
	SEI_PAYLOAD_BYTES = SEI_UUID_BYTES + SEI_CODED_BYTES,
	SEI_NAL_BYTES =
	        4 + 1 + 2 + SEI_PAYLOAD_BYTES + 1, /* start code, header, type and size, payload, stop bit */
};

#define SEI_REST_UNKNOWN UINT32_MAX

struct sei {
	uint8_t clock_state; /* enum clocks_state */
	uint16_t motion;     /* score, 0 none to 1000; 65535 not measured */
	int64_t utc_ns;      /* capture time, nanoseconds since 1970 */
	uint64_t boot_ns;    /* capture time, CLOCK_BOOTTIME */
	uint32_t frame;      /* number of this frame since cam-capture started, dropped ones counted */
	uint32_t dropped;    /* frames dropped so far since cam-capture started */
	uint32_t rest_bytes; /* bytes of the access unit after this NAL unit, start codes included, or
	                        SEI_REST_UNKNOWN */
};

/* Bit string: version 8, clock_state 8, motion 16, utc_ns 64, boot_ns 64, frame 32, dropped 32, rest 32. */
void sei_put(uint8_t out[SEI_NAL_BYTES], const struct sei *s);

/* nal: from the NAL unit header byte on (no start code), nal_bytes long, trailing zeros allowed.
 * 0 when it is our message of this version, else -1. */
int sei_parse(const uint8_t *nal, size_t nal_bytes, struct sei *out);
#endif
