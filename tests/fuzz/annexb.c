/* The splitter: the first byte seeds how the rest is cut into pushes; every byte must come out, in order. */
#include "annexb.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static struct out {
	const uint8_t *want;
	size_t left;
	int open;
} out;

static int on_begin(void *ctx, const struct annexb_head *head)
{
	(void)ctx, (void)head;
	if (out.open++)
		abort();
	return 0;
}

static int on_bytes(void *ctx, const uint8_t *p, size_t n)
{
	(void)ctx;
	if (!out.open || !n || n > out.left || memcmp(p, out.want, n) != 0)
		abort();
	out.want += n;
	out.left -= n;
	return 0;
}

static int on_end(void *ctx, int torn, int picture)
{
	(void)ctx, (void)torn, (void)picture;
	if (!out.open--)
		abort();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct annexb a;
	uint32_t seed = n ? *p : 0;

	if (!n)
		return 0;
	p++, n--;
	out = (struct out){.want = p, .left = n};
	annexb_init(&a, &(struct annexb_sink){NULL, on_begin, on_bytes, on_end});
	while (n) {
		seed = seed * 1664525 + 1013904223;
		size_t take = seed % 251 == 0 ? n : 1 + (seed >> 16) % 97;
		if (take > n)
			take = n;
		if (annexb_push(&a, p, take) < 0)
			abort();
		p += take;
		n -= take;
		if (seed % 17 == 0 && annexb_silence(&a) < 0)
			abort();
		size_t sets;
		annexb_parameter_sets(&a, &sets);
		if (sets > ANNEXB_SETS_BYTES_MAX || a.n > ANNEXB_BUFFER_BYTES)
			abort();
	}
	if (annexb_finish(&a) < 0 || out.left || out.open)
		abort();
	return 0;
}
