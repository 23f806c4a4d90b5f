/* The hardware encoder: a stateful V4L2 memory-to-memory device behind the interface of encoder.h. On the Pi
 * that is bcm2835-codec. Frames go in by the camera's own memory (DMABUF) where it is laid out as the encoder
 * wants it, else they are copied into the encoder's; what it makes is read where it wrote it. The number of a
 * frame goes along as its time stamp, the time of capture, which the device copies. Opens one video device
 * and waits for it, never longer than ENCODER_WAIT_MS. */
#define _GNU_SOURCE
#include "encoder.h"
#include "m2m-coded.h"
#include "m2m-controls.h"
#include "m2m-device.h"
#include "m2m-flights.h"
#include "m2m-io.h"
#include "m2m-layout.h"
#include "m2m-queue.h"
#include "m2m-sets.h"
#include "msg.h"

#include <errno.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum {
	INPUTS = 6, /* as many as rpicam-vid uses on the Pi, */
	OUTPUTS = 12,
	CODED_BYTES_MIN = 512 << 10, /* and as large */
	NS_PER_MS = 1000000,
};

struct m2m {
	struct m2m_device device;
	struct encoder_config config;
	struct m2m_layout layout;
	struct m2m_queue in, out;
	struct frame held[M2M_BUFFERS_MAX]; /* frames lent to the encoder, by the buffer of the queue */
	bool holds[M2M_BUFFERS_MAX];
	struct m2m_flights flights;
	struct m2m_sets sets;
	int lent;   /* output buffer whose content the caller has, or -1 */
	bool begun; /* a frame has been pushed */
	bool flushing, stop_unknown, drained;
	bool broken; /* what is made refers to a picture that was bad, up to the next IDR picture */
};

static const char *name_of(const struct m2m *m)
{
	return m->device.path;
}

static unsigned formats(void)
{
	struct m2m_device device;
	if (m2m_device_open(m2m_coded.fourcc, &device) < 0)
		return 0;
	m2m_io_close(device.fd);
	return device.formats;
}

/* --- opening --- */

static int rate_set(const struct m2m *m)
{
	const struct video *v = &m->config.video;
	struct v4l2_streamparm p = {.type = V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE};

	p.parm.output.timeperframe = (struct v4l2_fract){v->rate_den, v->rate_num};
	if (m2m_io_ctl(m->device.fd, VIDIOC_S_PARM, &p) == 0 || (errno == ENOTTY && !m2m_coded.h264))
		return 0;
	msg_errno("%s: cannot set %u/%u frames per second", name_of(m), v->rate_num, v->rate_den);
	return -1;
}

/* An IDR picture may take what a second may: more is no bitrate that is kept. */
static uint32_t coded_bytes(const struct encoder_config *c)
{
	return c->bitrate_bps / 8 > CODED_BYTES_MIN ? c->bitrate_bps / 8 : CODED_BYTES_MIN;
}

static int device_prepare(struct m2m *m)
{
	int fd = m->device.fd;

	if (m2m_layout_set(
	            fd, name_of(m), &m2m_coded, &m->config.video, coded_bytes(&m->config), &m->layout) < 0 ||
	        rate_set(m) < 0 || m2m_controls_set(fd, name_of(m), &m->config, m2m_coded.h264) < 0)
		return -1;
	int r = m2m_queue_map(&m->out, fd, V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE, OUTPUTS);
	for (unsigned i = 0; i < m->out.n && r == 0; i++)
		r = m2m_queue_put(&m->out, i, &(struct m2m_content){0});
	if (r == 0)
		r = m2m_queue_start(&m->out);
	if (r < 0)
		msg_errno("%s: %s: no buffers", name_of(m), m->device.card);
	return r;
}

static void close_m2m(void *state);

static void *open_m2m(const struct encoder_config *c)
{
	struct m2m *m = calloc(1, sizeof *m);
	if (!m)
		return NULL;
	m->config = *c;
	m->lent = -1;
	if (m2m_device_open(m2m_coded.fourcc, &m->device) < 0) {
		int saved = errno;
		free(m);
		errno = saved;
		return NULL;
	}
	m2m_flights_init(&m->flights, &c->video);
	if (device_prepare(m) < 0) {
		int saved = errno;
		close_m2m(m);
		errno = saved;
		return NULL;
	}
	return m;
}

/* --- frames in --- */

static void give_back(struct m2m *m, unsigned i)
{
	if (m->holds[i])
		frame_release(&m->held[i]);
	m->holds[i] = false;
}

/* Takes back what the encoder has done with. 0, or -1 with errno. */
static int reclaim(struct m2m *m)
{
	struct m2m_content content;
	int i;

	while (m->begun && (i = m2m_queue_get(&m->in, &content)) >= 0)
		give_back(m, (unsigned)i);
	return !m->begun || errno == EAGAIN ? 0 : -1;
}

