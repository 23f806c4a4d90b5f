/* A camera as a source: opens it, negotiates, and passes its frames on. Frames come by a thread of libcamera
 * into a bounded queue (arrivals.h), and are lent as they are, mapped and as DMABUFs, or converted to I420.
 * Opens media, video and sub-devices, by libcamera. Never stops the camera: it ends with the process
 * (guard.h). */
#define _GNU_SOURCE
#include "camera.h"

#include "arrivals.h"
#include "camera-controls.h"
#include "camera-find.h"
#include "camera-formats.h"
#include "convert.h"
#include "guard.h"
#include "libcamera.h"
#include "msg.h"
#include "rate.h"
#include "sensortime.h"

#include <errno.h>
#include <linux/dma-buf.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/ioctl.h>

enum { NS_PER_S = 1000000000, MEASURED_INTERVALS = 8, MEASURE_NS = 1000000000 };

const char camera_about[] = "libcamera (-c)";

struct camera {
	struct source source;
	const char *id;
	int64_t silence_ns;
	struct arrivals arrivals;
	struct camera_buffer buffers[VIDEO_BUFFERS_MAX];
	struct camera_format format;
	unsigned planes;
	bool converts;
	struct convert convert;
	int64_t last_ns; /* when a frame was last taken */
	uint32_t came;   /* frames that had come by then */
	/* of the camera's thread */
	uint64_t boot_ns;
	/* of both */
	atomic_bool odd_times, odd_said;
};

static void log_pass_on(void)
{
	char line[256];
	while (libcamera_log(line, sizeof line))
		msg("libcamera: %s", line);
}

/* --- the camera's thread --- */

static int give(void *owner, unsigned buffer)
{
	(void)owner;
	return libcamera_queue(buffer);
}

static void frame_came(void *owner, const struct libcamera_frame *f)
{
	struct camera *c = owner;
	struct moment now;
	struct clocks clocks;

	moment_now(&now);
	if (!sensortime_clocks(f->timestamp_ns, &now, c->boot_ns, &clocks) && f->good)
		atomic_store(&c->odd_times, true);
	if (f->good)
		c->boot_ns = clocks.boot_ns;
	arrivals_put(&c->arrivals, f->buffer, f->good, f->sequence, &clocks);
}

static void camera_gone(void *owner)
{
	arrivals_gone(&((struct camera *)owner)->arrivals);
}

/* --- frames --- */

/* The processor's cache has to know that a device has written, or will. Not every exporter needs it. */
static void sync_cache(const struct camera_buffer *b, unsigned planes, uint64_t flags)
{
	struct dma_buf_sync sync = {.flags = flags | DMA_BUF_SYNC_READ};
	for (unsigned i = 0; i < planes; i++)
		if (!i || b->dmabuf[i] != b->dmabuf[i - 1])
			(void)ioctl(b->dmabuf[i], DMA_BUF_IOCTL_SYNC, &sync);
}

static void release(void *owner, unsigned buffer)
{
	struct camera *c = owner;
	sync_cache(&c->buffers[buffer], c->planes, DMA_BUF_SYNC_END);
	arrivals_give_back(&c->arrivals, buffer);
}

static void lend(struct camera *c, const struct arrival *a, struct frame *out)
{
	const struct camera_buffer *b = &c->buffers[a->buffer];

	sync_cache(b, c->planes, DMA_BUF_SYNC_START);
	*out = (struct frame){.stamp = a->stamp,
	        .has_dmabuf = true,
	        .dmabuf_bytes = b->dmabuf_bytes,
	        .buffer = a->buffer,
	        .release = release,
	        .owner = c};
	for (unsigned i = 0; i < c->planes; i++) {
		out->plane[i] = b->plane[i];
		out->stride[i] = b->stride[i];
		out->dmabuf[i] = b->dmabuf[i];
		out->offset[i] = b->offset[i];
	}
	if (!c->converts)
		return;
	struct frame converted = {.stamp = a->stamp};
	convert_frame(&c->convert, out, &converted);
	frame_release(out);
	*out = converted;
}

static enum source_result silent(const struct camera *c, uint32_t came)
{
	long long s = c->silence_ns / NS_PER_S;
	log_pass_on();
	if (came != c->came)
		msg("camera %s: the encoder has kept all frames for %lld s", c->id, s);
	else
		msg("camera %s: no frame for %lld s", c->id, s);
	return SOURCE_FAILED;
}

static enum source_result read_frame(
        struct source *source, const struct stop *stop, int encoder_fd, struct frame *out)
{
	struct camera *c = (struct camera *)source;
	struct arrival a;
	bool gone;

	for (;;) {
		if (stop_wait_either(stop, c->arrivals.fd, encoder_fd, c->last_ns + c->silence_ns))
			return SOURCE_STOPPED;
		log_pass_on();
		if (atomic_load(&c->odd_times) && !atomic_exchange(&c->odd_said, true))
			msg("camera %s: its timestamps are of no clock known: frames have the time when they "
			    "came",
			        c->id);
		uint32_t came = arrivals_came(&c->arrivals, &gone);
		if (arrivals_take(&c->arrivals, &a)) {
			c->last_ns = stop_clock_ns();
			c->came = came;
			lend(c, &a, out);
			return SOURCE_FRAME;
		}
		if (gone) {
			msg("camera %s: is gone: unplugged?", c->id);
			return SOURCE_FAILED;
		}
		if (stop_clock_ns() >= c->last_ns + c->silence_ns)
			return silent(c, came);
		if (encoder_fd >= 0)
			return SOURCE_ENCODER;
	}
}

