#define _GNU_SOURCE
#include "camera-formats.h"
#include "libcamera.h"
#include "msg.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>

enum { X264 = 1u << VIDEO_I420 | 1u << VIDEO_NV12 };

static struct camera_format format;
static struct video video;
static struct camera_buffer b;

/* Negotiates with a camera that is made up (fake.c), and maps its buffer 1. */
static int negotiate(const char *fake, uint32_t width, uint32_t height, unsigned formats)
{
	const struct camera_options o = {
	        .video = {.width = width, .height = height, .rate_num = 30, .rate_den = 1}};

	setenv("FAKE", fake, 1);
	video = o.video;
	int code = camera_negotiate(&o, "made up", formats, &format, &video);
	return code || libcamera_configure() < 0 || camera_buffer_map(&format, 1, &b) < 0 ? -1 : 0;
}

int main(void)
{
	msg_init("camera-formats-test");
	ok(negotiate("format=NV12 pad=4", 320, 240, X264) == 0 && video.width == 320 && video.height == 240 &&
	                video.format == VIDEO_NV12 && video.stride == 324 && video.matrix == 1 &&
	                !video.full_range,
	        "NV12: as it is");
	ok(b.dmabuf[0] == b.dmabuf[1] && b.offset[0] == 0 && b.offset[1] == 324 * 240 && b.stride[0] == 324 &&
	                b.stride[1] == 324 && b.dmabuf_bytes == 324 * 360,
	        "its planes are in one DMABUF");
	ok(b.plane[0][319] == 16 + 319 * 219 / 320 && b.plane[1][0] == 192 && b.plane[1][1] == 64,
	        "and are mapped where they are");
	ok(negotiate("format=NV12 pad=4 planes=1", 320, 240, X264) == 0 && b.offset[1] == 324 * 240 &&
	                b.dmabuf_bytes == 324 * 360 && b.plane[1][0] == 192 && b.plane[1][1] == 64,
	        "the same when they come as one piece");
	ok(negotiate("format=YU12 pad=4 planes=1", 320, 240, X264) == 0 && b.offset[1] == 324 * 240 &&
	                b.offset[2] == 324 * 240 + 162 * 120 && b.stride[2] == 162 && b.plane[1][0] == 192 &&
	                b.plane[2][0] == 64 && b.dmabuf_bytes == 324 * 360 && video.format == VIDEO_I420,
	        "YUV420");
	ok(negotiate("format=BG24", 320, 240, X264) == 0 && video.format == VIDEO_I420 &&
	                video.stride == 320 && video.matrix == 6 && format.stride == 960,
	        "BGR888 for x264: I420 of BT.601");
	ok(negotiate("format=BG24", 320, 240, X264 | 1u << VIDEO_RGB24) == 0 && video.format == VIDEO_RGB24 &&
	                video.stride == 960 && b.dmabuf_bytes == 960 * 240,
	        "BGR888 for an encoder that takes it: as it is");
	ok(negotiate("size=641x481", 640, 480, X264) == 0 && video.width == 640 && video.height == 480 &&
	                format.width == 641 && b.offset[1] == 642 * 481,
	        "an odd size: even for the encoder, the planes are where they are");
	ok(negotiate("small", 320, 240, X264) < 0 && negotiate("small planes=1", 320, 240, X264) < 0,
	        "a buffer that is too small");
	return tap_done();
}
