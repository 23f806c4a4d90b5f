/* Negotiation with a camera. libcamera changes what it is asked for and says no more than that it did, so
 * everything is compared, and sizes are checked against the memory that there is. */
#define _GNU_SOURCE
#include "camera-formats.h"

#include "convert.h"
#include "libcamera.h"
#include "msg.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { FORMATS_MAX = 64, BUFFERS = 6 };

static const struct pixel *choose(const char *id, unsigned encoder_formats)
{
	struct libcamera_format formats[FORMATS_MAX];
	uint32_t fourccs[FORMATS_MAX];
	char names[256] = "";
	size_t at = 0;
	unsigned n = libcamera_formats(formats, FORMATS_MAX);

	for (unsigned i = 0; i < n; i++) {
		fourccs[i] = formats[i].fourcc;
		if (at < sizeof names)
			at += (size_t)snprintf(names + at, sizeof names - at, " %s", formats[i].name);
	}
	const struct pixel *p = pixel_choose(fourccs, n, encoder_formats);
	if (!p)
		msg("camera %s: no format that can be encoded: it has%s", id, names);
	return p;
}

static int acquire(const char *id)
{
	int r = libcamera_acquire();
	if (!r)
		return EXIT_OK;
	errno = -r;
	if (r == -EBUSY)
		msg("camera %s: busy: another process has it", id);
	else
		msg_errno("camera %s: cannot be taken", id);
	return EXIT_TEMPORARY;
}

static void colour_set(const struct libcamera_config *c, const struct pixel *p, struct video *v)
{
	bool is_rgb = p->bytes > 2;
	v->primaries = is_rgb ? CONVERT_PRIMARIES : c->primaries;
	v->transfer = is_rgb ? CONVERT_TRANSFER : c->transfer;
	v->matrix = is_rgb ? CONVERT_MATRIX : c->matrix;
	v->full_range = !is_rgb && c->full_range;
}

/* What the encoder gets: a column or a line of an odd size is left out. */
static int video_set(const char *id, const struct libcamera_config *c, const struct camera_format *f,
        bool converts, struct video *v)
{
	v->width = f->width & ~1u;
	v->height = f->height & ~1u;
	if (v->width < VIDEO_SIDE_MIN || v->height < VIDEO_SIDE_MIN || v->width > VIDEO_SIDE_MAX ||
	        v->height > VIDEO_SIDE_MAX) {
		msg("camera %s: gives %ux%u: sizes are from %d to %d", id, f->width, f->height,
		        VIDEO_SIDE_MIN, VIDEO_SIDE_MAX);
		return EXIT_TEMPORARY;
	}
	v->format = converts ? VIDEO_I420 : (enum video_format)f->pixel->format;
	v->stride = converts ? v->width : f->stride;
	colour_set(c, f->pixel, v);
	return EXIT_OK;
}

static int turned(const char *id, const struct camera_options *o, const struct libcamera_config *c)
{
	if (o->hflip == c->hflip && o->vflip == c->vflip && o->transpose == c->transpose)
		return EXIT_OK;
	msg("-R: camera %s cannot turn or mirror its picture like that", id);
	return EXIT_USAGE;
}

int camera_negotiate(const struct camera_options *o, const char *id, unsigned encoder_formats,
        struct camera_format *f, struct video *v)
{
	struct pixel_plane planes[VIDEO_PLANES_MAX];

	f->pixel = choose(id, encoder_formats);
	if (!f->pixel || acquire(id))
		return EXIT_TEMPORARY;
	struct libcamera_config c = {.fourcc = f->pixel->fourcc,
	        .width = o->video.width,
	        .height = o->video.height,
	        .buffers = BUFFERS,
	        .hflip = o->hflip,
	        .vflip = o->vflip,
	        .transpose = o->transpose};
	int r = libcamera_validate(&c);
	if (r < 0) {
		errno = -r;
		msg_errno("camera %s: %ux%u", id, o->video.width, o->video.height);
		return EXIT_TEMPORARY;
	}
	int code = turned(id, o, &c);
	if (code)
		return code;
	f->pixel = pixel_find(c.fourcc);
	f->width = c.width;
	f->height = c.height;
	f->stride = c.stride;
	if (!f->pixel || pixel_planes(f->pixel, f->width, f->height, f->stride, planes) < 0) {
		msg("camera %s: gives %ux%u %s, lines of %u bytes: cannot be encoded", id, c.width, c.height,
		        c.format, c.stride);
		return EXIT_TEMPORARY;
	}
	return video_set(id, &c, f, pixel_converts(f->pixel, encoder_formats), v);
}

/* Some drivers give one piece of memory for all planes, others one for each. */
static bool places_find(const struct pixel *p, const struct pixel_plane want[], unsigned n,
        const struct libcamera_plane have[], struct libcamera_plane out[])
{
	for (unsigned i = 0; i < p->planes; i++) {
		out[i] = have[n == 1 ? 0 : i];
		uint64_t skip = n == 1 ? want[i].offset : 0;
		if (skip + want[i].bytes > out[i].bytes || out[i].offset + skip + want[i].bytes > UINT32_MAX)
			return false;
		out[i].offset += (uint32_t)skip;
		out[i].bytes = (uint32_t)want[i].bytes;
	}
	return true;
}

int camera_buffer_map(const struct camera_format *f, unsigned buffer, struct camera_buffer *out)
{
	struct pixel_plane want[VIDEO_PLANES_MAX];
	struct libcamera_plane have[VIDEO_PLANES_MAX], place[VIDEO_PLANES_MAX];
	unsigned n = libcamera_planes(buffer, have);

	*out = (struct camera_buffer){0};
	if (pixel_planes(f->pixel, f->width, f->height, f->stride, want) < 0 ||
	        (n != 1 && n != f->pixel->planes) || !places_find(f->pixel, want, n, have, place)) {
		errno = EBADMSG;
		return -1;
	}
	for (unsigned i = 0; i < f->pixel->planes; i++) {
		size_t bytes = (size_t)place[i].offset + place[i].bytes;
		uint8_t *p = mmap(NULL, bytes, PROT_READ, MAP_SHARED, place[i].fd, 0);
		if (p == MAP_FAILED)
			return -1;
		out->plane[i] = p + place[i].offset;
		out->stride[i] = want[i].stride;
		out->offset[i] = place[i].offset;
		out->dmabuf[i] = place[i].fd;
		if (place[i].fd == place[0].fd && bytes > out->dmabuf_bytes)
			out->dmabuf_bytes = (uint32_t)bytes;
	}
	return 0;
}
