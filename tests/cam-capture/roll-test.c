/* Which access units come out when only motion is recorded, against a plain statement of the rule. */
#include "roll.h"
#include "sei.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>

enum { FPS = 10, GOP = 10, FRAMES = 3000 };

static uint64_t seed = 1;

static uint32_t below(uint32_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % n;
}

static struct au *unit(uint32_t number, size_t bytes)
{
	static uint8_t p[100000] = {0, 0, 1, 0x67, 1, 0, 0, 1, 0x68, 1, 0, 0, 1, 0x65};
	const struct stamp stamp = {
	        .number = number, .clocks = {.boot_ns = 5000000000 + number * UINT64_C(1000000000) / FPS}};

	p[13] = number % GOP ? 0x41 : 0x65;
	memset(p + 14, 0xaa, bytes);
	struct au *au = au_make(p, 14 + bytes, &stamp);
	if (!au)
		abort();
	return au;
}

/* Frames that are to be recorded: those of the groups that reach into a time from before_s before something
 * moved to after_s after it; a group that ends just before that time begins is not. */
static void rule(const uint8_t *moving, uint32_t before_s, uint32_t after_s, uint8_t *wanted)
{
	memset(wanted, 0, FRAMES);
	for (int32_t n = 0; n < FRAMES; n++) {
		if (!moving[n])
			continue;
		int32_t from = n - (int32_t)before_s * FPS, to = n + (int32_t)after_s * FPS;
		from = from < 0 ? 0 : from / GOP * GOP;
		for (int32_t k = from; k < FRAMES && (k <= to || k % GOP); k++)
			wanted[k] = 1;
	}
}

static void play(uint32_t before_s, uint32_t after_s, uint32_t every)
{
	static uint8_t moving[FRAMES], wanted[FRAMES];
	struct roll r;
	uint32_t wrong = 0, wrong_number = 0, count = 0, recorded = 0;
	static uint64_t got[FRAMES];

	roll_init(&r, before_s * UINT64_C(1000000000), after_s * UINT64_C(1000000000), 1 << 30);
	for (uint32_t n = 0; n < FRAMES; n++)
		moving[n] = n > 3 && below(every) == 0;
	rule(moving, before_s, after_s, wanted);
	for (uint32_t n = 0; n < FRAMES; n++) {
		struct au *au;
		roll_push(&r, unit(n, 100), moving[n]);
		while ((au = roll_take(&r))) {
			wrong_number += au->stamp.number != count;
			got[count++] = (au->stamp.clocks.boot_ns - 5000000000) * FPS / 1000000000;
			free(au);
		}
	}
	roll_clear(&r);
	for (uint32_t n = 0, k = 0; n < FRAMES; n++) {
		recorded += wanted[n];
		if (wanted[n])
			wrong += k >= count || got[k++] != n;
	}
	ok(recorded > FRAMES / 50 && recorded < FRAMES && count == recorded && !wrong && !wrong_number &&
	                r.left_out == FRAMES - count && !r.bytes,
	        "%u s before, %u s after: %u of %u frames, as the rule says, numbered without holes",
	        before_s, after_s, count, FRAMES);
}

static void memory(void)
{
	enum { LIMIT = 200000 };
	struct roll r;
	size_t most = 0;

	roll_init(&r, UINT64_C(3600000000000), 0, LIMIT);
	for (uint32_t n = 0; n < FRAMES; n++) {
		roll_push(&r, unit(n, 1000 + below(3000)), false);
		most = r.bytes > most ? r.bytes : most;
	}
	ok(most > LIMIT / 2 && most < LIMIT + GOP * 5000, "what is held is bounded: %zu bytes at most", most);
	ok(r.head && r.head->idr && !roll_take(&r), "and begins at an IDR picture");
	roll_clear(&r);
}

int main(void)
{
	play(5, 10, 700);
	play(0, 0, 200);
	play(0, 7, 500);
	play(3, 0, 500);
	play(60, 1, 1500);
	memory();
	return tap_done();
}
