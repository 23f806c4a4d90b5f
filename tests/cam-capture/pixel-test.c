#include "pixel.h"
#include "tap.h"

#include <string.h>

#define CC(s) ((uint32_t)(s)[0] | (uint32_t)(s)[1] << 8 | (uint32_t)(s)[2] << 16 | (uint32_t)(s)[3] << 24)

enum { X264 = 1u << VIDEO_I420 | 1u << VIDEO_NV12, ANY = X264 | 1u << VIDEO_RGB24 | 1u << VIDEO_BGR24 };

static const char *chosen(const char *offered, unsigned formats)
{
	uint32_t fourccs[16];
	size_t n = 0;
	for (; *offered; offered += 4)
		fourccs[n++] = CC(offered);
	const struct pixel *p = pixel_choose(fourccs, n, formats);
	return p ? p->name : "none";
}

static void test_choice(void)
{
	static const struct {
		const char *offered;
		unsigned formats;
		const char *name;
	} t[] = {{"YU12NV12", X264, "NV12"}, {"RG24YU12", X264, "YUV420"}, {"BG24RG24", X264, "RGB888"},
	        {"BG24", X264, "BGR888"}, {"RG24YUYV", X264, "YUYV"}, {"XR24UYVY", X264, "UYVY"},
	        {"AB24", X264, "ABGR8888"}, {"NV12YU12", 1u << VIDEO_I420, "YUV420"},
	        {"NV12", 1u << VIDEO_I420, "NV12"}, {"RG24YUYV", ANY, "RGB888"}, {"RG24NV12", ANY, "NV12"},
	        {"MJPGpRAA", X264, "none"}, {"", X264, "none"}};
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		const char *is = chosen(t[i].offered, t[i].formats);
		ok(strcmp(is, t[i].name) == 0, "of %s for %x: %s", t[i].offered, t[i].formats, is);
	}
	ok(pixel_converts(pixel_find(CC("RG24")), X264) && !pixel_converts(pixel_find(CC("RG24")), ANY) &&
	                pixel_converts(pixel_find(CC("YUYV")), ANY) &&
	                !pixel_converts(pixel_find(CC("NV12")), X264),
	        "is converted when the encoder does not take it");
	ok(pixel_find(CC("RG24"))->format == VIDEO_BGR24 && pixel_find(CC("BG24"))->format == VIDEO_RGB24,
	        "RGB888 has blue first in memory");
	ok(!pixel_find(CC("MJPG")), "what is not known");
}

static void test_planes(void)
{
	struct pixel_plane p[VIDEO_PLANES_MAX];

	ok(pixel_planes(pixel_find(CC("NV12")), 636, 480, 640, p) == 0 && p[0].stride == 640 &&
	                p[1].stride == 640 && p[1].offset == 640u * 480 && p[1].bytes == 640u * 240,
	        "NV12");
	ok(pixel_planes(pixel_find(CC("YU12")), 636, 480, 640, p) == 0 && p[1].stride == 320 &&
	                p[2].offset == 640u * 480 + 320 * 240 && p[2].bytes == 320u * 240,
	        "YUV420");
	ok(pixel_planes(pixel_find(CC("YU12")), 63, 47, 64, p) == 0 && p[0].bytes == 64u * 47 &&
	                p[1].bytes == 32u * 24 && p[2].offset == 64u * 47 + 32 * 24,
	        "an odd number of lines");
	ok(pixel_planes(pixel_find(CC("NV12")), 63, 48, 63, p) < 0 &&
	                pixel_planes(pixel_find(CC("YU12")), 63, 48, 63, p) < 0,
	        "a line that has no room for the last column's colour");
	ok(pixel_planes(pixel_find(CC("RG24")), 636, 480, 1907, p) < 0 &&
	                pixel_planes(pixel_find(CC("RG24")), 636, 480, 1908, p) == 0 &&
	                p[0].bytes == 1908u * 480,
	        "three bytes a pixel");
	ok(pixel_planes(pixel_find(CC("NV12")), 640, 480, 636, p) < 0 &&
	                pixel_planes(pixel_find(CC("NV12")), 640, 480, 0, p) < 0,
	        "lines that are too short");
	ok(pixel_planes(pixel_find(CC("XR24")), UINT32_MAX / 2, 2, UINT32_MAX, p) < 0, "no overflow");
}

int main(void)
{
	test_choice();
	test_planes();
	return tap_done();
}
