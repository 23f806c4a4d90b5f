/* The kernel that m2m-io.h would call, as far as a Pi's encoder shows it. */
#define _GNU_SOURCE
#include "m2m-fake.h"

#include "m2m-io.h"

#include <errno.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	CAMERA_FD = 100,
	DECODER_FD = 110,
	ISP_FD = 112,
	NS_PER_MS = 1000000,
	US_PER_S = 1000000,
	MAP_IN = 1000000,
	DMABUF_BYTES = 1 << 20
};

struct fake fake;

void fake_reset(void)
{
	for (int i = 0; i < FAKE_BUFFERS; i++) {
		free(fake.in.buffer[i].map);
		free(fake.out.buffer[i].map);
	}
	fake = (struct fake){.align = 32,
	        .min_side = 32,
	        .now_ns = 1,
	        .control = {{V4L2_CID_MPEG_VIDEO_BITRATE, 10000000, 25000, 25000000, 25000},
	                {V4L2_CID_MPEG_VIDEO_BITRATE_MODE, 0, 0, 1, 1},
	                {V4L2_CID_MPEG_VIDEO_HEADER_MODE, 1, 1, 1, 1},
	                {V4L2_CID_MPEG_VIDEO_REPEAT_SEQ_HEADER, 0, 0, 1, 1},
	                {V4L2_CID_MPEG_VIDEO_H264_I_PERIOD, 60, 0, INT32_MAX, 1},
	                {V4L2_CID_MPEG_VIDEO_GOP_SIZE, 60, 0, INT32_MAX, 1},
	                {V4L2_CID_MPEG_VIDEO_H264_LEVEL, V4L2_MPEG_VIDEO_H264_LEVEL_4_0, 0, 15, 1},
	                {V4L2_CID_MPEG_VIDEO_H264_PROFILE, 0, 0, 4, 1},
	                {V4L2_CID_MPEG_VIDEO_FORCE_KEY_FRAME, 0, 0, 1, 1}}};
}

struct fake_control *fake_control(uint32_t id)
{
	for (int i = 0; i < FAKE_CONTROLS; i++)
		if (fake.control[i].id == id)
			return &fake.control[i];
	return NULL;
}

int m2m_io_open(const char *path)
{
	const int numbers[] = {CAMERA_FD, DECODER_FD, FAKE_FD, ISP_FD};

	for (int i = 0; i < 4; i++) {
		char name[24];
		snprintf(name, sizeof name, "/dev/video%d", numbers[i] - 100);
		if (strcmp(name, path) == 0 && numbers[i] == FAKE_FD && fake.open_errno)
			break;
		if (strcmp(name, path) == 0) {
			fake.opens++;
			return numbers[i];
		}
	}
	errno = strcmp(path, "/dev/video11") == 0 ? fake.open_errno : ENOENT;
	return -1;
}

void m2m_io_close(int fd)
{
	(void)fd;
	fake.opens--;
}

int64_t m2m_io_now_ns(void)
{
	return fake.now_ns;
}

int64_t m2m_io_size(int dmabuf)
{
	return dmabuf < 0 ? -1 : DMABUF_BYTES;
}

void m2m_io_unmap(void *p, size_t n)
{
	(void)p;
	(void)n;
}

void *m2m_io_map(int fd, size_t n, uint32_t offset, bool writable)
{
	struct fake_queue *q = offset >= MAP_IN ? &fake.in : &fake.out;
	struct fake_buffer *b = &q->buffer[offset % MAP_IN];

	fake.breaches += fd != FAKE_FD || writable != (q == &fake.in) || n != q->sizeimage;
	return b->map = b->map ? b->map : calloc(1, n);
}

static struct fake_queue *queue_of(uint32_t type)
{
	return type == V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE ? &fake.in : &fake.out;
}

/* The oldest buffer that is queued or done; -1: none. */
static int oldest(const struct fake_queue *q, bool done)
{
	int found = -1;
	for (int i = 0; i < FAKE_BUFFERS; i++)
		if (q->buffer[i].queued && q->buffer[i].done == done &&
		        (found < 0 || q->buffer[i].order < q->buffer[found].order))
			found = i;
	return found;
}

