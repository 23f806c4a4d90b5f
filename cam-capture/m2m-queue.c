/* The buffer ioctls of V4L2, multi-planar with one plane. Nothing that the device says about a buffer is used
 * before it is seen to lie within what there is. */
#define _GNU_SOURCE
#include "m2m-queue.h"

#include "m2m-io.h"

#include <errno.h>
#include <linux/videodev2.h>
#include <string.h>

enum { US_PER_S = 1000000 };

static void buffer_init(const struct m2m_queue *q, struct v4l2_buffer *b, struct v4l2_plane *plane)
{
	*plane = (struct v4l2_plane){0};
	*b = (struct v4l2_buffer){
	        .type = q->type, .memory = q->dmabuf ? V4L2_MEMORY_DMABUF : V4L2_MEMORY_MMAP};
	b->m.planes = plane;
	b->length = 1;
}

static int request(struct m2m_queue *q, unsigned n)
{
	struct v4l2_requestbuffers r = {
	        .type = q->type, .count = n, .memory = q->dmabuf ? V4L2_MEMORY_DMABUF : V4L2_MEMORY_MMAP};

	if (m2m_io_ctl(q->fd, VIDIOC_REQBUFS, &r) < 0)
		return -1;
	q->n = r.count;
	if (n && (!q->n || q->n > M2M_BUFFERS_MAX)) {
		q->n = 0;
		errno = ENOBUFS;
		return -1;
	}
	return 0;
}

static int map(struct m2m_queue *q, unsigned i)
{
	struct v4l2_buffer b;
	struct v4l2_plane plane;

	buffer_init(q, &b, &plane);
	b.index = i;
	if (m2m_io_ctl(q->fd, VIDIOC_QUERYBUF, &b) < 0)
		return -1;
	q->bytes[i] = plane.length;
	q->map[i] = m2m_io_map(q->fd, plane.length, plane.m.mem_offset, V4L2_TYPE_IS_OUTPUT(q->type));
	return q->map[i] ? 0 : -1;
}

int m2m_queue_map(struct m2m_queue *q, int fd, uint32_t type, unsigned n)
{
	*q = (struct m2m_queue){.fd = fd, .type = type};
	if (request(q, n) < 0)
		return -1;
	for (unsigned i = 0; i < q->n; i++)
		if (map(q, i) < 0) {
			int saved = errno;
			m2m_queue_free(q);
			errno = saved;
			return -1;
		}
	return 0;
}

int m2m_queue_import(struct m2m_queue *q, int fd, uint32_t type, unsigned n)
{
	*q = (struct m2m_queue){.fd = fd, .type = type, .dmabuf = true};
	return request(q, n);
}

int m2m_queue_put(struct m2m_queue *q, unsigned i, const struct m2m_content *c)
{
	struct v4l2_buffer b;
	struct v4l2_plane plane;

	buffer_init(q, &b, &plane);
	b.index = i;
	b.field = V4L2_FIELD_NONE;
	b.timestamp.tv_sec = c->time_us / US_PER_S;
	b.timestamp.tv_usec = c->time_us % US_PER_S;
	plane.bytesused = c->bytes;
	plane.length = (uint32_t)q->bytes[i];
	if (q->dmabuf) {
		plane.m.fd = c->dmabuf;
		plane.length = c->size;
	}
	if (m2m_io_ctl(q->fd, VIDIOC_QBUF, &b) < 0)
		return -1;
	q->queued[i] = true;
	return 0;
}

int m2m_queue_get(struct m2m_queue *q, struct m2m_content *out)
{
	struct v4l2_buffer b;
	struct v4l2_plane plane;

	buffer_init(q, &b, &plane);
	if (m2m_io_ctl(q->fd, VIDIOC_DQBUF, &b) < 0)
		return -1;
	if (b.index >= q->n || !q->queued[b.index]) {
		errno = EBADMSG;
		return -1;
	}
	q->queued[b.index] = false;
	*out = (struct m2m_content){
	        .time_us = (int64_t)b.timestamp.tv_sec * US_PER_S + b.timestamp.tv_usec,
	        .last = b.flags & V4L2_BUF_FLAG_LAST,
	        .bad = b.flags & V4L2_BUF_FLAG_ERROR,
	};
	if (V4L2_TYPE_IS_OUTPUT(q->type) || plane.data_offset > plane.bytesused)
		return (int)b.index;
	if (plane.bytesused > q->bytes[b.index]) {
		errno = EBADMSG;
		return -1;
	}
	out->at = plane.data_offset;
	out->bytes = plane.bytesused - plane.data_offset;
	return (int)b.index;
}

int m2m_queue_start(struct m2m_queue *q)
{
	int type = (int)q->type;
	return m2m_io_ctl(q->fd, VIDIOC_STREAMON, &type);
}

void m2m_queue_free(struct m2m_queue *q)
{
	int type = (int)q->type;

	if (!q->type)
		return;
	(void)m2m_io_ctl(q->fd, VIDIOC_STREAMOFF, &type);
	for (unsigned i = 0; i < q->n; i++)
		if (q->map[i])
			m2m_io_unmap(q->map[i], q->bytes[i]);
	(void)request(q, 0);
	*q = (struct m2m_queue){0};
}
