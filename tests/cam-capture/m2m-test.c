/* The hardware encoder against a kernel that is made up: what no driver here can show, and what goes wrong.
 */
#define _GNU_SOURCE
#include "encoder.h"
#include "m2m-controls.h"
#include "m2m-fake.h"
#include "m2m-sets.h"
#include "tap.h"

#include <errno.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 80, HEIGHT = 64, LUMA = WIDTH * HEIGHT, RATE = 10, BUFFERS = 4, NS_PER_FRAME = 100000000 };

static struct encoder_config config;
static const struct encoder *const e = &encoder_m2m;
static void *m; /* the encoder that is open */
static uint32_t next;
static int lent[BUFFERS], wrong;

static void config_reset(void)
{
	config = (struct encoder_config){.video = {.width = WIDTH,
	                                         .height = HEIGHT,
	                                         .rate_num = RATE,
	                                         .rate_den = 1,
	                                         .format = VIDEO_I420},
	        .bitrate_bps = 1000000,
	        .gop_frames = 10};
	next = 0;
	wrong = 0;
	memset(lent, 0, sizeof lent);
}

static void fresh(void)
{
	fake_reset();
	config_reset();
}

static int opens(void)
{
	m = e->open(&config);
	return m != NULL;
}

static void closes(void)
{
	e->close(m);
	m = NULL;
}

static void release(void *owner, unsigned buffer)
{
	(void)owner;
	wrong += --lent[buffer] != 0;
}

static struct frame frame_make(bool dmabuf, uint32_t stride)
{
	static uint8_t y[LUMA * 2], u[LUMA], v[LUMA];
	struct frame f = {.plane = {y, u, v}, .stride = {WIDTH, WIDTH / 2, WIDTH / 2}};

	f.stamp.number = next;
	f.stamp.clocks.boot_ns = 5000000000u + (uint64_t)next * NS_PER_FRAME;
	memset(y, (int)next * 3 + 4, sizeof y);
	memset(u, (int)next * 3 + 5, sizeof u);
	memset(v, (int)next * 3 + 6, sizeof v);
	if (!dmabuf)
		return f;
	f.has_dmabuf = true;
	f.buffer = next % BUFFERS;
	f.release = release;
	size_t luma = (size_t)stride * HEIGHT;
	for (unsigned i = 0; i < 3; i++) {
		f.stride[i] = i ? stride / 2 : stride;
		f.dmabuf[i] = 40 + (int)f.buffer;
		f.offset[i] = (uint32_t)(i == 0 ? 0 : i == 1 ? luma : luma + luma / 4);
	}
	f.dmabuf_bytes = (uint32_t)(luma * 3 / 2);
	lent[f.buffer]++;
	return f;
}

static int push(bool dmabuf, uint32_t stride)
{
	struct frame f = frame_make(dmabuf, stride);
	fake.now_ns += NS_PER_FRAME;
	next++;
	return e->push(m, &f);
}

/* Pulls all there is; of which the last one's number is in *number. Each begins with its sets when it is an
 * IDR picture. How many, or -1. */
static int pull(uint32_t *number, unsigned *idrs)
{
	struct packet p;
	int n = 0, r;

	while ((r = e->pull(m, &p)) == 1) {
		n++;
		*number = p.stamp.number;
		int idr = p.n > 14 && p.bytes[4] == 0x67;
		*idrs += (unsigned)idr;
		const uint8_t *slice = p.bytes + p.n - 9;
		wrong += slice[4] != (idr ? 0x65 : 0x41);
		wrong += p.stamp.clocks.boot_ns != 5000000000u + (uint64_t)p.stamp.number * NS_PER_FRAME;
	}
	return r < 0 ? -1 : n;
}

static int32_t value(uint32_t id)
{
	struct fake_control *c = fake_control(id);
	return c ? c->value : -1;
}

static void test_finding(void)
{
	fresh();
	ok(e->formats() == (1u << VIDEO_I420 | 1u << VIDEO_NV12 | 1u << VIDEO_RGB24),
	        "formats of the encoder, which is neither the camera that makes H.264 nor the decoder");
	ok(fake.opens == 0, "and nothing stays open");
	fake.open_errno = ENOENT;
	ok(e->formats() == 0 && !opens() && errno == ENODEV, "no encoder: ENODEV");
	fake.open_errno = EACCES;
	ok(e->formats() == 0 && !opens() && errno == EACCES, "an encoder that may not be opened: EACCES");
	fake.open_errno = EBUSY;
	ok(!opens() && fake.opens == 0, "a busy one is passed over");
}

