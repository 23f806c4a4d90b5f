/* scenes SEED WxH FRAMES TRUTH [NAME=VALUE]...: a scene as YUV4MPEG2 (30 frames a second) on stdout, and what
 * is true of each frame as one character in the file TRUTH: 1 something moves, 0 nothing does, - it is
 * half in or half out. The same arguments give the same bytes.
 *
 *   size=N       of what moves, in hundredths of the picture's width; 0 (the default): nothing moves
 *   speed=N      in hundredths of the picture's width a second
 *   contrast=N   luma between it and what is behind it, at least; it has a texture of its own
 *   noise=N      of the sensor: standard deviation of each sample, in tenths of luma
 *   rain=N       streaks in the picture at a time, each as long as a tenth of the height
 *   light=KIND   slow (over the scene, up to twice as bright), gain, offset (from one frame to the next, at
 *                a third of the scene), lamp (the same, brighter on one side), flash (three frames), flicker
 *   leaves=N     a corner, N hundredths of the width, whose texture sways */
#define _GNU_SOURCE
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RATE = 30, NOISE = 1 << 16, STREAKS_MAX = 4000 };

struct scene {
	int width, height, frames;
	double size, speed, contrast, noise, rain, leaves;
	char light[16];
};

struct thing {
	double x, y, dx, dy, w, h;
	int begin;
	double sign;
};

struct streak {
	double x, y, speed, slant;
};

static uint64_t state;
static float noise_table[NOISE];
static float *still, *picture;
static struct streak streak[STREAKS_MAX];

