#include "sei.h"
#include "tap.h"

#include <string.h>

static uint64_t seed = 1;

static uint64_t next(void)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return seed >> 11 ^ seed << 17;
}

static int same(const struct sei *a, const struct sei *b)
{
	return a->clock_state == b->clock_state && a->motion == b->motion && a->utc_ns == b->utc_ns &&
	       a->boot_ns == b->boot_ns && a->frame == b->frame && a->dropped == b->dropped &&
	       a->rest_bytes == b->rest_bytes;
}

static int has_start_code_inside(const uint8_t *nal)
{
	for (int i = 4; i < SEI_NAL_BYTES; i++)
		if (nal[i] <= 3)
			return 1;
	return 0;
}

int main(void)
{
	uint8_t nal[SEI_NAL_BYTES + 3];
	struct sei a, b;
	int wrong = 0, codes = 0;

	ok(SEI_NAL_BYTES <= 70, "%d bytes are at most 70", SEI_NAL_BYTES);
	for (int i = 0; i < 10000; i++) {
		a = (struct sei){(uint8_t)next(), (uint16_t)next(), (int64_t)next(), next(), (uint32_t)next(),
		        (uint32_t)next(), (uint32_t)next()};
		if (i == 0)
			a = (struct sei){0};
		if (i == 1)
			a = (struct sei){255, 65535, -1, UINT64_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX};
		sei_put(nal, &a);
		memset(&b, 0x55, sizeof b);
		wrong += sei_parse(nal + 4, SEI_NAL_BYTES - 4, &b) < 0 || !same(&a, &b);
		codes += has_start_code_inside(nal);
	}
	ok(!wrong, "10000 messages come back as they went");
	ok(!codes, "no byte needs emulation prevention");

	memset(nal + SEI_NAL_BYTES, 0, 3);
	ok(sei_parse(nal + 4, SEI_NAL_BYTES - 4 + 3, &b) == 0,
	        "trailing zeros belong to the next start code");
	ok(sei_parse(nal + 4, SEI_NAL_BYTES - 5, &b) < 0, "one byte short");
	int accepted = 0;
	for (int i = 4; i < SEI_NAL_BYTES; i++) {
		uint8_t bad[SEI_NAL_BYTES];
		memcpy(bad, nal, sizeof bad);
		bad[i] ^= 0x80;
		accepted += sei_parse(bad + 4, SEI_NAL_BYTES - 4, &b) == 0;
	}
	ok(!accepted, "a flipped top bit anywhere is refused");
	return tap_done();
}