static void test_settings(void)
{
	fresh();
	ok(opens(), "opens");
	ok(value(V4L2_CID_MPEG_VIDEO_BITRATE) == 1000000 &&
	                value(V4L2_CID_MPEG_VIDEO_BITRATE_MODE) == V4L2_MPEG_VIDEO_BITRATE_MODE_CBR,
	        "bitrate, constant");
	ok(value(V4L2_CID_MPEG_VIDEO_GOP_SIZE) == 10 && value(V4L2_CID_MPEG_VIDEO_H264_I_PERIOD) == 10,
	        "GOP, by both controls");
	ok(value(V4L2_CID_MPEG_VIDEO_REPEAT_SEQ_HEADER) == 1, "headers are repeated");
	ok(value(V4L2_CID_MPEG_VIDEO_H264_PROFILE) == V4L2_MPEG_VIDEO_H264_PROFILE_HIGH &&
	                value(V4L2_CID_MPEG_VIDEO_H264_LEVEL) == V4L2_MPEG_VIDEO_H264_LEVEL_2_0,
	        "profile and level");
	ok(fake.rate_num == RATE && fake.rate_den == 1, "rate");
	ok(fake.out.n == 12 && fake.out.sizeimage == 512 << 10, "12 buffers of 512 KiB for what it makes");
	ok(push(false, 0) == 0 && fake.in.n == 6, "6 for frames");
	closes();
	ok(fake.opens == 0 && !fake.breaches, "closed, and nothing was asked at the wrong time");
	fresh();
	config.bitrate_bps = 25000000;
	ok(opens() && fake.out.sizeimage == 25000000 / 8,
	        "larger buffers for a bitrate at which they are needed");
	closes();
	fresh();
	config.bitrate_bps = 110000;
	ok(opens() && value(V4L2_CID_MPEG_VIDEO_BITRATE) == 100000,
	        "a bitrate that the driver rounds is taken");
	closes();
	static const struct {
		uint32_t w, h, rate, bps;
		int level;
	} levels[] = {{640, 480, 30, 2000000, V4L2_MPEG_VIDEO_H264_LEVEL_3_0},
	        {1280, 720, 30, 2000000, V4L2_MPEG_VIDEO_H264_LEVEL_3_1},
	        {1280, 720, 60, 2000000, V4L2_MPEG_VIDEO_H264_LEVEL_3_2},
	        {1920, 1080, 30, 8000000, V4L2_MPEG_VIDEO_H264_LEVEL_4_0},
	        {1920, 1080, 30, 25000001, V4L2_MPEG_VIDEO_H264_LEVEL_4_1},
	        {1920, 1080, 60, 8000000, V4L2_MPEG_VIDEO_H264_LEVEL_4_2},
	        {4096, 64, 1, 100000, V4L2_MPEG_VIDEO_H264_LEVEL_4_0},
	        {4096, 2160, 24, 8000000, V4L2_MPEG_VIDEO_H264_LEVEL_5_1}, {4096, 4096, 240, 8000000, -1}};
	for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
		const struct encoder_config c = {.video = {.width = levels[i].w,
		                                         .height = levels[i].h,
		                                         .rate_num = levels[i].rate,
		                                         .rate_den = 1},
		        .bitrate_bps = levels[i].bps};
		ok(m2m_controls_level(&c) == levels[i].level,
		        "level of %ux%u, %u frames and %u bits a second", levels[i].w, levels[i].h,
		        levels[i].rate, levels[i].bps);
	}
}

static void control_remove(uint32_t id)
{
	fake_control(id)->id = 1;
}

