/* Conversion to I420 by libyuv. Holds one picture. RGB becomes BT.601 of limited range: that is what libyuv
 * makes of it, and it is said in the stream (convert.h). */
#define _GNU_SOURCE
#include "convert.h"

#include <errno.h>
#include <libyuv.h>
#include <stdlib.h>
#include <string.h>

typedef int packed(const uint8_t *src, int src_stride, uint8_t *y, int y_stride, uint8_t *u, int u_stride,
        uint8_t *v, int v_stride, int width, int height);

/* libyuv names formats like DRM, but for the one that it calls RAW. */
static packed *packed_find(const struct pixel *p)
{
	static const struct {
		const char *name;
		packed *convert;
	} all[] = {{"YUYV", YUY2ToI420}, {"UYVY", UYVYToI420}, {"RGB888", RGB24ToI420}, {"BGR888", RAWToI420},
	        {"XRGB8888", ARGBToI420}, {"XBGR8888", ABGRToI420}, {"ARGB8888", ARGBToI420},
	        {"ABGR8888", ABGRToI420}};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (strcmp(all[i].name, p->name) == 0)
			return all[i].convert;
	return NULL;
}

int convert_open(struct convert *c, const struct pixel *from, uint32_t width, uint32_t height)
{
	*c = (struct convert){.from = from, .width = width, .height = height};
	if (width % 2 || height % 2 || (from->planes == 1 && !packed_find(from))) {
		errno = EINVAL;
		return -1;
	}
	c->picture = malloc((size_t)width * height * 3 / 2);
	return c->picture ? 0 : -1;
}

void convert_frame(struct convert *c, const struct frame *from, struct frame *out)
{
	const size_t luma = (size_t)c->width * c->height;
	const int w = (int)c->width, h = (int)c->height, y = w, uv = w / 2;
	uint8_t *Y = c->picture, *U = Y + luma, *V = U + luma / 4;
	const int stride[] = {(int)from->stride[0], (int)from->stride[1], (int)from->stride[2]};

	if (c->from->planes == 3)
		I420Copy(from->plane[0], stride[0], from->plane[1], stride[1], from->plane[2], stride[2], Y,
		        y, U, uv, V, uv, w, h);
	else if (c->from->planes == 2)
		NV12ToI420(from->plane[0], stride[0], from->plane[1], stride[1], Y, y, U, uv, V, uv, w, h);
	else
		packed_find(c->from)(from->plane[0], stride[0], Y, y, U, uv, V, uv, w, h);
	out->has_dmabuf = false;
	out->release = NULL;
	for (int i = 0; i < 3; i++) {
		out->plane[i] = (const uint8_t *[]){Y, U, V}[i];
		out->stride[i] = (uint32_t)(i ? uv : y);
	}
}

void convert_close(struct convert *c)
{
	free(c->picture);
	*c = (struct convert){0};
}
