/* A YUV4MPEG2 stream as a source. Reads one descriptor; holds one frame. Frames are whole or not delivered.
 * In real time a frame is delivered when it is due by the frame rate or, from a slow pipe, when it has come.
 */
#define _GNU_SOURCE
#include "fdio.h"
#include "msg.h"
#include "pace.h"
#include "source.h"
#include "y4m.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct y4m_source {
	struct source source;
	struct pace pace;
	int fd;
	const char *name;
	uint64_t next;
	size_t frame_bytes;
	uint8_t *frame;
	size_t at, have; /* what of ahead is not used yet */
	uint8_t ahead[Y4M_LINE_BYTES_MAX];
};

static enum source_result fail(const struct y4m_source *y)
{
	msg_errno("%s: cannot read", y->name);
	return SOURCE_FAILED;
}

/* At least one byte, at most n. SOURCE_END at the end of the input. */
static enum source_result more(
        struct y4m_source *y, const struct stop *stop, uint8_t *p, size_t n, size_t *got)
{
	for (;;) {
		if (stop_wait(stop, y->fd, STOP_NEVER))
			return SOURCE_STOPPED;
		ssize_t r = read(y->fd, p, n);
		if (r < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (r < 0)
			return fail(y);
		*got = (size_t)r;
		return r ? SOURCE_FRAME : SOURCE_END;
	}
}

/* A line up to its newline, of fewer than Y4M_LINE_BYTES_MAX bytes; *n is its length. SOURCE_END when nothing
 * more came, SOURCE_BAD (not said yet) when the line is too long or has no end. */
static enum source_result line_read(struct y4m_source *y, const struct stop *stop, uint8_t **line, size_t *n)
{
	memmove(y->ahead, y->ahead + y->at, y->have - y->at);
	y->have -= y->at;
	y->at = 0;
	for (size_t looked = 0;;) {
		uint8_t *end = memchr(y->ahead + looked, '\n', y->have - looked);
		size_t got = 0;
		if (end) {
			*line = y->ahead;
			*n = (size_t)(end - y->ahead);
			y->at = *n + 1;
			return SOURCE_FRAME;
		}
		looked = y->have;
		if (looked == sizeof y->ahead)
			return SOURCE_BAD;
		enum source_result r = more(y, stop, y->ahead + looked, sizeof y->ahead - looked, &got);
		if (r == SOURCE_END && looked)
			return SOURCE_BAD;
		if (r != SOURCE_FRAME)
			return r;
		y->have += got;
	}
}

static enum source_result body_read(struct y4m_source *y, const struct stop *stop)
{
	size_t have = y->have - y->at < y->frame_bytes ? y->have - y->at : y->frame_bytes;
	memcpy(y->frame, y->ahead + y->at, have);
	y->at += have;
	while (have < y->frame_bytes) {
		size_t got = 0;
		enum source_result r = more(y, stop, y->frame + have, y->frame_bytes - have, &got);
		if (r == SOURCE_END) {
			msg("%s: frame %llu: truncated: %zu of %zu bytes", y->name,
			        (unsigned long long)y->next, have, y->frame_bytes);
			return SOURCE_BAD;
		}
		if (r != SOURCE_FRAME)
			return r;
		have += got;
	}
	return SOURCE_FRAME;
}

/* Its frames come fast or by the clock, so nothing waits long for an encoder's output. */
static enum source_result read_frame(
        struct source *source, const struct stop *stop, int encoder_fd, struct frame *out)
{
	(void)encoder_fd;
	struct y4m_source *y = (struct y4m_source *)source;
	const struct video *v = &source->video;
	uint8_t *line = NULL;
	size_t n = 0;

	enum source_result r = line_read(y, stop, &line, &n);
	if (r == SOURCE_BAD || (r == SOURCE_FRAME && y4m_frame_parse(line, n) < 0)) {
		msg("%s: frame %llu: its FRAME line is missing or broken", y->name,
		        (unsigned long long)y->next);
		return SOURCE_BAD;
	}
	if (r == SOURCE_FRAME)
		r = body_read(y, stop);
	if (r != SOURCE_FRAME)
		return r;
	if (!y->next)
		pace_start(&y->pace, v, y->pace.fast);
	if (stop_wait(stop, -1, y->pace.fast ? 0 : pace_due_ns(&y->pace, y->next)))
		return SOURCE_STOPPED;
	pace_stamp(&y->pace, y->next++, &out->stamp);
	const size_t luma = (size_t)v->width * v->height;
	out->has_dmabuf = false;
	out->release = NULL;
	out->plane[0] = y->frame;
	out->plane[1] = y->frame + luma;
	out->plane[2] = y->frame + luma + luma / 4;
	out->stride[0] = v->width;
	out->stride[1] = out->stride[2] = v->width / 2;
	return SOURCE_FRAME;
}

static enum source_result header_read(struct y4m_source *y, const struct stop *stop)
{
	struct y4m header;
	uint8_t *line = NULL;
	size_t n = 0;

	enum source_result r = line_read(y, stop, &line, &n);
	if (r == SOURCE_END || r == SOURCE_BAD) {
		msg("%s: not a YUV4MPEG2 stream: %s", y->name,
		        r == SOURCE_END ? "it is empty" : "it has no header line");
		return SOURCE_BAD;
	}
	if (r != SOURCE_FRAME)
		return r;
	if (y4m_header_parse(line, n, &header) < 0) {
		msg("%s: %s%s%s", y->name, header.bad, *header.bad ? ": " : "", header.why);
		return SOURCE_BAD;
	}
	y->source.video = header.video;
	y->frame_bytes = (size_t)header.video.width * header.video.height * 3 / 2;
	y->frame = malloc(y->frame_bytes);
	return y->frame ? SOURCE_FRAME : fail(y);
}

struct source *source_y4m(
        int fd, const char *name, bool fast, const struct stop *stop, enum source_result *why)
{
	struct y4m_source *y = calloc(1, sizeof *y);
	if (!y) {
		msg_errno("%s", name);
		*why = SOURCE_FAILED;
		return NULL;
	}
	y->source.read = read_frame;
	y->pace.fast = fast;
	y->fd = fd;
	y->name = name;
	fd_pipe_grow(fd);
	*why = header_read(y, stop);
	if (*why != SOURCE_FRAME) {
		free(y);
		return NULL;
	}
	return &y->source;
}