static void put(struct fake_buffer *b, const void *bytes, uint32_t n)
{
	memcpy(b->map + b->bytes, bytes, n);
	b->bytes += n;
}

static void finish(struct fake_buffer *b)
{
	b->done = true;
	b->order = fake.order++;
}

/* One picture. Its slice says which: the number of its kind, the planes' first bytes. */
static void encode(struct fake_buffer *in, struct fake_buffer *out, bool idr)
{
	static const uint8_t sets[] = {0, 0, 0, 1, 0x67, 1, 2, 3, 0, 0, 0, 1, 0x68, 4};
	uint8_t slice[] = {0, 0, 0, 1, idr ? 0x65 : 0x41, 0x80, 0x80, 0x80, 0x80};
	size_t luma = (size_t)fake.stride * fake.height;
	bool headers = !fake.no_headers &&
	               (fake_control(V4L2_CID_MPEG_VIDEO_REPEAT_SEQ_HEADER)->value && !fake.headers_once
	                               ? idr
	                               : fake.encoded == 0);

	if (in->map)
		memcpy(slice + 6, (uint8_t[]){in->map[0], in->map[luma], in->map[luma + luma / 4]}, 3);
	memcpy(fake.expect, slice + 6, 3);
	if (headers)
		put(out, sets, sizeof sets);
	put(out, slice, sizeof slice);
	out->us = fake.wrong_times ? in->us + 7 : in->us;
	out->flags = idr ? V4L2_BUF_FLAG_KEYFRAME : 0;
	if (++fake.encoded == fake.bad_picture)
		out->flags |= V4L2_BUF_FLAG_ERROR;
	if (fake.huge)
		out->bytes = fake.out.sizeimage;
	finish(in);
	finish(out);
}

static void run(void)
{
	int i, o;

	while (!fake.hangs && fake.in.streaming && fake.out.streaming && (i = oldest(&fake.in, false)) >= 0 &&
	        (o = oldest(&fake.out, false)) >= 0) {
		bool idr = fake.encoded == 0 || fake.force_idr ||
		           fake.since_idr + 1 >=
		                   (unsigned)fake_control(V4L2_CID_MPEG_VIDEO_H264_I_PERIOD)->value;
		fake.out.buffer[o].bytes = 0;
		if (idr && fake.headers_apart && !fake.no_headers) {
			static const uint8_t sets[] = {0, 0, 0, 1, 0x67, 9, 0, 0, 0, 1, 0x68, 9};
			put(&fake.out.buffer[o], sets, sizeof sets);
			fake.out.buffer[o].us = fake.in.buffer[i].us;
			finish(&fake.out.buffer[o]);
			fake.headers_apart = false;
			fake.no_headers = true;
			continue;
		}
		fake.since_idr = idr ? 0 : fake.since_idr + 1;
		fake.force_idr &= !idr;
		encode(&fake.in.buffer[i], &fake.out.buffer[o], idr);
	}
	if (fake.stopping && !fake.no_last && !fake.last_given && oldest(&fake.in, false) < 0 &&
	        (o = oldest(&fake.out, false)) >= 0) {
		fake.out.buffer[o].bytes = 0;
		fake.out.buffer[o].flags = V4L2_BUF_FLAG_LAST;
		fake.last_given = true;
		finish(&fake.out.buffer[o]);
	}
}

int m2m_io_wait(int fd, short events, int64_t ms)
{
	run();
	fake.breaches += fd != FAKE_FD || ms > 3000;
	int happened = (oldest(&fake.in, true) >= 0 ? POLLOUT : 0) | (oldest(&fake.out, true) >= 0 ? POLLIN : 0);
	happened &= events;
	if (!happened)
		fake.now_ns += ms * NS_PER_MS;
	return happened;
}

static int fail(int error)
{
	errno = error;
	return -1;
}

