/* convert: pictures of any format of pixel.h to I420, by libyuv. */
#ifndef CONVERT_H
#define CONVERT_H
#include "pixel.h"

/* Planes Y, U, V without gaps; width and height are even. */
struct convert {
	const struct pixel *from;
	uint32_t width, height;
	uint8_t *picture;
};

/* What RGB becomes: H.264 table E-5. */
enum { CONVERT_MATRIX = 6, CONVERT_PRIMARIES = 1, CONVERT_TRANSFER = 13 };

/* 0, or -1 with errno: EINVAL for a format that it cannot convert, or a size that is not even. */
int convert_open(struct convert *c, const struct pixel *from, uint32_t width, uint32_t height);
/* Makes a picture of the planes in *from, and lends it in *out, whose stamp it does not touch. */
void convert_frame(struct convert *c, const struct frame *from, struct frame *out);
void convert_close(struct convert *c);
#endif