static void test_refusals(void)
{
	fresh();
	control_remove(V4L2_CID_MPEG_VIDEO_BITRATE);
	ok(!opens() && errno == EINVAL && !fake.opens, "no control of the bitrate: refused");
	fresh();
	fake_control(V4L2_CID_MPEG_VIDEO_BITRATE)->max = 500000;
	ok(!opens() && errno == ENOTSUP, "a bitrate that it silently does not keep: refused");
	fresh();
	fake_control(V4L2_CID_MPEG_VIDEO_BITRATE)->min = 2000000;
	ok(!opens() && errno == ENOTSUP, "nor one that it makes more of");
	fresh();
	control_remove(V4L2_CID_MPEG_VIDEO_GOP_SIZE);
	ok(opens(), "the older control of the GOP alone is enough");
	closes();
	fresh();
	control_remove(V4L2_CID_MPEG_VIDEO_H264_I_PERIOD);
	ok(opens(), "and the newer one");
	closes();
	fresh();
	fake_control(V4L2_CID_MPEG_VIDEO_GOP_SIZE)->max = 5;
	ok(!opens() && errno == ENOTSUP, "another GOP: refused");
	fresh();
	fake_control(V4L2_CID_MPEG_VIDEO_H264_LEVEL)->max = 1;
	ok(!opens() && errno == ERANGE, "a level that it does not have: refused");
	fresh();
	control_remove(V4L2_CID_MPEG_VIDEO_H264_LEVEL);
	control_remove(V4L2_CID_MPEG_VIDEO_REPEAT_SEQ_HEADER);
	control_remove(V4L2_CID_MPEG_VIDEO_FORCE_KEY_FRAME);
	control_remove(V4L2_CID_MPEG_VIDEO_BITRATE_MODE);
	fake.headers_once = true;
	ok(opens(), "what is only wished for may be missing");
	closes();
}

static void test_formats(void)
{
	fresh();
	fake.another_format = true;
	ok(!opens() && errno == ENOTSUP, "another format than asked for: refused");
	fresh();
	fake.short_buffers = true;
	ok(!opens() && errno == ENOTSUP, "buffers that a picture does not fit: refused");
	fresh();
	fake.min_side = 128;
	ok(opens() && fake.crop_width == WIDTH && fake.crop_height == HEIGHT, "a larger picture is cropped");
	ok(push(false, 0) == 0 && fake.stride == 128, "and frames are copied into it");
	uint32_t number = 0;
	unsigned idrs = 0;
	ok(pull(&number, &idrs) == 1 && fake.expect[0] == 4 && fake.expect[1] == 5 && fake.expect[2] == 6,
	        "plane by plane to where the driver looks for them");
	closes();
	fresh();
	fake.min_side = 128;
	fake.no_crop = true;
	ok(!opens() && errno == ENOTSUP, "or refused where there is no cropping");
	fresh();
	fake.no_crop = true;
	ok(opens(), "which a size that fits does not need");
	closes();
	static const unsigned long requests[] = {
	        VIDIOC_S_FMT, VIDIOC_S_PARM, VIDIOC_REQBUFS, VIDIOC_QUERYBUF, VIDIOC_QBUF, VIDIOC_STREAMON};
	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++)
		for (unsigned at = 1; at <= 2; at++) {
			fresh();
			fake.fail_request = requests[i];
			fake.fail_at = at;
			fake.fail_errno = EBUSY;
			bool opened = opens();
			if (opened && push(false, 0) == 0)
				wrong += requests[i] != VIDIOC_S_PARM;
			int saved = errno;
			if (opened)
				closes();
			ok((saved == EBUSY || requests[i] == VIDIOC_S_PARM) && !wrong && !fake.opens,
			        "EBUSY of call %u of ioctl %zu ends it, and all is closed", at, i);
		}
}

static void run_frames(bool dmabuf, unsigned frames, uint32_t *number, unsigned *idrs, int *pulled)
{
	for (unsigned i = 0; i < frames; i++) {
		wrong += push(dmabuf, 96) != 0;
		int n = pull(number, idrs);
		wrong += n < 0;
		*pulled += n;
	}
}