static int reqbufs(struct v4l2_requestbuffers *r)
{
	struct fake_queue *q = queue_of(r->type);

	if (r->memory == V4L2_MEMORY_DMABUF && fake.import_refused)
		return fail(EINVAL);
	fake.breaches += q->streaming;
	if (fake.gives && r->count > fake.gives)
		r->count = fake.gives;
	q->n = r->count;
	q->memory = r->memory;
	for (int i = 0; i < FAKE_BUFFERS; i++) {
		free(q->buffer[i].map);
		q->buffer[i] = (struct fake_buffer){.dmabuf = -1};
	}
	return 0;
}

static int qbuf(const struct v4l2_buffer *b)
{
	struct fake_queue *q = queue_of(b->type);

	if (b->index >= q->n || q->buffer[b->index].queued || b->memory != q->memory || b->length != 1) {
		fake.breaches++;
		return fail(EINVAL);
	}
	struct fake_buffer *f = &q->buffer[b->index];
	const struct v4l2_plane *p = b->m.planes;
	if (q == &fake.in && (p->bytesused != q->sizeimage || p->length < q->sizeimage))
		return fail(EINVAL);
	if (q->memory == V4L2_MEMORY_DMABUF)
		f->dmabuf = p->m.fd;
	f->queued = true;
	f->done = false;
	f->flags = 0;
	f->bytes = p->bytesused;
	f->us = (int64_t)b->timestamp.tv_sec * US_PER_S + b->timestamp.tv_usec;
	f->order = fake.order++;
	return 0;
}

static int dqbuf(struct v4l2_buffer *b)
{
	struct fake_queue *q = queue_of(b->type);

	run();
	int i = oldest(q, true);
	if (i < 0)
		return fail(q == &fake.out && fake.last_taken ? EPIPE : EAGAIN);
	struct fake_buffer *f = &q->buffer[i];
	b->index = (uint32_t)i;
	b->flags = f->flags;
	b->m.planes[0].bytesused = f->bytes;
	b->timestamp.tv_sec = f->us / US_PER_S;
	b->timestamp.tv_usec = f->us % US_PER_S;
	f->queued = false;
	fake.last_taken |= (f->flags & V4L2_BUF_FLAG_LAST) != 0;
	return 0;
}

static uint32_t aligned(uint32_t n, uint32_t to)
{
	return (n + to - 1) / to * to;
}

static int s_fmt(struct v4l2_format *f)
{
	struct v4l2_pix_format_mplane *p = &f->fmt.pix_mp;
	struct fake_queue *q = queue_of(f->type);

	fake.breaches += q->n != 0;
	if (fake.another_format)
		p->pixelformat = V4L2_PIX_FMT_YUYV;
	if (q == &fake.in) {
		p->width = p->width < fake.min_side ? fake.min_side : p->width;
		p->height = p->height < fake.min_side ? fake.min_side : p->height;
		fake.width = fake.crop_width = p->width;
		fake.height = fake.crop_height = p->height;
		uint32_t line = p->pixelformat == V4L2_PIX_FMT_RGB24 ? p->width * 3 : p->width;
		if (p->plane_fmt[0].bytesperline < line)
			p->plane_fmt[0].bytesperline = line;
		p->plane_fmt[0].bytesperline = fake.stride =
		        aligned(p->plane_fmt[0].bytesperline, fake.align);
		p->plane_fmt[0].sizeimage = fake.stride * p->height * 3 / 2 - (fake.short_buffers ? 1 : 0);
	}
	q->sizeimage = p->plane_fmt[0].sizeimage;
	return 0;
}

static int control(struct v4l2_control *c, bool set)
{
	struct fake_control *f = fake_control(c->id);

	if (!f)
		return fail(EINVAL);
	if (set && (c->value < f->min || c->value > f->max) && (c->id == V4L2_CID_MPEG_VIDEO_H264_LEVEL))
		return fail(ERANGE);
	if (set && c->id == V4L2_CID_MPEG_VIDEO_FORCE_KEY_FRAME)
		fake.force_idr = true;
	else
		fake.breaches += set && fake.out.n != 0; /* the firmware takes them when buffers are made */
	if (set) {
		f->value = c->value < f->min ? f->min : c->value > f->max ? f->max : c->value;
		f->value = f->min + (f->value - f->min + f->step / 2) / f->step * f->step;
	}
	c->value = f->value;
	return 0;
}