/* --- opening --- */

/* The rate of a camera that cannot be told one, from its first frames. */
static void rate_find(struct camera *c, const struct stop *stop)
{
	struct video *v = &c->source.video;
	struct arrival a;
	bool gone;
	unsigned frames = 0;
	uint32_t first = 0, last = 0;
	uint64_t first_ns = 0, last_ns = 0;
	int64_t until = stop_clock_ns() + c->silence_ns;

	while (frames <= MEASURED_INTERVALS && stop_clock_ns() < until) {
		if (stop_wait(stop, c->arrivals.fd, until))
			return;
		if (!arrivals_take(&c->arrivals, &a))
			break; /* too late, or gone */
		arrivals_give_back(&c->arrivals, a.buffer);
		if (!frames++) {
			first = a.stamp.number;
			first_ns = a.stamp.clocks.boot_ns;
			until = stop_clock_ns() + MEASURE_NS > until ? until : stop_clock_ns() + MEASURE_NS;
		}
		last = a.stamp.number;
		last_ns = a.stamp.clocks.boot_ns;
	}
	if (last != first)
		rate_measured(last - first, (int64_t)(last_ns - first_ns), &v->rate_num, &v->rate_den);
	arrivals_restart(&c->arrivals);
	c->came = arrivals_came(&c->arrivals, &gone);
}

static int buffers_map(struct camera *c)
{
	const struct camera_format *format = &c->format;
	int n = libcamera_configure();
	log_pass_on();
	if (n < 0) {
		errno = -n;
		msg_errno("camera %s: cannot be configured", c->id);
		return EXIT_TEMPORARY;
	}
	c->planes = format->pixel->planes;
	for (int i = 0; i < n && i < VIDEO_BUFFERS_MAX; i++)
		if (camera_buffer_map(format, (unsigned)i, &c->buffers[i]) < 0) {
			msg_errno("camera %s: buffer %d of %ux%u %s", c->id, i, format->width, format->height,
			        format->pixel->name);
			return EXIT_TEMPORARY;
		}
	if (n > VIDEO_BUFFERS_MAX || arrivals_open(&c->arrivals, (unsigned)n, give, c) < 0) {
		msg_errno("camera %s: %d buffers", c->id, n);
		return EXIT_TEMPORARY;
	}
	return EXIT_OK;
}

static int start(struct camera *c)
{
	const struct libcamera_events events = {.frame = frame_came, .gone = camera_gone, .owner = c};
	int r = libcamera_start(&events);
	log_pass_on();
	if (r < 0) {
		errno = -r;
		msg_errno("camera %s: cannot start", c->id);
		return EXIT_TEMPORARY;
	}
	c->last_ns = stop_clock_ns();
	return EXIT_OK;
}

static void say(const struct camera *c, const struct camera_options *o)
{
	const struct camera_format *f = &c->format;
	const struct video *v = &c->source.video;
	char asked[64] = "", cut[64] = "";

	if (o->video.width != f->width || o->video.height != f->height)
		snprintf(asked, sizeof asked, " instead of %ux%u", o->video.width, o->video.height);
	if (v->width != f->width || v->height != f->height)
		snprintf(cut, sizeof cut, ", cut to %ux%u", v->width, v->height);
	msg("camera %s: %ux%u%s%s, %s%s, %.4g frames a second%s", c->id, f->width, f->height, asked, cut,
	        f->pixel->name, c->converts ? " converted" : "", (double)v->rate_num / v->rate_den,
	        o->rate_asked && !camera_rate_is(o, v) ? " instead of what was asked for" : "");
}

static int prepare(struct camera *c, const struct camera_options *o, unsigned encoder_formats, bool *measure)
{
	int code = camera_negotiate(o, c->id, encoder_formats, &c->format, &c->source.video);
	if (!code)
		code = buffers_map(c);
	if (!code)
		code = camera_controls_set(o, c->id, &c->source.video, measure);
	if (code)
		return code;
	c->converts = pixel_converts(c->format.pixel, encoder_formats);
	if (c->converts && convert_open(&c->convert, c->format.pixel, c->source.video.width,
	                           c->source.video.height) < 0) {
		msg_errno("camera %s: conversion", c->id);
		return EXIT_TEMPORARY;
	}
	return EXIT_OK;
}

int camera_open(const struct camera_options *o, unsigned encoder_formats, const struct stop *stop,
        struct source **out)
{
	static struct camera camera; /* one in a process: libcamera has one manager */
	struct camera *c = &camera;
	bool measure = false;

	if (guard_enter() < 0) {
		msg_errno("camera");
		return EXIT_TEMPORARY;
	}
	guard_begin(o->silence_s);
	c->source = (struct source){.video = o->video, .live = true, .read = read_frame};
	c->silence_ns = (int64_t)o->silence_s * NS_PER_S;
	int code = camera_find(o->which, &c->id);
	if (!code)
		code = prepare(c, o, encoder_formats, &measure);
	if (!code)
		code = start(c);
	guard_end();
	log_pass_on();
	if (code)
		return code;
	if (measure)
		rate_find(c, stop);
	say(c, o);
	*out = &c->source;
	return EXIT_OK;
}
