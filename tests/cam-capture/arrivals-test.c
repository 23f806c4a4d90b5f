#define _GNU_SOURCE
#include "arrivals.h"
#include "tap.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>

enum { FRAMES = 20000 };

static struct arrivals a;
/* The camera: which buffers it has. */
static struct {
	pthread_mutex_t lock;
	bool has[VIDEO_BUFFERS_MAX];
	int twice, result;
} camera = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int give(void *owner, unsigned buffer)
{
	(void)owner;
	pthread_mutex_lock(&camera.lock);
	camera.twice += camera.has[buffer];
	camera.has[buffer] = true;
	pthread_mutex_unlock(&camera.lock);
	return camera.result;
}

static void begin(unsigned buffers)
{
	arrivals_open(&a, buffers, give, NULL);
	for (unsigned i = 0; i < VIDEO_BUFFERS_MAX; i++)
		camera.has[i] = i < buffers;
	camera.twice = camera.result = 0;
}

/* The camera fills one of its buffers; -1 when it has none. */
static int fill(void)
{
	int buffer = -1;
	pthread_mutex_lock(&camera.lock);
	for (int i = 0; i < VIDEO_BUFFERS_MAX && buffer < 0; i++)
		if (camera.has[i])
			buffer = i;
	if (buffer >= 0)
		camera.has[buffer] = false;
	pthread_mutex_unlock(&camera.lock);
	return buffer;
}

static bool frame(uint32_t sequence, bool good)
{
	static uint64_t boot_ns;
	boot_ns++;
	const struct clocks clocks = {.boot_ns = boot_ns};
	int buffer = fill();
	if (buffer >= 0)
		arrivals_put(&a, (unsigned)buffer, good, sequence, &clocks);
	return buffer >= 0;
}

static unsigned camera_has(void)
{
	unsigned n = 0;
	for (unsigned i = 0; i < VIDEO_BUFFERS_MAX; i++)
		n += camera.has[i];
	return n;
}

static bool readable(void)
{
	struct pollfd p = {a.fd, POLLIN, 0};
	return poll(&p, 1, 0) == 1;
}

static void test_order(void)
{
	struct arrival x = {0}, y = {0};

	begin(4);
	ok(!readable() && !arrivals_take(&a, &x), "nothing yet");
	frame(100, true);
	frame(101, true);
	ok(readable() && arrivals_take(&a, &x) && arrivals_take(&a, &y) && x.stamp.number == 0 &&
	                y.stamp.number == 1 && x.buffer != y.buffer &&
	                x.stamp.clocks.boot_ns < y.stamp.clocks.boot_ns,
	        "in order, numbered from 0");
	ok(!arrivals_take(&a, &x) && !readable(), "then nothing waits");
	arrivals_give_back(&a, y.buffer);
	arrivals_give_back(&a, x.buffer);
	ok(camera_has() == 4 && !camera.twice, "all are back");
	frame(105, true);
	ok(arrivals_take(&a, &x) && x.stamp.number == 5, "what the driver lost is counted");
	frame(105, true);
	frame(3, true);
	ok(arrivals_take(&a, &y) && y.stamp.number == 6, "a driver that does not count");
	arrivals_give_back(&a, y.buffer);
	ok(arrivals_take(&a, &y) && y.stamp.number == 7, "a driver that begins anew");
	arrivals_give_back(&a, y.buffer);
	frame(4, false);
	frame(5, true);
	bool gone;
	ok(arrivals_take(&a, &x) && x.stamp.number == 9 && arrivals_came(&a, &gone) == 6 && !gone,
	        "a bad frame is counted and not delivered");
	ok(camera_has() == 2, "the rest is taken");
}

static void test_slow(unsigned buffers, unsigned keep)
{
	struct arrival x;
	bool ever = true;

	begin(buffers);
	frame(0, true);
	arrivals_take(&a, &x);
	for (uint32_t i = 1; i < 50; i++)
		ever = frame(i, true) && camera_has() >= keep && ever;
	ok(ever, "%u buffers: the camera always has %u", buffers, keep);
	unsigned n = 0;
	uint32_t last = 0;
	for (; arrivals_take(&a, &x); n++)
		last = x.stamp.number;
	ok(n == buffers - 1 - keep && last == (n ? 49 : 0), "%u buffers: the newest %u have waited", buffers,
	        n);
	ok(!camera.twice, "none was given back twice");
}

static void test_gone(void)
{
	struct arrival x;
	bool gone;

	begin(4);
	frame(0, true);
	arrivals_gone(&a);
	ok(readable() && arrivals_take(&a, &x) && readable(), "gone, after what has come");
	arrivals_came(&a, &gone);
	ok(gone && !arrivals_take(&a, &x) && readable(), "and it stays gone");
	begin(4);
	camera.result = -ENODEV;
	frame(0, true);
	arrivals_take(&a, &x);
	arrivals_give_back(&a, x.buffer);
	arrivals_came(&a, &gone);
	ok(gone, "a camera that takes no buffer has gone");
	begin(4);
	frame(0, true);
	frame(1, true);
	arrivals_restart(&a);
	ok(arrivals_take(&a, &x) && x.stamp.number == 0, "numbers from 0 again");
	frame(2, true);
	ok(arrivals_take(&a, &x) && x.stamp.number == 1 && arrivals_take(&a, &x) && x.stamp.number == 2,
	        "and on");
	ok(arrivals_open(&a, 1, give, NULL) < 0 && arrivals_open(&a, VIDEO_BUFFERS_MAX + 1, give, NULL) < 0,
	        "too few or too many buffers");
}

static void *camera_run(void *unused)
{
	(void)unused;
	for (uint32_t i = 0; i < FRAMES; i++)
		while (!frame(i, true))
			sched_yield();
	arrivals_gone(&a);
	return NULL;
}

/* Both threads, with up to three frames held for a while: nothing is lost uncounted or comes twice. */
static void test_threads(void)
{
	pthread_t thread;
	struct arrival x, held[3];
	unsigned n = 0, wrong = 0, taken = 0;
	uint32_t last = 0;
	bool gone = false;

	begin(6);
	pthread_create(&thread, NULL, camera_run, NULL);
	for (;;) {
		struct pollfd p = {a.fd, POLLIN, 0};
		poll(&p, 1, 10000);
		arrivals_came(&a, &gone);
		if (!arrivals_take(&a, &x)) {
			if (gone)
				break;
			continue;
		}
		wrong += taken++ && x.stamp.number <= last;
		last = x.stamp.number;
		held[n++] = x;
		if (n == 3)
			while (n)
				arrivals_give_back(&a, held[--n].buffer);
	}
	while (n)
		arrivals_give_back(&a, held[--n].buffer);
	pthread_join(thread, NULL);
	ok(!wrong && !camera.twice && last == FRAMES - 1 && camera_has() == 6,
	        "two threads: %u of %u frames, the last one too", taken, (unsigned)FRAMES);
}

int main(void)
{
	test_order();
	test_slow(4, 1);
	test_slow(8, 2);
	test_slow(2, 1);
	test_gone();
	test_threads();
	return tap_done();
}
