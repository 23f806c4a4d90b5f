/* The table of pixel formats. Names of RGB formats are those of DRM: of a little-endian word, so that the
 * first letter is the last byte in memory. */
#define _GNU_SOURCE
#include "pixel.h"

#define FOURCC(a, b, c, d) ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)

/* the best first */
static const struct pixel pixels[] = {
        {FOURCC('N', 'V', '1', '2'), "NV12", VIDEO_NV12, 2, 1},
        {FOURCC('Y', 'U', '1', '2'), "YUV420", VIDEO_I420, 3, 1},
        {FOURCC('Y', 'U', 'Y', 'V'), "YUYV", PIXEL_NO_FORMAT, 1, 2},
        {FOURCC('U', 'Y', 'V', 'Y'), "UYVY", PIXEL_NO_FORMAT, 1, 2},
        {FOURCC('R', 'G', '2', '4'), "RGB888", VIDEO_BGR24, 1, 3},
        {FOURCC('B', 'G', '2', '4'), "BGR888", VIDEO_RGB24, 1, 3},
        {FOURCC('X', 'R', '2', '4'), "XRGB8888", PIXEL_NO_FORMAT, 1, 4},
        {FOURCC('X', 'B', '2', '4'), "XBGR8888", PIXEL_NO_FORMAT, 1, 4},
        {FOURCC('A', 'R', '2', '4'), "ARGB8888", PIXEL_NO_FORMAT, 1, 4},
        {FOURCC('A', 'B', '2', '4'), "ABGR8888", PIXEL_NO_FORMAT, 1, 4},
};

enum { PIXELS = sizeof pixels / sizeof *pixels };

const struct pixel *pixel_find(uint32_t fourcc)
{
	for (size_t i = 0; i < PIXELS; i++)
		if (pixels[i].fourcc == fourcc)
			return &pixels[i];
	return NULL;
}

bool pixel_converts(const struct pixel *p, unsigned encoder_formats)
{
	return p->format == PIXEL_NO_FORMAT || !(encoder_formats & 1u << p->format);
}

static bool is_among(uint32_t fourcc, const uint32_t fourccs[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (fourccs[i] == fourcc)
			return true;
	return false;
}

const struct pixel *pixel_choose(const uint32_t fourccs[], size_t n, unsigned encoder_formats)
{
	const struct pixel *converted = NULL;

	for (size_t i = 0; i < PIXELS; i++) {
		if (!is_among(pixels[i].fourcc, fourccs, n))
			continue;
		if (!pixel_converts(&pixels[i], encoder_formats))
			return &pixels[i];
		if (!converted)
			converted = &pixels[i];
	}
	return converted;
}

int pixel_planes(const struct pixel *p, uint32_t width, uint32_t height, uint32_t stride,
        struct pixel_plane out[VIDEO_PLANES_MAX])
{
	uint64_t at = 0, half = (uint64_t)width + 1;

	if (stride < (uint64_t)width * p->bytes || (p->planes == 2 && stride < half / 2 * 2) ||
	        (p->planes == 3 && stride / 2 < half / 2))
		return -1;
	for (unsigned i = 0; i < p->planes; i++) {
		uint32_t lines = i ? (height + 1) / 2 : height;
		out[i].stride = i && p->planes == 3 ? stride / 2 : stride;
		out[i].offset = at;
		out[i].bytes = (uint64_t)out[i].stride * lines;
		at += out[i].bytes;
	}
	return 0;
}
