/* Asks each video device what it can do. Numbers mean nothing: the Pi's encoder is 11 by custom only. Opens
 * devices, which changes nothing about them. */
#define _GNU_SOURCE
#include "m2m-device.h"

#include "m2m-io.h"
#include "video.h"

#include <errno.h>
#include <linux/videodev2.h>
#include <stdio.h>
#include <string.h>

enum { DEVICES_MAX = 64, ENUM_MAX = 256 };

static const uint32_t fourccs[VIDEO_FORMATS] = {
        [VIDEO_I420] = V4L2_PIX_FMT_YUV420,
        [VIDEO_NV12] = V4L2_PIX_FMT_NV12,
        [VIDEO_RGB24] = V4L2_PIX_FMT_RGB24,
        [VIDEO_BGR24] = V4L2_PIX_FMT_BGR24,
};

uint32_t m2m_device_fourcc(unsigned format)
{
	return fourccs[format];
}

static bool is_m2m(int fd, char card[static 32])
{
	struct v4l2_capability cap = {0};
	if (m2m_io_ctl(fd, VIDIOC_QUERYCAP, &cap) < 0)
		return false;
	uint32_t caps = cap.capabilities & V4L2_CAP_DEVICE_CAPS ? cap.device_caps : cap.capabilities;
	snprintf(card, 32, "%.31s", (const char *)cap.card);
	return (caps & V4L2_CAP_VIDEO_M2M_MPLANE) && (caps & V4L2_CAP_STREAMING);
}

static bool makes(int fd, uint32_t coded)
{
	struct v4l2_fmtdesc f = {.type = V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE};
	for (; f.index < ENUM_MAX && m2m_io_ctl(fd, VIDIOC_ENUM_FMT, &f) == 0; f.index++)
		if (f.pixelformat == coded)
			return true;
	return false;
}

static unsigned takes(int fd)
{
	struct v4l2_fmtdesc f = {.type = V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE};
	unsigned formats = 0;
	for (; f.index < ENUM_MAX && m2m_io_ctl(fd, VIDIOC_ENUM_FMT, &f) == 0; f.index++)
		for (unsigned i = 0; i < VIDEO_FORMATS; i++)
			if (f.pixelformat == fourccs[i])
				formats |= 1u << i;
	return formats;
}

int m2m_device_open(uint32_t coded, struct m2m_device *out)
{
	int error = ENODEV;

	for (unsigned i = 0; i < DEVICES_MAX; i++) {
		snprintf(out->path, sizeof out->path, "/dev/video%u", i);
		out->fd = m2m_io_open(out->path);
		if (out->fd < 0 && errno == EACCES)
			error = EACCES;
		if (out->fd < 0)
			continue;
		if (is_m2m(out->fd, out->card) && makes(out->fd, coded) && (out->formats = takes(out->fd)))
			return 0;
		m2m_io_close(out->fd);
	}
	out->fd = -1;
	errno = error;
	return -1;
}
