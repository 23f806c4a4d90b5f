/* Draws the test picture: colour bars above, a grainy ramp that moves below (grain, so that a high bitrate
 * has something to spend itself on, as with a sensor), a ball, and the time to the millisecond in letters as
 * large as fit. Holds two pictures; everything that is drawn is clipped to them. */
#define _GNU_SOURCE
#include "pattern.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	BLACK = 16,
	WHITE = 235,
	GREY = 128, /* chroma of no colour */
	GLYPH_WIDTH = 5,
	GLYPH_HEIGHT = 7,
	GRAIN = 16, /* peak to peak */
	GRAIN_SLACK = 4096,
	TEXT_COLUMNS = 24,
};

/* 75 % bars of BT.709, limited range: white, yellow, cyan, green, magenta, red, blue, black */
static const uint8_t bars[][3] = {{180, 128, 128}, {168, 44, 136}, {145, 147, 44}, {133, 63, 52},
        {63, 193, 204}, {51, 109, 212}, {28, 212, 120}, {16, 128, 128}};

/* 5x7, a byte for each row, the highest of five bits is the left one */
static const struct {
	char c;
	uint8_t row[GLYPH_HEIGHT];
} font[] = {
        {'0', {0x0e, 0x11, 0x13, 0x15, 0x19, 0x11, 0x0e}},
        {'1', {0x04, 0x0c, 0x04, 0x04, 0x04, 0x04, 0x0e}},
        {'2', {0x0e, 0x11, 0x01, 0x02, 0x04, 0x08, 0x1f}},
        {'3', {0x1f, 0x02, 0x04, 0x02, 0x01, 0x11, 0x0e}},
        {'4', {0x02, 0x06, 0x0a, 0x12, 0x1f, 0x02, 0x02}},
        {'5', {0x1f, 0x10, 0x1e, 0x01, 0x01, 0x11, 0x0e}},
        {'6', {0x06, 0x08, 0x10, 0x1e, 0x11, 0x11, 0x0e}},
        {'7', {0x1f, 0x01, 0x02, 0x04, 0x08, 0x08, 0x08}},
        {'8', {0x0e, 0x11, 0x11, 0x0e, 0x11, 0x11, 0x0e}},
        {'9', {0x0e, 0x11, 0x11, 0x0f, 0x01, 0x02, 0x0c}},
        {'-', {0x00, 0x00, 0x00, 0x1f, 0x00, 0x00, 0x00}},
        {':', {0x00, 0x0c, 0x0c, 0x00, 0x0c, 0x0c, 0x00}},
        {'.', {0x00, 0x00, 0x00, 0x00, 0x00, 0x0c, 0x0c}},
        {'#', {0x0a, 0x0a, 0x1f, 0x0a, 0x1f, 0x0a, 0x0a}},
        {'Z', {0x1f, 0x01, 0x02, 0x04, 0x08, 0x10, 0x1f}},
};

static size_t luma_bytes(const struct pattern *p)
{
	return (size_t)p->width * p->height;
}

static uint32_t bars_height(const struct pattern *p)
{
	return p->height * 2 / 3 & ~1u;
}

static uint32_t random_next(struct pattern *p)
{
	p->seed = p->seed * 1664525u + 1013904223u;
	return p->seed >> 8;
}

static void still_draw(struct pattern *p)
{
	uint8_t *u = p->still + luma_bytes(p), *v = u + luma_bytes(p) / 4;
	uint32_t half = p->width / 2, n = sizeof bars / sizeof *bars;

	memset(p->still, BLACK, luma_bytes(p));
	memset(u, GREY, luma_bytes(p) / 2);
	for (uint32_t y = 0; y < bars_height(p); y++)
		for (uint32_t x = 0; x < p->width; x++)
			p->still[(size_t)y * p->width + x] = bars[x * n / p->width][0];
	for (uint32_t y = 0; y < bars_height(p) / 2; y++)
		for (uint32_t x = 0; x < half; x++) {
			u[(size_t)y * half + x] = bars[x * n / half][1];
			v[(size_t)y * half + x] = bars[x * n / half][2];
		}
}

int pattern_open(struct pattern *p, uint32_t width, uint32_t height)
{
	*p = (struct pattern){.width = width, .height = height, .seed = 1};
	size_t frame = luma_bytes(p) * 3 / 2, grain = (size_t)width + GRAIN_SLACK;
	p->picture = malloc(frame);
	p->still = malloc(frame);
	p->ramp = malloc((size_t)width * 2);
	p->grain = malloc(grain);
	if (!p->picture || !p->still || !p->ramp || !p->grain) {
		pattern_close(p);
		errno = ENOMEM;
		return -1;
	}
	still_draw(p);
	for (uint32_t x = 0; x < width * 2; x++)
		p->ramp[x] = (uint8_t)(BLACK + (x % width) * (WHITE - BLACK - GRAIN) / width);
	for (size_t i = 0; i < grain; i++)
		p->grain[i] = (uint8_t)(random_next(p) % GRAIN);
	return 0;
}