static int lend(struct m2m *m, unsigned i, const struct frame *f, int64_t key_us)
{
	const int64_t bytes = m2m_io_size(f->dmabuf[0]);
	const struct m2m_content content = {
	        .bytes = m->layout.bytes,
	        .size = bytes > 0 && bytes <= UINT32_MAX ? (uint32_t)bytes : f->dmabuf_bytes,
	        .dmabuf = f->dmabuf[0],
	        .time_us = key_us,
	};

	if (m2m_queue_put(&m->in, i, &content) < 0)
		return -1;
	m->held[i] = *f;
	m->holds[i] = true;
	return 0;
}

static int copy(struct m2m *m, unsigned i, const struct frame *f, int64_t key_us)
{
	m2m_layout_copy(&m->layout, f, m->in.map[i]);
	if (m2m_queue_put(&m->in, i, &(struct m2m_content){.bytes = m->layout.bytes, .time_us = key_us}) < 0)
		return -1;
	frame_release(f);
	return 0;
}

/* The first frame tells whether frames can be lent: by its layout, and by the encoder taking it. */
static int begin_lending(struct m2m *m, const struct frame *f, int64_t key_us)
{
	const char *why = m2m_layout_differs(&m->layout, f);

	if (!why && m2m_queue_import(&m->in, m->device.fd, V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE, INPUTS) == 0) {
		if (lend(m, 0, f, key_us) == 0) {
			msg("%s: %s: %s, of the camera's own memory", name_of(m), m->device.card,
			        m2m_coded.name);
			return 0;
		}
		if (errno == ENODEV)
			return -1;
		why = "the encoder does not take its memory";
		m2m_queue_free(&m->in);
	}
	if (m2m_queue_map(&m->in, m->device.fd, V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE, INPUTS) < 0)
		return -1;
	msg("%s: %s: %s, of copied frames: %s", name_of(m), m->device.card, m2m_coded.name,
	        why ? why : "the encoder imports none");
	return copy(m, 0, f, key_us);
}

/* A free buffer of the encoder: the one in which this memory was before, which is then mapped already. */
static int slot_find(const struct m2m *m, const struct frame *f)
{
	int found = -1;
	for (unsigned i = 0; i < m->in.n; i++)
		if (!m->in.queued[i]) {
			found = (int)i;
			if (m->in.dmabuf && m->held[i].release && m->held[i].buffer == f->buffer)
				break;
		}
	return found;
}

/* Waits for one. -1 with errno. */
static int slot_wait(struct m2m *m, const struct frame *f)
{
	const int64_t until_ns = m2m_io_now_ns() + (int64_t)ENCODER_WAIT_MS * NS_PER_MS;
	int i;

	while (reclaim(m) == 0) {
		if ((i = slot_find(m, f)) >= 0)
			return i;
		int64_t left_ns = until_ns - m2m_io_now_ns();
		if (left_ns <= 0) {
			msg("%s: has kept %u frames for %d s: it hangs", name_of(m), m->in.n,
			        ENCODER_WAIT_MS / 1000);
			errno = ETIMEDOUT;
			return -1;
		}
		int happened = m2m_io_wait(m->device.fd, POLLOUT, left_ns / NS_PER_MS + 1);
		if (happened > 0 && !(happened & POLLOUT)) {
			errno = ENODEV;
			return -1;
		}
	}
	return -1;
}

static int put(struct m2m *m, const struct frame *f, int64_t key_us)
{
	if (!m->begun) {
		if (begin_lending(m, f, key_us) < 0 || m2m_queue_start(&m->in) < 0)
			return -1;
		m->begun = true;
		return 0;
	}
	int i = slot_wait(m, f);
	if (i < 0)
		return -1;
	if (!m->in.dmabuf)
		return copy(m, (unsigned)i, f, key_us);
	if (m2m_layout_differs(&m->layout, f)) {
		errno = EINVAL;
		return -1;
	}
	return lend(m, (unsigned)i, f, key_us);
}

static int push(void *state, const struct frame *f)
{
	struct m2m *m = state;
	int64_t key_us = m2m_flights_add(&m->flights, &f->stamp, m2m_io_now_ns());

	if (key_us < 0 || put(m, f, key_us) < 0) {
		int saved = errno;
		frame_release(f);
		errno = saved;
		return -1;
	}
	return 0;
}

/* --- access units out --- */

static void force_idr(void *state)
{
	(void)m2m_controls_force_idr(((struct m2m *)state)->device.fd); /* else it comes when it is due */
}

/* A picture that is bad or missing: what refers to it is of no use. */
static void breaks(struct m2m *m, const char *why)
{
	if (!m->broken)
		msg("%s: %s: frames are lost up to the next IDR picture", name_of(m), why);
	m->broken = true;
	force_idr(m);
}

