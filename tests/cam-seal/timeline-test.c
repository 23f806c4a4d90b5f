#include "tap.h"
#include "timeline.h"

static const uint64_t s_ns = 1000000000, frame_ns = 66666667; /* 15 a second */

static struct sei at(uint32_t frame, uint64_t boot_ns, int64_t utc_ns)
{
	return (struct sei){.frame = frame, .boot_ns = boot_ns, .utc_ns = utc_ns};
}

int main(void)
{
	struct timeline t;
	struct sei s;
	int64_t ms = 0;

	timeline_init(&t, frame_ns);
	for (uint32_t i = 0; i <= 150; i++) {
		s = at(i, 1000 * s_ns + i * frame_ns, (int64_t)(5000 * s_ns + i * frame_ns));
		ms = timeline_next_ms(&t, &s);
	}
	ok(ms == 10000, "15 frames a second: the 151st at 10 s (%lld ms)", (long long)ms);

	s = at(180, 1012 * s_ns, (int64_t)(5012 * s_ns));
	ok(timeline_next_ms(&t, &s) == 12000, "dropped frames take their time");
	s = at(181, 1013 * s_ns, (int64_t)(99 * s_ns));
	ok(timeline_next_ms(&t, &s) == 13000, "a wall clock that is set back does not matter");
	s = at(0, 20 * s_ns, (int64_t)(159 * s_ns));
	ok(timeline_next_ms(&t, &s) == 73000, "after a reboot the wall clock tells: a minute");
	s = at(0, 30 * s_ns, (int64_t)(100 * s_ns));
	ok(timeline_next_ms(&t, &s) == 83000,
	        "after a restart with the wall clock set back, the boot-time clock");
	s = at(0, 1 * s_ns, (int64_t)(50 * s_ns));
	ok(timeline_next_ms(&t, &s) == 83066, "with both set back, a frame");
	s = at(1, 1 * s_ns, (int64_t)(50 * s_ns));
	ok(timeline_next_ms(&t, &s) == 83133, "the same time again is not the same time");
	ms = timeline_next_ms(&t, NULL);
	ok(ms == 83200, "without a message, a frame later (%lld)", (long long)ms);
	s = at(2, UINT64_MAX, INT64_MAX);
	ok(timeline_next_ms(&t, &s) > ms, "nonsense does not set the time back");

	timeline_init(&t, 1);
	int rising = 1;
	for (int i = 0; i < 100; i++)
		rising &= timeline_next_ms(&t, NULL) == i;
	ok(rising, "never less than a millisecond apart");
	return tap_done();
}
