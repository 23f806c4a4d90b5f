/* pixel: the pixel formats that cameras offer, which of them to take, and how one lies in memory. Pure
 * functions. */
#ifndef PIXEL_H
#define PIXEL_H
#include "video.h"

#include <stddef.h>

enum { PIXEL_NO_FORMAT = -1 };

struct pixel {
	uint32_t fourcc;  /* DRM's */
	const char *name; /* libcamera's */
	int format; /* enum video_format when frames can be had without conversion, else PIXEL_NO_FORMAT */
	unsigned planes;
	unsigned bytes; /* of a pixel in plane 0 */
};

/* Where a plane is in memory, from the start of a picture without gaps between its planes. */
struct pixel_plane {
	uint32_t stride;
	uint64_t offset, bytes;
};

/* NULL when it is not known here. */
const struct pixel *pixel_find(uint32_t fourcc);
/* The best of n fourccs: what the encoder takes as it is (a bit 1 << enum video_format for each), or else
 * what can be converted, in an order of our own: YUV before RGB, and little work before much. NULL when none
 * is of use. */
const struct pixel *pixel_choose(const uint32_t fourccs[], size_t n, unsigned encoder_formats);
/* True when a picture has to be converted to I420 for this encoder. */
bool pixel_converts(const struct pixel *, unsigned encoder_formats);
/* The planes of a picture whose lines in plane 0 are stride bytes apart. 0, or -1 when lines of that length
 * do not fit. */
int pixel_planes(const struct pixel *, uint32_t width, uint32_t height, uint32_t stride,
        struct pixel_plane out[VIDEO_PLANES_MAX]);
#endif
