#include "sei.h"

#include <string.h>

enum { NAL_SEI = 6, PAYLOAD_USER_DATA_UNREGISTERED = 5, STOP_BIT = 0x80 };

/* 7f59691f-c666-4bfc-8eb7-fb5da91b74be */
static const uint8_t uuid[SEI_UUID_BYTES] = {
        0x7f, 0x59, 0x69, 0x1f, 0xc6, 0x66, 0x4b, 0xfc, 0x8e, 0xb7, 0xfb, 0x5d, 0xa9, 0x1b, 0x74, 0xbe};

static uint8_t *put_be(uint8_t *p, uint64_t v, int bytes)
{
	for (int i = bytes - 1; i >= 0; i--)
		*p++ = (uint8_t)(v >> (8 * i));
	return p;
}

static const uint8_t *get_be(const uint8_t *p, uint64_t *v, int bytes)
{
	*v = 0;
	for (int i = 0; i < bytes; i++)
		*v = *v << 8 | *p++;
	return p;
}

static void code7(uint8_t out[SEI_CODED_BYTES], const uint8_t in[SEI_FIELD_BYTES])
{
	for (unsigned i = 0; i < SEI_CODED_BYTES; i++) {
		unsigned bit = i * 7, byte = bit / 8;
		unsigned pair = (unsigned)in[byte] << 8 | (byte + 1 < SEI_FIELD_BYTES ? in[byte + 1] : 0u);
		out[i] = (uint8_t)(0x80 | (pair >> (9 - bit % 8) & 0x7f));
	}
}

static int decode7(uint8_t out[SEI_FIELD_BYTES], const uint8_t in[SEI_CODED_BYTES])
{
	memset(out, 0, SEI_FIELD_BYTES);
	for (unsigned i = 0; i < SEI_CODED_BYTES; i++) {
		unsigned bit = i * 7, byte = bit / 8, pair = (in[i] & 0x7fu) << (9 - bit % 8);
		if (!(in[i] & 0x80))
			return -1;
		out[byte] |= (uint8_t)(pair >> 8);
		if (byte + 1 < SEI_FIELD_BYTES)
			out[byte + 1] |= (uint8_t)pair;
		else if (pair & 0xff)
			return -1;
	}
	return 0;
}

void sei_put(uint8_t out[SEI_NAL_BYTES], const struct sei *s)
{
	uint8_t field[SEI_FIELD_BYTES], *p = field;
	p = put_be(p, SEI_VERSION, 1);
	p = put_be(p, s->clock_state, 1);
	p = put_be(p, s->motion, 2);
	p = put_be(p, (uint64_t)s->utc_ns, 8);
	p = put_be(p, s->boot_ns, 8);
	p = put_be(p, s->frame, 4);
	p = put_be(p, s->dropped, 4);
	put_be(p, s->rest_bytes, 4);

	const uint8_t head[] = {0, 0, 0, 1, NAL_SEI, PAYLOAD_USER_DATA_UNREGISTERED, SEI_PAYLOAD_BYTES};
	memcpy(out, head, sizeof head);
	memcpy(out + sizeof head, uuid, sizeof uuid);
	code7(out + sizeof head + sizeof uuid, field);
	out[SEI_NAL_BYTES - 1] = STOP_BIT;
}

int sei_parse(const uint8_t *nal, size_t nal_bytes, struct sei *out)
{
	const uint8_t head[] = {NAL_SEI, PAYLOAD_USER_DATA_UNREGISTERED, SEI_PAYLOAD_BYTES};
	const size_t want = SEI_NAL_BYTES - 4;
	uint8_t field[SEI_FIELD_BYTES];
	const uint8_t *p = field;
	uint64_t v;

	if (nal_bytes < want || memcmp(nal, head, sizeof head) != 0 ||
	        memcmp(nal + sizeof head, uuid, sizeof uuid) != 0 || nal[want - 1] != STOP_BIT)
		return -1;
	for (size_t i = want; i < nal_bytes; i++)
		if (nal[i])
			return -1;
	if (decode7(field, nal + sizeof head + sizeof uuid) < 0)
		return -1;
	p = get_be(p, &v, 1);
	if (v != SEI_VERSION)
		return -1;
	p = get_be(p, &v, 1);
	out->clock_state = (uint8_t)v;
	p = get_be(p, &v, 2);
	out->motion = (uint16_t)v;
	p = get_be(p, &v, 8);
	out->utc_ns = (int64_t)v;
	p = get_be(p, &out->boot_ns, 8);
	p = get_be(p, &v, 4);
	out->frame = (uint32_t)v;
	p = get_be(p, &v, 4);
	out->dropped = (uint32_t)v;
	get_be(p, &v, 4);
	out->rest_bytes = (uint32_t)v;
	return 0;
}
