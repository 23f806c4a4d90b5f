/* cam-capture with a camera that is made up: everything of libcamera.h, with a thread that gives frames. The
 * environment variable FAKE says what it is like, in words with spaces between:
 *
 * format=FOURCC (of those that it then has, default NV12)  size=WxH (it has no other)  step=N (sides become
 * multiples) pad=BYTES (after each line)  planes=1 (one piece of memory)  buffers=N  fps=N  rate (can be set)
 * cameras=N busy  novideo  noflip  noconfigure  nostart  small (buffers)  silent=N gone=N abort=N (at frame
 * N) lose=N (the driver loses a frame after each N)  bad=N (so many at N)  clock=boot|odd  slow-open
 * fork (a process of its own) */
#define _GNU_SOURCE
#include "libcamera.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { BUFFERS_MAX = 16, HELD_MAX = 64, NS_PER_S = 1000000000, MEMORY_BYTES = 64 << 20 };

static struct libcamera_config config;
static struct libcamera_events events;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned buffers, queued[HELD_MAX], queued_n, lines_logged;
static struct {
	int fd;
	uint8_t *p;
	size_t bytes;
} memory[BUFFERS_MAX];
static double fps = 30, brightness;

/* The text after word= in FAKE, "" for a word without a value, NULL when it is not there. */
static const char *fake(const char *word)
{
	const char *env = getenv("FAKE");
	size_t n = strlen(word);
	for (const char *p = env ? env : ""; *p; p += strcspn(p, " "), p += *p == ' ')
		if (strncmp(p, word, n) == 0 && (p[n] == '=' || p[n] == ' ' || !p[n]))
			return p + n + (p[n] == '=');
	return NULL;
}

static unsigned fake_number(const char *word, unsigned without)
{
	const char *s = fake(word);
	return s ? (unsigned)strtoul(s, NULL, 10) : without;
}

static uint32_t fake_fourcc(void)
{
	const char *s = fake("format");
	uint32_t v;
	memcpy(&v, s ? s : "NV12", sizeof v);
	return v;
}

/* Before main(): the sandbox of a camera knows only memory that comes from devices. */
__attribute__((constructor)) static void memory_make(void)
{
	for (unsigned i = 0; i < BUFFERS_MAX; i++) {
		memory[i].fd = memfd_create("fake", MFD_CLOEXEC);
		if (memory[i].fd < 0 || ftruncate(memory[i].fd, MEMORY_BYTES) < 0)
			abort();
	}
}

int libcamera_begin(bool verbose)
{
	(void)verbose;
	if (fake("slow-open"))
		sleep(60);
	if (fake("fork") && fork() == 0)
		_exit(0);
	return 0;
}

const char *libcamera_version(void)
{
	return "made up";
}

unsigned libcamera_count(void)
{
	return fake_number("cameras", 1);
}

const char *libcamera_id(unsigned camera)
{
	static char id[2][16];
	snprintf(id[camera % 2], sizeof *id, "fake%u", camera);
	return id[camera % 2];
}

const char *libcamera_model(unsigned camera)
{
	return camera ? "" : "imx000";
}

int libcamera_choose(unsigned camera)
{
	(void)camera;
	return fake("novideo") ? -ENOTSUP : 0;
}

unsigned libcamera_formats(struct libcamera_format out[], unsigned max)
{
	(void)max;
	*out = (struct libcamera_format){.fourcc = fake_fourcc()};
	memcpy(out->name, &out->fourcc, sizeof out->fourcc);
	return 1;
}

unsigned libcamera_sizes(uint32_t fourcc, struct libcamera_size out[], unsigned max)
{
	(void)fourcc;
	(void)max;
	out[0] = (struct libcamera_size){64, 48};
	out[1] = (struct libcamera_size){1920, 1080};
	return 2;
}

int libcamera_control(const char *name, struct libcamera_range *out)
{
	if (strcmp(name, "Brightness") == 0)
		*out = (struct libcamera_range){-1, 1};
	else if (strcmp(name, "FrameDurationLimits") == 0 && fake("rate"))
		*out = (struct libcamera_range){20000, 1000000};
	else
		return -ENOENT;
	return 0;
}

int libcamera_set(const char *name, const double values[], unsigned n)
{
	if (strcmp(name, "Brightness") == 0)
		brightness = values[0];
	else if (n == 2)
		fps = 1e6 / values[0];
	return 0;
}

int libcamera_acquire(void)
{
	return fake("busy") ? -EBUSY : 0;
}

static unsigned bytes_per_pixel(void)
{
	static const char *const names[] = {
	        "YUYV2", "UYVY2", "RG243", "BG243", "XR244", "XB244", "AR244", "AB244"};
	const char *s = fake("format");
	for (size_t i = 0; s && i < sizeof names / sizeof *names; i++)
		if (memcmp(s, names[i], 4) == 0)
			return (unsigned)(names[i][4] - '0');
	return 1;
}

int libcamera_validate(struct libcamera_config *c)
{
	unsigned step = fake_number("step", 1);
	const char *size = fake("size");

	if (size) {
		char *x;
		c->width = (uint32_t)strtoul(size, &x, 10);
		c->height = (uint32_t)strtoul(x + 1, NULL, 10);
	}
	c->width -= c->width % step;
	c->height -= c->height % step;
	if (fake("noflip"))
		c->hflip = c->vflip = c->transpose = false;
	c->fourcc = fake_fourcc();
	c->stride = ((c->width + 1) & ~1u) * bytes_per_pixel() + fake_number("pad", 0);
	c->buffers = fake_number("buffers", c->buffers);
	c->primaries = c->transfer = c->matrix = bytes_per_pixel() <= 2;
	memcpy(c->format, &c->fourcc, sizeof c->fourcc);
	config = *c;
	return 0;
}