/* splitmix64 */
static uint64_t next(void)
{
	uint64_t z = (state += UINT64_C(0x9e3779b97f4a7c15));
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static double uniform(double from, double to)
{
	return from + (to - from) * (double)(next() >> 11) / 9007199254740992.0;
}

static double normal(void)
{
	return sqrt(-2 * log(uniform(1e-12, 1))) * cos(2 * 3.14159265358979 * uniform(0, 1));
}

static double texture(double x, double y, uint64_t seed)
{
	double v = 0;
	for (int octave = 0; octave < 3; octave++) {
		double s = 90.0 / (1 << (2 * octave));
		int x0 = (int)floor(x / s), y0 = (int)floor(y / s);
		double fx = x / s - x0, fy = y / s - y0, corner[4];
		for (int k = 0; k < 4; k++) {
			uint64_t h = seed + (uint64_t)octave * 77;
			h = (h ^ (uint64_t)(uint32_t)(x0 + (k & 1))) * UINT64_C(0x9e3779b97f4a7c15);
			h = (h ^ (h >> 29) ^ (uint64_t)(uint32_t)(y0 + (k >> 1))) *
			    UINT64_C(0xbf58476d1ce4e5b9);
			corner[k] = (double)(h >> 40) / 16777216.0;
		}
		v += ((corner[0] * (1 - fx) + corner[1] * fx) * (1 - fy) +
		             (corner[2] * (1 - fx) + corner[3] * fx) * fy) /
		     (1 << octave);
	}
	return v / 1.75;
}

static void still_draw(const struct scene *s)
{
	uint64_t seed = next();
	for (int y = 0; y < s->height; y++)
		for (int x = 0; x < s->width; x++)
			still[y * s->width + x] =
			        (float)(40 + 150 * texture(x * 640.0 / s->width, y * 640.0 / s->width, seed));
	for (int k = 0; k < 12; k++) { /* houses, cars: edges */
		int w = (int)uniform(s->width / 30.0, s->width / 5.0),
		    h = (int)uniform(s->width / 30.0, s->width / 5.0);
		int x0 = (int)uniform(0, s->width - w), y0 = (int)uniform(0, s->height - h);
		double shade = uniform(0.5, 1.4);
		for (int y = y0 < 0 ? 0 : y0; y < y0 + h && y < s->height; y++)
			for (int x = x0; x < x0 + w && x < s->width; x++)
				still[y * s->width + x] = (float)fmin(235, still[y * s->width + x] * shade);
	}
}

static void leaves_draw(const struct scene *s, int n, uint64_t seed)
{
	int side = (int)(s->leaves * s->width);
	for (int y = 0; y < side && y < s->height; y++)
		for (int x = 0; x < side; x++) {
			double sway = 3 * sin(n * 0.35 + x * 0.05) + 2 * sin(n * 0.83 + y * 0.11);
			picture[y * s->width + x] =
			        (float)(50 + 110 * texture(4 * (x + sway), 4 * (y + sway / 2), seed));
		}
}

static void thing_start(const struct scene *s, struct thing *t)
{
	t->w = s->size * s->width;
	t->h = t->w * uniform(0.7, 1.6);
	if (t->h > s->height * 0.8)
		t->h = s->height * 0.8;
	t->dx = (next() & 1 ? 1 : -1) * s->speed * s->width / RATE;
	t->dy = t->dx * uniform(-0.2, 0.2);
	t->x = t->dx > 0 ? -t->w : s->width;
	t->y = uniform(0.15 * s->height, 0.85 * s->height - t->h);
	t->sign = next() & 1 ? 1 : -1;
}

/* How much of it is inside, 0 to 1. */
static double thing_draw(const struct scene *s, const struct thing *t, uint64_t seed)
{
	int inside = 0, all = 0;
	for (int y = (int)t->y; y < (int)(t->y + t->h); y++)
		for (int x = (int)floor(t->x); x < (int)floor(t->x + t->w); x++) {
			double u = (x + 0.5 - t->x) / t->w * 2 - 1, v = (y + 0.5 - t->y) / t->h * 2 - 1;
			if (u * u + v * v > 1)
				continue;
			all++;
			if (x < 0 || x >= s->width || y < 0 || y >= s->height)
				continue;
			inside++;
			float *p = &picture[y * s->width + x];
			double to = *p + t->sign * s->contrast *
			                         (1 + texture(6 * (x - t->x), 6 * (y - t->y), seed));
			*p = (float)fmin(235, fmax(16, to));
		}
	return all ? (double)inside / all : 0;
}

static void rain_draw(const struct scene *s)
{
	double length = s->height / 10.0;
	for (int k = 0; k < s->rain && k < STREAKS_MAX; k++) {
		struct streak *r = &streak[k];
		if (r->y > s->height || !(r->speed > 0))
			*r = (struct streak){uniform(0, s->width),
			        r->speed > 0 ? -length : uniform(-length, s->height),
			        uniform(0.6, 1.4) * s->height / 12, uniform(0.1, 0.2)};
		for (int i = 0; i < (int)length; i++) {
			int y = (int)r->y + i, x = (int)(r->x + i * r->slant);
			for (int w = 0; w < 1 + s->width / 640; w++)
				if (y >= 0 && y < s->height && x + w >= 0 && x + w < s->width) {
					float *p = &picture[y * s->width + x + w];
					*p = (float)fmin(235, *p + 45);
				}
		}
		r->y += r->speed;
	}
}

static double light_gain(const struct scene *s, int n, int x)
{
	const int third = s->frames / 3;
	if (!strcmp(s->light, "slow"))
		return 0.7 + 0.7 * n / s->frames;
	if (!strcmp(s->light, "gain"))
		return n < third ? 0.6 : 1.15;
	if (!strcmp(s->light, "lamp"))
		return n < third ? 0.6 : 0.6 + 0.6 * (s->width - x) / s->width;
	if (!strcmp(s->light, "flash"))
		return n >= third && n < third + 3 ? 1.7 : 1;
	if (!strcmp(s->light, "flicker"))
		return 1 + 0.05 * sin(n * 2.1);
	return 1;
}

static void finish(const struct scene *s, int n, uint8_t *out)
{
	double offset = !strcmp(s->light, "offset") && n >= s->frames / 3 ? 30 : 0;
	for (int y = 0; y < s->height; y++) {
		unsigned at = (unsigned)next();
		for (int x = 0; x < s->width; x++) {
			double v = (picture[y * s->width + x] - 16) * light_gain(s, n, x) + 16 + offset +
			           s->noise * noise_table[at++ % NOISE];
			out[y * s->width + x] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v + 0.5);
		}
	}
}

