/* The detector on pictures that are made here: what it must see and must not, at every size and rate. How
 * well it does on scenes is measured by tests/motion.py. */
#include "motion.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>

static uint64_t seed = 1;

static int noise(int most)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (int)((seed >> 33) % (2 * (unsigned)most + 1)) - most;
}

static uint8_t clip(int v)
{
	return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

/* A picture of stripes in this light, with a square at x (none when side is 0). */
static void draw(uint8_t *p, const struct video *v, uint32_t stride, int percent, int x, int side)
{
	for (int row = 0; row < (int)v->height; row++)
		for (int col = 0; col < (int)v->width; col++) {
			int luma = 40 + (col / 7 % 3 + row / 11 % 4) * 25;
			if (row >= (int)v->height / 2 - side / 2 && row < (int)v->height / 2 + side / 2 &&
			        col >= x && col < x + side)
				luma += 60;
			p[row * (int)stride + col] = clip(luma * percent / 100 + noise(6));
		}
}

struct seen {
	unsigned still, moving; /* frames of 300 and of 60 with a score above 0 */
	uint16_t top;
};

/* Nothing but noise and, later, another light; then something crosses. */
static int play(uint32_t width, uint32_t height, uint32_t fps, int side, struct seen *out)
{
	const struct video v = {.width = width, .height = height, .rate_num = fps, .rate_den = 1};
	const uint32_t stride = width + 13;
	uint8_t *p = malloc((size_t)stride * height);
	const struct frame f = {.plane = {p}, .stride = {stride}};
	struct motion *m = motion_open(&v);

	*out = (struct seen){0};
	if (!p || !m)
		return -1;
	memset(p, 255, (size_t)stride * height); /* what is outside the picture is not looked at */
	for (unsigned n = 0; n < 6 * fps; n++) {
		draw(p, &v, stride, n < 4 * fps ? 80 : 120, 0, 0);
		out->still += motion_score(m, &f) != 0;
	}
	for (unsigned n = 0; n < 2 * fps; n++) {
		draw(p, &v, stride, 120, (int)(n * width / (2 * fps)), side);
		uint16_t score = motion_score(m, &f);
		out->moving += score != 0;
		out->top = score > out->top ? score : out->top;
	}
	motion_close(m);
	free(p);
	return 0;
}

int main(void)
{
	static const struct {
		uint32_t width, height, fps;
		int side;
	} shape[] = {{640, 480, 30, 120}, {1280, 720, 30, 60}, {636, 480, 25, 100}, {1920, 1080, 10, 270},
	        {320, 240, 5, 60}, {100, 1000, 15, 25}, {1024, 64, 30, 32}, {162, 122, 60, 30}};
	struct seen s;

	for (size_t i = 0; i < sizeof shape / sizeof *shape; i++) {
		int r = play(shape[i].width, shape[i].height, shape[i].fps, shape[i].side, &s);
		ok(r == 0 && !s.still && s.moving >= shape[i].fps && s.top <= MOTION_MAX,
		        "%ux%u, %u a second: nothing in noise and a change of light (%u), something that "
		        "crosses in %u of %u frames, up to %u",
		        shape[i].width, shape[i].height, shape[i].fps, s.still, s.moving, 2 * shape[i].fps,
		        s.top);
	}
	ok(play(16, 16, 30, 8, &s) == 0 && !s.still, "the smallest picture does no harm");
	return tap_done();
}