static size_t plane_bytes(unsigned i)
{
	size_t luma = (size_t)config.stride * config.height;
	size_t half = (size_t)config.stride * ((config.height + 1) / 2);
	return !i ? luma : fake("format") && memcmp(fake("format"), "YU12", 4) == 0 ? half / 2 : half;
}

static unsigned plane_count(void)
{
	const char *s = fake("format");
	return bytes_per_pixel() > 1 ? 1 : s && s[0] == 'Y' ? 3 : 2;
}

/* A ramp from left to right, another from top to bottom in the colours; what is beyond a line is noise. */
static void draw(uint8_t *p)
{
	const unsigned w = config.width, h = config.height, bpp = bytes_per_pixel();

	memset(p, 0xaa, (size_t)config.stride * h);
	for (unsigned y = 0; y < h; y++)
		for (unsigned x = 0; x < w; x++) {
			uint8_t *q = p + (size_t)y * config.stride + (size_t)x * bpp;
			uint8_t ramp = (uint8_t)(x * 255 / w), down = (uint8_t)(y * 255 / h);
			/* DRM's names begin with the last byte */
			bool red_first = (config.fourcc & 0xff) == 'B' || (config.fourcc >> 8 & 0xff) == 'B';
			if (bpp >= 3) {
				q[red_first ? 0 : 2] = ramp;
				q[1] = down;
				q[red_first ? 2 : 0] = 128;
			} else {
				bool luma_second = (config.fourcc & 0xff) == 'U';
				q[luma_second] = (uint8_t)(16 + x * 219 / w);
				if (bpp == 2)
					q[!luma_second] = x % 2 ? 64 : 192;
			}
		}
	if (bpp > 1)
		return;
	uint8_t *chroma = p + plane_bytes(0);
	if (plane_count() == 3) {
		memset(chroma, 192, plane_bytes(1));
		memset(chroma + plane_bytes(1), 64, plane_bytes(2));
		return;
	}
	for (size_t i = 0; i < plane_bytes(1); i++)
		chroma[i] = i % 2 ? 64 : 192;
}

int libcamera_configure(void)
{
	if (fake("noconfigure"))
		return -EIO;
	size_t bytes = 0;
	for (unsigned i = 0; i < plane_count(); i++)
		bytes += plane_bytes(i);
	buffers = config.buffers;
	for (unsigned i = 0; i < buffers && i < BUFFERS_MAX; i++) {
		memory[i].bytes = bytes - (fake("small") ? 1 : 0);
		memory[i].p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory[i].fd, 0);
		if (!fake("small"))
			draw(memory[i].p);
	}
	return (int)buffers;
}

unsigned libcamera_planes(unsigned buffer, struct libcamera_plane out[LIBCAMERA_PLANES_MAX])
{
	unsigned n = fake("planes") ? 1 : plane_count();
	uint32_t at = 0;
	for (unsigned i = 0; i < n; i++) {
		uint32_t left = (uint32_t)memory[buffer].bytes - at;
		uint32_t bytes = n == 1 || plane_bytes(i) > left ? left : (uint32_t)plane_bytes(i);
		out[i] = (struct libcamera_plane){memory[buffer].fd, at, bytes};
		at += bytes;
	}
	return n;
}

static int64_t clock_ns(clockid_t id)
{
	struct timespec ts;
	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

static bool dequeue(unsigned *buffer)
{
	pthread_mutex_lock(&lock);
	bool any = queued_n;
	if (any) {
		*buffer = queued[0];
		memmove(queued, queued + 1, --queued_n * sizeof *queued);
	}
	pthread_mutex_unlock(&lock);
	return any;
}

static void *run(void *unused)
{
	(void)unused;
	const unsigned lose = fake_number("lose", 0), never = UINT32_MAX;
	const char *clock = fake("clock");
	uint32_t sequence = 7;

	for (unsigned n = 0;; n++, sequence++) {
		unsigned buffer;
		struct timespec interval = {0, (long)(NS_PER_S / fps)};
		if (interval.tv_nsec >= NS_PER_S)
			interval = (struct timespec){1, 0};
		nanosleep(&interval, NULL);
		if (n >= fake_number("silent", never))
			return NULL;
		if (n >= fake_number("gone", never)) {
			events.gone(events.owner);
			return NULL;
		}
		if (n >= fake_number("abort", never))
			abort();
		if (lose && n % lose == 0)
			sequence++;
		if (!dequeue(&buffer))
			continue;
		struct libcamera_frame f = {buffer, n - fake_number("bad", never) > 1, sequence,
		        !clock || *clock == 'm' ? clock_ns(CLOCK_MONOTONIC)
		        : *clock == 'b'         ? clock_ns(CLOCK_BOOTTIME)
		                                : 12345};
		events.frame(events.owner, &f);
	}
}

int libcamera_start(const struct libcamera_events *e)
{
	pthread_t thread;

	if (fake("nostart"))
		return -EPIPE;
	events = *e;
	fps = fake_number("fps", (unsigned)fps);
	for (unsigned i = 0; i < buffers; i++)
		queued[queued_n++] = i;
	return -pthread_create(&thread, NULL, run, NULL);
}

int libcamera_queue(unsigned buffer)
{
	pthread_mutex_lock(&lock);
	queued[queued_n++ % HELD_MAX] = buffer;
	pthread_mutex_unlock(&lock);
	return 0;
}

bool libcamera_log(char *line, size_t n)
{
	if (!fake("log") || lines_logged++)
		return false;
	snprintf(line, n, "V4L2 v4l2_device.cpp:1 made up");
	return true;
}