/* What the encoder has written into a buffer. 1 with a packet, 0 when there is none in it, -1 with errno. */
static int take(struct m2m *m, unsigned i, const struct m2m_content *content, struct packet *out)
{
	const uint8_t *bytes = m->out.map[i] + content->at;
	size_t n = content->bytes;
	bool idr = true;

	if (content->bad) {
		(void)m2m_flights_land(&m->flights, content->time_us, m2m_io_now_ns(), &out->stamp);
		breaks(m, "the encoder calls a picture bad");
		return 0;
	}
	if (n >= m->out.bytes[i]) {
		msg("%s: a picture of more than %zu bytes: lower the bitrate", name_of(m), n);
		errno = EMSGSIZE;
		return -1;
	}
	if (m2m_coded.h264 && !m2m_sets_join(&m->sets, &bytes, &n, &idr))
		return errno ? -1 : 0;
	if (m2m_flights_land(&m->flights, content->time_us, m2m_io_now_ns(), &out->stamp) < 0) {
		msg("%s: a picture of a time at which there was no frame", name_of(m));
		errno = EBADMSG;
		return -1;
	}
	if (m->broken && !idr)
		return 0;
	m->broken = false;
	out->bytes = bytes;
	out->n = n;
	return 1;
}

/* Nothing is there to take. 0 when that may be, -1 when the encoder hangs. While flushing it waits. */
static int idle(struct m2m *m)
{
	int64_t until_ns = m2m_flights_due_ns(&m->flights, (int64_t)ENCODER_WAIT_MS * NS_PER_MS);
	int64_t left_ns = until_ns - m2m_io_now_ns();

	if (left_ns <= 0) {
		msg("%s: has made nothing of frame %u for more than %d s: it hangs", name_of(m),
		        m2m_flights_oldest(&m->flights), ENCODER_WAIT_MS / 1000);
		errno = ETIMEDOUT;
		return -1;
	}
	if (!m->flushing)
		return 0;
	int happened = m2m_io_wait(m->device.fd, POLLIN, left_ns / NS_PER_MS + 1);
	if (happened > 0 && !(happened & POLLIN)) {
		errno = ENODEV;
		return -1;
	}
	return 0;
}

/* After the last frame: without STOP, when all have come out. With it, the encoder says which is the last,
 * which some forget: then too. */
static bool is_over(const struct m2m *m)
{
	return m->drained || (m->flushing && !m2m_flights_any(&m->flights) && m->stop_unknown);
}

static int pull(void *state, struct packet *out)
{
	struct m2m *m = state;
	struct m2m_content content;

	if (m->lent >= 0 && !m->drained &&
	        m2m_queue_put(&m->out, (unsigned)m->lent, &(struct m2m_content){0}) < 0)
		return -1;
	m->lent = -1;
	while (!is_over(m)) {
		if (reclaim(m) < 0)
			return -1;
		int i = m2m_queue_get(&m->out, &content);
		if (i < 0 && errno == EAGAIN) {
			if (idle(m) < 0)
				return -1;
			if (!m->flushing)
				return 0;
			continue;
		}
		if (i < 0 && errno == EPIPE) /* the last one has been taken */
			break;
		if (i < 0)
			return -1;
		m->drained = content.last;
		int r = content.bytes || content.bad ? take(m, (unsigned)i, &content, out) : 0;
		if (r == 1)
			m->lent = i;
		if (r)
			return r;
		if (!m->drained && m2m_queue_put(&m->out, (unsigned)i, &(struct m2m_content){0}) < 0)
			return -1;
	}
	m->drained = true;
	return 0;
}

static int descriptor(void *state)
{
	return ((struct m2m *)state)->device.fd;
}

static void flush(void *state)
{
	struct m2m *m = state;
	struct v4l2_encoder_cmd stop = {.cmd = V4L2_ENC_CMD_STOP};

	m->flushing = true;
	m->drained = !m->begun;
	m->stop_unknown = m2m_io_ctl(m->device.fd, VIDIOC_ENCODER_CMD, &stop) < 0;
	m2m_flights_flush(&m->flights, m2m_io_now_ns());
}

static void close_m2m(void *state)
{
	struct m2m *m = state;

	for (unsigned i = 0; i < M2M_BUFFERS_MAX; i++)
		give_back(m, i);
	m2m_queue_free(&m->in);
	m2m_queue_free(&m->out);
	m2m_io_close(m->device.fd);
	free(m->sets.joined);
	free(m);
}

const struct encoder encoder_m2m = {
        .name = "m2m",
        .about = "hardware (V4L2)",
        .device = true,
        .formats = formats,
        .open = open_m2m,
        .push = push,
        .pull = pull,
        .fd = descriptor,
        .force_idr = force_idr,
        .flush = flush,
        .close = close_m2m,
};