static void test_frames(void)
{
	for (int dmabuf = 0; dmabuf < 2; dmabuf++) {
		const char *how = dmabuf ? "imported" : "copied";
		uint32_t number = 0;
		unsigned idrs = 0;
		int pulled = 0, held = 0;
		fresh();
		wrong += !opens();
		run_frames(dmabuf, 35, &number, &idrs, &pulled);
		ok(!wrong && pulled == 35 && number == 34, "%s: each frame comes out, with its stamp", how);
		ok(idrs == 4, "%s: IDR pictures at the cadence, with parameter sets", how);
		ok(fake.in.memory == (dmabuf ? V4L2_MEMORY_DMABUF : V4L2_MEMORY_MMAP),
		        "%s: that is the memory used", how);
		e->force_idr(m);
		run_frames(dmabuf, 1, &number, &idrs, &pulled);
		ok(idrs == 5, "%s: an IDR picture on demand", how);
		run_frames(dmabuf, 3, &number, &idrs, &pulled);
		wrong += push(dmabuf, 96) != 0;
		e->flush(m);
		ok(pull(&number, &idrs) == 1 && number == 39 && pull(&number, &idrs) == 0,
		        "%s: flushed to the last one", how);
		closes();
		for (int i = 0; i < BUFFERS; i++)
			held += lent[i];
		ok(!held && !wrong && !fake.breaches, "%s: each frame is given back once", how);
	}
	fresh();
	wrong += !opens();
	uint32_t number = 0;
	unsigned idrs = 0;
	ok(push(true, 80) == 0 && fake.in.memory == V4L2_MEMORY_MMAP && !lent[0],
	        "frames of another stride are copied, and given back at once");
	closes();
	fresh();
	fake.import_refused = true;
	wrong += !opens();
	ok(push(true, 96) == 0 && fake.in.memory == V4L2_MEMORY_MMAP && pull(&number, &idrs) == 1,
	        "so they are where nothing is imported");
	closes();
	fresh();
	wrong += !opens();
	fake.fail_request = VIDIOC_QBUF;
	fake.fail_at = 1;
	fake.fail_errno = EINVAL;
	ok(push(true, 96) == -1 && errno == EINVAL && !lent[0],
	        "a frame that cannot be queued either way is given back");
	closes();
	fresh();
	wrong += !opens();
	wrong += push(true, 96) != 0;
	ok(push(false, 96) == -1 && errno == EINVAL, "frames that change their memory are refused");
	closes();
	fresh();
	fake.gives = 2;
	wrong += !opens();
	int pulled = 0;
	run_frames(true, 20, &number, &idrs, &pulled);
	ok(!wrong && pulled == 20 && fake.out.n == 2, "few buffers are enough");
	closes();
	fresh();
	config.video.format = VIDEO_NV12;
	ok(opens() && fake.in.sizeimage == 96 * HEIGHT * 3 / 2, "NV12");
	closes();
	fresh();
	config.video.stride = 128;
	ok(opens() && fake.stride == 128, "the source's stride is asked for");
	closes();
}

static void test_headers(void)
{
	for (int apart = 0; apart < 2; apart++) {
		uint32_t number = 0;
		unsigned idrs = 0;
		int pulled = 0;
		fresh();
		fake.headers_once = !apart;
		fake.headers_apart = apart;
		wrong += !opens();
		run_frames(false, 25, &number, &idrs, &pulled);
		ok(!wrong && pulled == 25 && idrs == 3, "parameter sets %s are put before each IDR picture",
		        apart ? "in a buffer of their own" : "written once");
		closes();
	}
	fresh();
	fake.no_headers = true;
	uint32_t number = 0;
	unsigned idrs = 0;
	wrong += !opens();
	wrong += push(false, 0) != 0;
	ok(pull(&number, &idrs) == -1 && errno == EBADMSG, "none at all: refused");
	closes();

	static const uint8_t aud_idr[] = {0, 0, 0, 1, 9, 0x10, 0, 0, 1, 0x65, 0x88};
	static const uint8_t sps[] = {0, 0, 1, 0x67, 5}, pps[] = {0, 0, 0, 1, 0x68, 6},
	                     pps2[] = {0, 0, 0, 1, 0x68, 7};
	static const uint8_t want[] = {
	        0, 0, 0, 1, 9, 0x10, 0, 0, 1, 0x67, 5, 0, 0, 0, 1, 0x68, 7, 0, 0, 1, 0x65, 0x88};
	struct m2m_sets s = {0};
	const uint8_t *p = sps;
	size_t n = sizeof sps;
	bool idr;
	ok(!m2m_sets_join(&s, &p, &n, &idr) && errno == 0, "an SPS alone is kept");
	p = pps, n = sizeof pps;
	ok(!m2m_sets_join(&s, &p, &n, &idr) && errno == 0, "and a PPS");
	p = pps2, n = sizeof pps2;
	ok(!m2m_sets_join(&s, &p, &n, &idr) && errno == 0, "and another in its place");
	p = aud_idr, n = sizeof aud_idr;
	ok(m2m_sets_join(&s, &p, &n, &idr) && idr && n == sizeof want && memcmp(p, want, n) == 0,
	        "they go behind the delimiter");
	p = (const uint8_t[]){0, 0, 1}, n = 3;
	ok(!m2m_sets_join(&s, &p, &n, &idr) && errno == EBADMSG, "a start code is no access unit");
	p = (const uint8_t[]){0}, n = 0;
	ok(!m2m_sets_join(&s, &p, &n, &idr) && errno == EBADMSG, "nor is nothing");
	static uint8_t large[M2M_SETS_BYTES_MAX + 10] = {0, 0, 1, 0x67};
	memset(large + 4, 1, sizeof large - 4);
	p = large, n = sizeof large;
	ok(!m2m_sets_join(&s, &p, &n, &idr) && errno == EMSGSIZE, "parameter sets have a limit");
	free(s.joined);
}

