/* convert FOURCC WIDTH HEIGHT STRIDE: a picture from stdin, its planes one after the other, to I420 on
 * stdout. */
#include "convert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t number(const char *s)
{
	return (uint32_t)strtoul(s, NULL, 10);
}

int main(int argc, char **argv)
{
	struct pixel_plane planes[VIDEO_PLANES_MAX];
	struct convert c;
	struct frame in = {0}, out = {0};
	uint32_t fourcc;

	if (argc != 5 || strlen(argv[1]) != sizeof fourcc)
		return 100;
	memcpy(&fourcc, argv[1], sizeof fourcc);
	const struct pixel *p = pixel_find(fourcc);
	uint32_t w = number(argv[2]), h = number(argv[3]);
	if (!p || pixel_planes(p, w, h, number(argv[4]), planes) < 0 ||
	        convert_open(&c, p, w & ~1u, h & ~1u) < 0)
		return 1;
	for (unsigned i = 0; i < p->planes; i++) {
		/* exactly as large, so that a sanitizer sees a byte too far */
		uint8_t *plane = malloc(planes[i].bytes);
		if (!plane || fread(plane, 1, planes[i].bytes, stdin) != planes[i].bytes)
			return 1;
		in.plane[i] = plane;
		in.stride[i] = planes[i].stride;
	}
	convert_frame(&c, &in, &out);
	if (fwrite(out.plane[0], 1, (size_t)c.width * c.height * 3 / 2, stdout) == 0)
		return 1;
	for (unsigned i = 0; i < p->planes; i++)
		free((void *)in.plane[i]);
	convert_close(&c);
	return 0;
}
