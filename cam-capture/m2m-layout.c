/* The formats of both queues. Drivers align sizes and strides to what their hardware can do, and say so only
 * in what they return. */
#define _GNU_SOURCE
#include "m2m-layout.h"

#include "m2m-device.h"
#include "m2m-io.h"
#include "msg.h"

#include <errno.h>
#include <linux/videodev2.h>
#include <string.h>

static bool is_rgb(enum video_format f)
{
	return f == VIDEO_RGB24 || f == VIDEO_BGR24;
}

static struct v4l2_format format_make(uint32_t type, uint32_t fourcc, const struct video *v)
{
	struct v4l2_format f = {.type = type};
	struct v4l2_pix_format_mplane *p = &f.fmt.pix_mp;

	p->width = v->width;
	p->height = v->height;
	p->pixelformat = fourcc;
	p->field = V4L2_FIELD_NONE;
	p->num_planes = 1;
	p->colorspace = is_rgb(v->format) ? V4L2_COLORSPACE_SRGB
	                : v->matrix == 1  ? V4L2_COLORSPACE_REC709 /* H.264, table E-5 */
	                                  : V4L2_COLORSPACE_SMPTE170M;
	p->quantization = v->full_range ? V4L2_QUANTIZATION_FULL_RANGE : V4L2_QUANTIZATION_DEFAULT;
	return f;
}

static int refuse(const char *name, const char *what)
{
	int saved = errno;
	msg_errno("%s: %s", name, what);
	errno = saved;
	return -1;
}

/* What is encoded of a buffer's picture, which the driver may have made larger. */
static int crop(int fd, const char *name, const struct video *v, struct v4l2_rect bounds)
{
	struct v4l2_selection s = {.type = V4L2_BUF_TYPE_VIDEO_OUTPUT, .target = V4L2_SEL_TGT_CROP};

	if (m2m_io_ctl(fd, VIDIOC_G_SELECTION, &s) < 0)
		s.r = bounds;
	if (s.r.width == v->width && s.r.height == v->height)
		return 0;
	bounds = s.r;
	s.r = (struct v4l2_rect){.width = v->width, .height = v->height};
	if (m2m_io_ctl(fd, VIDIOC_S_SELECTION, &s) == 0 && s.r.width == v->width && s.r.height == v->height)
		return 0;
	msg("%s: cannot encode %ux%u: it would be %ux%u", name, v->width, v->height, bounds.width,
	        bounds.height);
	errno = ENOTSUP;
	return -1;
}

/* Positions of planes in one buffer: each begins where the one before ends, as V4L2 says of these formats. */
static int planes_find(struct m2m_layout *l, const struct v4l2_pix_format_mplane *p, const struct video *v)
{
	const uint32_t stride = p->plane_fmt[0].bytesperline, half = v->width / 2;
	size_t luma = (size_t)stride * p->height, end = luma;

	l->bytes = p->plane_fmt[0].sizeimage;
	l->planes = v->format == VIDEO_I420 ? 3 : v->format == VIDEO_NV12 ? 2 : 1;
	l->plane[0] = (struct m2m_plane){0, stride, is_rgb(v->format) ? v->width * 3 : v->width, v->height};
	if (v->format == VIDEO_NV12)
		l->plane[1] = (struct m2m_plane){luma, stride, v->width, v->height / 2};
	for (unsigned i = 1; i < l->planes && v->format == VIDEO_I420; i++)
		l->plane[i] =
		        (struct m2m_plane){luma + (i - 1) * (luma / 4), stride / 2, half, v->height / 2};
	if (l->planes > 1)
		end = luma + luma / 2;
	return p->height < v->height || stride < l->plane[0].line_bytes || end > l->bytes ? -1 : 0;
}

int m2m_layout_set(int fd, const char *name, const struct m2m_coded *coded, const struct video *v,
        uint32_t coded_bytes, struct m2m_layout *out)
{
	const uint32_t fourcc = m2m_device_fourcc(v->format);
	struct v4l2_format f = format_make(V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE, coded->fourcc, v);

	/* first what comes out: it may limit what can go in */
	f.fmt.pix_mp.plane_fmt[0].sizeimage = coded_bytes;
	if (m2m_io_ctl(fd, VIDIOC_S_FMT, &f) < 0)
		return refuse(name, "cannot set its output format");
	if (f.fmt.pix_mp.pixelformat != coded->fourcc) {
		errno = ENOTSUP;
		return refuse(name, coded->name);
	}
	f = format_make(V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE, fourcc, v);
	f.fmt.pix_mp.plane_fmt[0].bytesperline = v->stride;
	if (m2m_io_ctl(fd, VIDIOC_S_FMT, &f) < 0)
		return refuse(name, "cannot set its input format");
	if (f.fmt.pix_mp.pixelformat != fourcc || f.fmt.pix_mp.num_planes != 1 ||
	        planes_find(out, &f.fmt.pix_mp, v) < 0) {
		errno = ENOTSUP;
		return refuse(name, "its input format is not what was asked for");
	}
	return crop(
	        fd, name, v, (struct v4l2_rect){.width = f.fmt.pix_mp.width, .height = f.fmt.pix_mp.height});
}

const char *m2m_layout_differs(const struct m2m_layout *l, const struct frame *f)
{
	if (!f->has_dmabuf)
		return "they are not DMABUFs";
	for (unsigned i = 0; i < l->planes; i++) {
		if (f->dmabuf[i] != f->dmabuf[0])
			return "their planes are apart";
		if (f->stride[i] != l->plane[i].stride)
			return "the encoder's lines have another length";
		if (f->offset[i] != l->plane[i].at)
			return "the encoder's planes are elsewhere";
	}
	return NULL;
}

void m2m_layout_copy(const struct m2m_layout *l, const struct frame *f, uint8_t *buffer)
{
	for (unsigned i = 0; i < l->planes; i++) {
		const struct m2m_plane *p = &l->plane[i];
		for (uint32_t y = 0; y < p->lines; y++)
			memcpy(buffer + p->at + (size_t)y * p->stride, f->plane[i] + (size_t)y * f->stride[i],
			        p->line_bytes);
	}
}