static void play(const struct scene *s, FILE *truth)
{
	size_t luma = (size_t)s->width * s->height;
	uint8_t *out = malloc(luma * 3 / 2);
	struct thing t = {0};
	uint64_t look = next(), leaf = next();

	still = malloc(luma * sizeof *still);
	picture = malloc(luma * sizeof *picture);
	if (!out || !still || !picture)
		exit(111);
	still_draw(s);
	t.begin = s->frames / 3;
	printf("YUV4MPEG2 W%d H%d F%d:1 Ip C420mpeg2\n", s->width, s->height, RATE);
	memset(out + luma, 128, luma / 2);
	for (int n = 0; n < s->frames; n++) {
		double inside = 0;
		memcpy(picture, still, luma * sizeof *still);
		if (s->leaves > 0)
			leaves_draw(s, n, leaf);
		if (s->size > 0 && n >= t.begin) {
			if (!(t.w > 0) || t.x > s->width + 1 || t.x + t.w < -1)
				thing_start(s, &t);
			inside = thing_draw(s, &t, look);
			t.x += t.dx;
			t.y += t.dy;
		}
		rain_draw(s);
		finish(s, n, out);
		puts("FRAME");
		fwrite(out, 1, luma * 3 / 2, stdout);
		fputc(inside >= 0.5 ? '1' : inside > 0 ? '-' : '0', truth);
	}
	fputc('\n', truth);
	free(out);
	free(still);
	free(picture);
}

static double number(const char *text, double least, double most)
{
	char *end;
	double v = strtod(text, &end);
	if (end == text || *end || !(v >= least && v <= most)) {
		fprintf(stderr, "scenes: %s: not a number from %g to %g\n", text, least, most);
		exit(100);
	}
	return v;
}

static void size_parse(struct scene *s, const char *text)
{
	char width[8];
	size_t n = strcspn(text, "x");

	snprintf(width, sizeof width, "%.*s", (int)n, text);
	s->width = (int)number(width, 16, 4096);
	s->height = (int)number(text + n + (text[n] == 'x'), 16, 4096);
}

static int property(struct scene *s, char *argument)
{
	const struct {
		const char *name;
		double *to, unit;
	} numbers[] = {{"size", &s->size, 0.01}, {"speed", &s->speed, 0.01}, {"contrast", &s->contrast, 1},
	        {"noise", &s->noise, 0.1}, {"rain", &s->rain, 1}, {"leaves", &s->leaves, 0.01}};
	char *value = strchr(argument, '=');

	if (!value)
		return -1;
	*value++ = 0;
	if (!strcmp(argument, "light")) {
		snprintf(s->light, sizeof s->light, "%s", value);
		return 0;
	}
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		if (!strcmp(argument, numbers[i].name)) {
			*numbers[i].to = number(value, 0, STREAKS_MAX) * numbers[i].unit;
			return 0;
		}
	return -1;
}

int main(int argc, char **argv)
{
	struct scene s = {.contrast = 25};
	FILE *truth = argc > 4 ? fopen(argv[4], "w") : NULL;

	if (!truth)
		return 100;
	state = (uint64_t)number(argv[1], 0, 1e9);
	size_parse(&s, argv[2]);
	s.frames = (int)number(argv[3], 1, 1e6);
	for (int i = 5; i < argc; i++)
		if (property(&s, argv[i]) < 0)
			return 100;
	for (int i = 0; i < NOISE; i++)
		noise_table[i] = (float)normal();
	play(&s, truth);
	return fflush(stdout) || fclose(truth) ? 111 : 0;
}