static int enum_fmt(int fd, struct v4l2_fmtdesc *f)
{
	static const uint32_t raw[] = {V4L2_PIX_FMT_YUV420, V4L2_PIX_FMT_NV12, V4L2_PIX_FMT_RGB24};
	static const uint32_t coded[] = {V4L2_PIX_FMT_MJPEG, V4L2_PIX_FMT_H264};
	bool in = f->type == V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE,
	     compressed = fd == ISP_FD ? false : in == (fd == DECODER_FD);

	if (f->index >= (compressed ? 2 : 3))
		return fail(EINVAL);
	f->pixelformat = compressed ? coded[f->index] : raw[f->index];
	return 0;
}

static int selection(struct v4l2_selection *s, bool set)
{
	if (fake.no_crop)
		return fail(ENOTTY);
	if (set) {
		fake.crop_width = s->r.width;
		fake.crop_height = s->r.height;
	}
	s->r = (struct v4l2_rect){.width = fake.crop_width, .height = fake.crop_height};
	return 0;
}

static int querycap(int fd, struct v4l2_capability *c)
{
	c->capabilities = V4L2_CAP_DEVICE_CAPS | V4L2_CAP_VIDEO_CAPTURE;
	c->device_caps = V4L2_CAP_STREAMING |
	                 (fd == CAMERA_FD ? V4L2_CAP_VIDEO_CAPTURE_MPLANE : V4L2_CAP_VIDEO_M2M_MPLANE);
	snprintf((char *)c->card, sizeof c->card, "bcm2835-codec-encode");
	return 0;
}

static int querybuf(struct v4l2_buffer *b)
{
	b->m.planes[0].length = queue_of(b->type)->sizeimage;
	b->m.planes[0].m.mem_offset = (queue_of(b->type) == &fake.in ? MAP_IN : 0) + b->index;
	return 0;
}

static int stop(void)
{
	if (fake.no_stop)
		return fail(ENOTTY);
	fake.stopping = true;
	return 0;
}

static int rate(const struct v4l2_streamparm *p)
{
	fake.rate_num = p->parm.output.timeperframe.denominator;
	fake.rate_den = p->parm.output.timeperframe.numerator;
	return 0;
}

static int stream(const int *type, bool on)
{
	struct fake_queue *q = queue_of((uint32_t)*type);
	q->streaming = on;
	for (int i = 0; i < FAKE_BUFFERS && !on; i++)
		q->buffer[i].queued = false;
	return 0;
}

int m2m_io_ctl(int fd, unsigned long request, void *arg)
{
	if (request == fake.fail_request && ++fake.failing >= fake.fail_at)
		return fail(fake.fail_errno);
	switch (request) {
	case VIDIOC_QUERYCAP: return querycap(fd, arg);
	case VIDIOC_ENUM_FMT: return enum_fmt(fd, arg);
	case VIDIOC_S_FMT: return s_fmt(arg);
	case VIDIOC_G_SELECTION: return selection(arg, false);
	case VIDIOC_S_SELECTION: return selection(arg, true);
	case VIDIOC_S_PARM: return rate(arg);
	case VIDIOC_S_CTRL: return control(arg, true);
	case VIDIOC_G_CTRL: return control(arg, false);
	case VIDIOC_REQBUFS: return reqbufs(arg);
	case VIDIOC_QUERYBUF: return querybuf(arg);
	case VIDIOC_QBUF: return qbuf(arg);
	case VIDIOC_DQBUF: return dqbuf(arg);
	case VIDIOC_STREAMON: return stream(arg, true);
	case VIDIOC_STREAMOFF: return stream(arg, false);
	case VIDIOC_ENCODER_CMD: return stop();
	default: fake.breaches++; return fail(ENOTTY);
	}
}