void pattern_close(struct pattern *p)
{
	free(p->picture);
	free(p->still);
	free(p->ramp);
	free(p->grain);
	*p = (struct pattern){0};
}

static void ramp_draw(struct pattern *p, uint32_t number)
{
	const uint8_t *ramp = p->ramp + number * 2 % p->width;
	for (uint32_t y = bars_height(p); y < p->height; y++) {
		const uint8_t *grain = p->grain + random_next(p) % GRAIN_SLACK;
		uint8_t *row = p->picture + (size_t)y * p->width;
		for (uint32_t x = 0; x < p->width; x++)
			row[x] = (uint8_t)(ramp[x] + grain[x]);
	}
}

/* A rectangle of one luma and no colour. */
static void box(struct pattern *p, uint32_t left, uint32_t top, uint32_t width, uint32_t height, uint8_t luma)
{
	if (left >= p->width || top >= p->height)
		return;
	if (width > p->width - left)
		width = p->width - left;
	if (height > p->height - top)
		height = p->height - top;
	for (uint32_t y = top; y < top + height; y++)
		memset(p->picture + (size_t)y * p->width + left, luma, width);
	uint8_t *chroma = p->picture + luma_bytes(p);
	uint32_t half = p->width / 2, rows = (top + height + 1) / 2,
	         columns = (left + width + 1) / 2 - left / 2;
	for (uint32_t y = top / 2; y < rows; y++) {
		memset(chroma + (size_t)y * half + left / 2, GREY, columns);
		memset(chroma + luma_bytes(p) / 4 + (size_t)y * half + left / 2, GREY, columns);
	}
}

/* Back and forth between 0 and span. */
static uint32_t swing(uint64_t at, uint32_t span)
{
	if (!span)
		return 0;
	uint32_t r = (uint32_t)(at % (2 * (uint64_t)span));
	return r < span ? r : 2 * span - r;
}

static void ball_draw(struct pattern *p, uint32_t number)
{
	uint32_t short_side = p->width < p->height ? p->width : p->height, size = short_side / 6,
	         r = size / 2;
	uint32_t left = swing((uint64_t)number * (p->width / 160 + 1), p->width - size);
	uint32_t top = swing((uint64_t)number * (p->height / 120 + 1), p->height - size);

	for (uint32_t y = 0; y < size; y++) {
		int64_t dy = (int64_t)y - r;
		uint32_t half = 0;
		while (half < r && (int64_t)(half + 1) * (half + 1) + dy * dy <= (int64_t)r * r)
			half++;
		box(p, left + r - half, top + y, 2 * half, 1, WHITE);
	}
}

static void text_draw(struct pattern *p, const char *s, uint32_t left, uint32_t top, uint32_t scale)
{
	for (; *s; s++, left += (GLYPH_WIDTH + 1) * scale)
		for (size_t i = 0; i < sizeof font / sizeof *font; i++)
			for (uint32_t y = 0; font[i].c == *s && y < GLYPH_HEIGHT; y++)
				for (uint32_t x = 0; x < GLYPH_WIDTH; x++)
					if (font[i].row[y] & 0x10 >> x)
						box(p, left + x * scale, top + y * scale, scale, scale,
						        WHITE);
}

static void clock_draw(struct pattern *p, const struct stamp *stamp)
{
	char line[40] = "";
	int64_t ms = stamp->clocks.utc_ns / 1000000;
	time_t s = (time_t)(ms / 1000);
	struct tm tm;
	uint32_t scale = p->width / (TEXT_COLUMNS * (GLYPH_WIDTH + 1));

	if (!scale)
		scale = 1;
	uint32_t text = TEXT_COLUMNS * (GLYPH_WIDTH + 1) * scale,
	         left = text < p->width ? (p->width - text) / 2 : 0;
	uint32_t margin = 2 * scale, row = (GLYPH_HEIGHT + 2) * scale;
	box(p, 0, 0, p->width, margin + 2 * row, BLACK);
	if (ms >= 0 && gmtime_r(&s, &tm) && strftime(line, sizeof line, "%Y-%m-%d %H:%M:%S", &tm)) {
		size_t n = strlen(line);
		snprintf(line + n, sizeof line - n, ".%03uZ", (unsigned)(ms % 1000));
		text_draw(p, line, left, margin, scale);
	}
	snprintf(line, sizeof line, "#%u", stamp->number);
	text_draw(p, line, left, margin + row, scale);
}

void pattern_draw(struct pattern *p, const struct stamp *stamp)
{
	memcpy(p->picture, p->still, luma_bytes(p) * 3 / 2);
	ramp_draw(p, stamp->number);
	ball_draw(p, stamp->number);
	clock_draw(p, stamp);
}

void pattern_lend(const struct pattern *p, struct frame *out)
{
	out->has_dmabuf = false;
	out->release = NULL;
	out->plane[0] = p->picture;
	out->plane[1] = p->picture + luma_bytes(p);
	out->plane[2] = p->picture + luma_bytes(p) * 5 / 4;
	out->stride[0] = p->width;
	out->stride[1] = out->stride[2] = p->width / 2;
}
