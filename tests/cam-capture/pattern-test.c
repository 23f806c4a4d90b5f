#include "pattern.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>

/* 2023-11-14 22:13:20.123 UTC */
static struct stamp stamp = {0, {1700000000123456789, 1, CLOCKS_SYNCHRONISED}, 0};

enum {
	WIDTH = 1280,
	HEIGHT = 720,
	BYTES = WIDTH * HEIGHT * 3 / 2,
	SCALE = 8,
	CELL = 6 * SCALE,
	LEFT = (WIDTH - 24 * CELL) / 2,
	TOP = 2 * SCALE
};

/* The 5x7 dots of a character on the screen, looked at in the middle of each dot. */
static uint64_t dots(const uint8_t *luma, unsigned column, unsigned line)
{
	uint64_t out = 0;
	for (unsigned y = 0; y < 7; y++)
		for (unsigned x = 0; x < 5; x++) {
			unsigned px = LEFT + column * CELL + x * SCALE + SCALE / 2,
			         py = TOP + line * 9 * SCALE + y * SCALE + SCALE / 2;
			out = out << 1 | (luma[py * WIDTH + px] > 128);
		}
	return out;
}

/* A one as everybody draws it. */
static const uint64_t one =
        0x04ull << 30 | 0x0cull << 25 | 0x04ull << 20 | 0x04ull << 15 | 0x04ull << 10 | 0x04ull << 5 | 0x0e;

static void clock_is_shown(void)
{
	struct pattern p;
	struct frame f;
	uint64_t digit[10];
	int wrong = 0, same = 0;
	static const char time[] = "2023-11-14 22:13:20.123Z";

	pattern_open(&p, WIDTH, HEIGHT);
	stamp.number = 1234567890; /* teaches the digits */
	pattern_draw(&p, &stamp);
	pattern_lend(&p, &f);
	ok(dots(f.plane[0], 0, 1), "a number sign");
	for (unsigned i = 0; i < 10; i++)
		digit[(i + 1) % 10] = dots(f.plane[0], 1 + i, 1);
	for (int i = 0; i < 10; i++)
		for (int j = 0; j < i; j++)
			same += digit[i] == digit[j];
	ok(!same && digit[1] == one, "ten digits that differ");
	for (unsigned i = 0; i < sizeof time - 1; i++) {
		uint64_t d = dots(f.plane[0], i, 0);
		wrong += time[i] >= '0' && time[i] <= '9' ? d != digit[time[i] - '0']
		         : time[i] == ' '                 ? d != 0
		                                          : d == 0;
	}
	ok(!wrong, "date and time to the millisecond, UTC");
	pattern_close(&p);
}

static void moves(void)
{
	struct pattern p;
	struct frame f;
	static uint8_t last[BYTES];
	int still = 0;

	pattern_open(&p, WIDTH, HEIGHT);
	for (stamp.number = 20; stamp.number < 40; stamp.number++) {
		pattern_draw(&p, &stamp);
		pattern_lend(&p, &f);
		/* below the clock */
		still += memcmp(last + (size_t)200 * WIDTH, f.plane[0] + (size_t)200 * WIDTH,
		                 (size_t)280 * WIDTH) == 0;
		still += memcmp(last + (size_t)480 * WIDTH, f.plane[0] + (size_t)480 * WIDTH,
		                 (size_t)240 * WIDTH) == 0;
		memcpy(last, f.plane[0], BYTES);
	}
	ok(!still, "ball and ramp move in each of 20 frames");
	ok(f.plane[1] == f.plane[0] + (size_t)WIDTH * HEIGHT &&
	                f.plane[2] == f.plane[1] + (size_t)WIDTH * HEIGHT / 4 && f.stride[0] == WIDTH &&
	                f.stride[1] == WIDTH / 2,
	        "planes lie one behind the other");
	pattern_close(&p);
}

int main(void)
{
	static const uint32_t sides[] = {16, 18, 30, 100, 142, 144, 146, 250, 1920, 4096};
	int failed = 0, outside = 0;

	for (unsigned i = 0; i < sizeof sides / sizeof *sides; i++)
		for (unsigned j = 0; j < sizeof sides / sizeof *sides; j++) {
			struct pattern p;
			struct frame f;
			if (sides[i] > 250 && sides[j] > 250 && i != j)
				continue; /* for time */
			failed += pattern_open(&p, sides[i], sides[j]) < 0;
			for (stamp.number = 0; stamp.number < 300; stamp.number = stamp.number * 3 + 1)
				pattern_draw(&p, &stamp);
			stamp.number = 4294967295u;
			pattern_draw(&p, &stamp);
			pattern_lend(&p, &f);
			for (size_t k = 0; k < (size_t)sides[i] * sides[j]; k++)
				outside += f.plane[0][k] < 16 || f.plane[0][k] > 235;
			pattern_close(&p);
		}
	ok(!failed, "sizes from 16x16 to 4096x4096 are drawn");
	ok(!outside, "within 16 to 235");
	clock_is_shown();
	moves();
	return tap_done();
}