static int hangs_by_push(void)
{
	int64_t begun = fake.now_ns;
	for (int i = 0; i < 7; i++)
		if (push(true, 96) < 0)
			return errno == ETIMEDOUT && i == 6 && fake.now_ns - begun < 4000000000;
	return 0;
}

static void test_trouble(void)
{
	uint32_t number = 0;
	unsigned idrs = 0;
	int pulled = 0;

	fresh();
	wrong += !opens();
	fake.hangs = true;
	ok(hangs_by_push(), "an encoder that keeps its frames: ETIMEDOUT after two seconds");
	closes();
	ok(!(lent[0] | lent[1] | lent[2] | lent[3]), "whose frames are given back");
	fresh();
	wrong += !opens();
	fake.hangs = true;
	wrong += push(false, 0) != 0;
	ok(pull(&number, &idrs) == 0, "a frame that does not come out at once");
	fake.now_ns += 2100000000;
	ok(pull(&number, &idrs) == 0, "may take two frame intervals");
	fake.now_ns += 200000000;
	ok(pull(&number, &idrs) == -1 && errno == ETIMEDOUT, "and two seconds: ETIMEDOUT");
	closes();
	fresh();
	wrong += !opens();
	run_frames(false, 5, &number, &idrs, &pulled);
	fake.now_ns += 60000000000;
	ok(push(false, 0) == 0 && pull(&number, &idrs) == 1, "a minute without frames is no hang");
	closes();

	static const unsigned long requests[] = {VIDIOC_QBUF, VIDIOC_DQBUF};
	for (int i = 0; i < 2; i++) {
		fresh();
		wrong = !opens();
		run_frames(true, 3, &number, &idrs, &pulled);
		fake.fail_request = requests[i];
		fake.fail_at = 1;
		fake.fail_errno = ENODEV;
		ok(!wrong && (push(true, 96) == -1 || pull(&number, &idrs) == -1) && errno == ENODEV,
		        "a device that goes away: ENODEV of %s", i ? "DQBUF" : "QBUF");
		closes();
	}

	fresh();
	wrong = !opens();
	fake.no_stop = true;
	wrong += push(false, 0) != 0;
	e->flush(m);
	ok(pull(&number, &idrs) == 1 && pull(&number, &idrs) == 0,
	        "without a command to stop, what went in comes out");
	closes();
	fresh();
	wrong += !opens();
	fake.no_last = true;
	wrong += push(false, 0) != 0;
	e->flush(m);
	ok(pull(&number, &idrs) == -1 && errno == ETIMEDOUT, "a stop without an end: ETIMEDOUT");
	closes();
	fresh();
	wrong += !opens();
	e->flush(m);
	ok(pull(&number, &idrs) == 0, "flushed before the first frame");
	closes();

	fresh();
	fake.bad_picture = 4;
	wrong = !opens();
	fake_control(V4L2_CID_MPEG_VIDEO_FORCE_KEY_FRAME)->id = 1;
	idrs = 0;
	pulled = 0;
	run_frames(false, 15, &number, &idrs, &pulled);
	ok(!wrong && pulled == 3 + 5 && idrs == 2 && number == 14,
	        "a bad picture costs what refers to it, up to the next IDR picture");
	closes();
	fresh();
	fake.bad_picture = 4;
	wrong += !opens();
	pulled = 0;
	run_frames(false, 15, &number, &idrs, &pulled);
	ok(!wrong && pulled == 14, "which comes at once where it can be asked for");
	closes();
	fresh();
	fake.wrong_times = true;
	wrong += !opens();
	wrong += push(false, 0) != 0;
	ok(pull(&number, &idrs) == -1 && errno == EBADMSG, "a time stamp that was not given: EBADMSG");
	closes();
	fresh();
	fake.huge = true;
	wrong += !opens();
	wrong += push(false, 0) != 0;
	ok(pull(&number, &idrs) == -1 && errno == EMSGSIZE,
	        "a picture that fills its buffer may be cut: EMSGSIZE");
	closes();
}

int main(void)
{
	test_finding();
	test_settings();
	test_refusals();
	test_formats();
	test_frames();
	test_headers();
	test_trouble();
	fake_reset();
	return tap_done();
}
