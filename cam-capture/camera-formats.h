/* camera-formats: what a camera is asked for, what it makes of it, and where its pictures are in memory. */
#ifndef CAMERA_FORMATS_H
#define CAMERA_FORMATS_H
#include "camera.h"
#include "pixel.h"

/* What the camera gives. */
struct camera_format {
	const struct pixel *pixel;
	uint32_t width, height, stride;
};

/* A buffer of the camera, mapped for reading. */
struct camera_buffer {
	const uint8_t *plane[VIDEO_PLANES_MAX];
	uint32_t stride[VIDEO_PLANES_MAX], offset[VIDEO_PLANES_MAX];
	int dmabuf[VIDEO_PLANES_MAX];
	uint32_t dmabuf_bytes;
};

/* Takes the camera, and agrees with it on what is nearest to o->video; *video becomes what an encoder gets:
 * of even size. 0, or an exit code after a message. */
int camera_negotiate(const struct camera_options *o, const char *id, unsigned encoder_formats,
        struct camera_format *, struct video *video);
/* 0, or -1 with errno: EBADMSG when the buffer is too small for its pictures. */
int camera_buffer_map(const struct camera_format *, unsigned buffer, struct camera_buffer *out);
#endif
