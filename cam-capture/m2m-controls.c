/* Each control is set, then read back: drivers round, and what they silently did not take would show only in
 * the footage. */
#define _GNU_SOURCE
#include "m2m-controls.h"

#include "m2m-io.h"
#include "msg.h"

#include <errno.h>
#include <linux/videodev2.h>
#include <stddef.h>

enum { BITRATE_UNIT_HIGH_PROFILE = 1250, MB_SIDE = 16 };

/* ITU-T H.264, table A-1: macroblocks per second and per frame, bitrate in units of 1250 bit/s (A.3.3 for
 * High). 1b is left out: it is 1.1 with less. */
static const struct {
	int level;
	uint32_t mb_s, mb, bitrate;
} levels[] = {
        {V4L2_MPEG_VIDEO_H264_LEVEL_1_0, 1485, 99, 64},
        {V4L2_MPEG_VIDEO_H264_LEVEL_1_1, 3000, 396, 192},
        {V4L2_MPEG_VIDEO_H264_LEVEL_1_2, 6000, 396, 384},
        {V4L2_MPEG_VIDEO_H264_LEVEL_1_3, 11880, 396, 768},
        {V4L2_MPEG_VIDEO_H264_LEVEL_2_0, 11880, 396, 2000},
        {V4L2_MPEG_VIDEO_H264_LEVEL_2_1, 19800, 792, 4000},
        {V4L2_MPEG_VIDEO_H264_LEVEL_2_2, 20250, 1620, 4000},
        {V4L2_MPEG_VIDEO_H264_LEVEL_3_0, 40500, 1620, 10000},
        {V4L2_MPEG_VIDEO_H264_LEVEL_3_1, 108000, 3600, 14000},
        {V4L2_MPEG_VIDEO_H264_LEVEL_3_2, 216000, 5120, 20000},
        {V4L2_MPEG_VIDEO_H264_LEVEL_4_0, 245760, 8192, 20000},
        {V4L2_MPEG_VIDEO_H264_LEVEL_4_1, 245760, 8192, 50000},
        {V4L2_MPEG_VIDEO_H264_LEVEL_4_2, 522240, 8704, 50000},
        {V4L2_MPEG_VIDEO_H264_LEVEL_5_0, 589824, 22080, 135000},
        {V4L2_MPEG_VIDEO_H264_LEVEL_5_1, 983040, 36864, 240000},
};

int m2m_controls_level(const struct encoder_config *c)
{
	const struct video *v = &c->video;
	uint64_t columns = (v->width + MB_SIDE - 1) / MB_SIDE, rows = (v->height + MB_SIDE - 1) / MB_SIDE;
	uint64_t mb = columns * rows, mb_s = (mb * v->rate_num + v->rate_den - 1) / v->rate_den;

	/* A.3.1: no side is longer than the square root of eight times the largest frame */
	for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
		if (mb <= levels[i].mb && mb_s <= levels[i].mb_s &&
		        columns * columns <= (uint64_t)levels[i].mb * 8 &&
		        rows * rows <= (uint64_t)levels[i].mb * 8 &&
		        c->bitrate_bps <= (uint64_t)levels[i].bitrate * BITRATE_UNIT_HIGH_PROFILE)
			return levels[i].level;
	return -1;
}

/* What it is afterwards, or -1 with errno: EINVAL when there is no such control, ERANGE when not of this
 * value. */
static int64_t set(int fd, uint32_t id, int64_t value)
{
	struct v4l2_control c = {.id = id, .value = (int32_t)value};
	if (m2m_io_ctl(fd, VIDIOC_S_CTRL, &c) < 0)
		return -1;
	struct v4l2_control now = {.id = id};
	return m2m_io_ctl(fd, VIDIOC_G_CTRL, &now) < 0 ? -1 : now.value;
}

static int refuse(const char *name, const char *what, int64_t asked, int64_t got)
{
	if (got < 0)
		msg_errno("%s: cannot set %s %lld", name, what, (long long)asked);
	else
		msg("%s: asked for %s %lld, it makes %lld", name, what, (long long)asked, (long long)got);
	errno = got < 0 ? errno : ENOTSUP;
	return -1;
}

/* The Pi's driver took the GOP by another control before it had this one. */
static int64_t gop_set(int fd, uint32_t frames)
{
	int64_t older = set(fd, V4L2_CID_MPEG_VIDEO_H264_I_PERIOD, frames);
	int64_t got = set(fd, V4L2_CID_MPEG_VIDEO_GOP_SIZE, frames);
	return got < 0 ? older : got;
}

static int profile_set(int fd, const char *name, const struct encoder_config *c)
{
	int level = m2m_controls_level(c);

	if (level < 0) {
		msg("%s: no level of H.264 allows %ux%u at this rate and bitrate", name, c->video.width,
		        c->video.height);
		errno = ENOTSUP;
		return -1;
	}
	if (set(fd, V4L2_CID_MPEG_VIDEO_H264_PROFILE, V4L2_MPEG_VIDEO_H264_PROFILE_HIGH) < 0)
		(void)set(fd, V4L2_CID_MPEG_VIDEO_H264_PROFILE, V4L2_MPEG_VIDEO_H264_PROFILE_MAIN);
	/* A level that it cannot be told it finds by itself; one that it does not have it cannot make. */
	if (set(fd, V4L2_CID_MPEG_VIDEO_H264_LEVEL, level) < 0 && errno == ERANGE)
		return refuse(name, "level", level, -1);
	return 0;
}

int m2m_controls_set(int fd, const char *name, const struct encoder_config *c, bool h264)
{
	/* where they exist: an even stream, and no picture that refers to a later one */
	(void)set(fd, V4L2_CID_MPEG_VIDEO_BITRATE_MODE, V4L2_MPEG_VIDEO_BITRATE_MODE_CBR);
	(void)set(fd, V4L2_CID_MPEG_VIDEO_FRAME_RC_ENABLE, 1);
	(void)set(fd, V4L2_CID_MPEG_VIDEO_B_FRAMES, 0);
	(void)set(fd, V4L2_CID_MPEG_VIDEO_HEADER_MODE, V4L2_MPEG_VIDEO_HEADER_MODE_JOINED_WITH_1ST_FRAME);
	(void)set(fd, V4L2_CID_MPEG_VIDEO_REPEAT_SEQ_HEADER, 1); /* m2m-sets.c repeats what it does not */

	int64_t bitrate = set(fd, V4L2_CID_MPEG_VIDEO_BITRATE, c->bitrate_bps);
	/* the Pi rounds to multiples of 25 kbit/s */
	if (h264 && (bitrate < c->bitrate_bps * INT64_C(3) / 4 || bitrate > c->bitrate_bps * INT64_C(5) / 4))
		return refuse(name, "bitrate", c->bitrate_bps, bitrate);
	int64_t gop = gop_set(fd, c->gop_frames);
	if (h264 && gop != c->gop_frames)
		return refuse(name, "GOP", c->gop_frames, gop);
	return h264 ? profile_set(fd, name, c) : 0;
}

int m2m_controls_force_idr(int fd)
{
	struct v4l2_control c = {.id = V4L2_CID_MPEG_VIDEO_FORCE_KEY_FRAME, .value = 1};
	return m2m_io_ctl(fd, VIDIOC_S_CTRL, &c);
}
