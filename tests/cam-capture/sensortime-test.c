#include "sensortime.h"
#include "tap.h"

static const int64_t s = 1000000000;

/* Up for 1000 s, of which 400 s asleep. */
static const struct moment slept = {.monotonic_ns = 600000000000,
        .clocks = {.utc_ns = 1700000000000000000, .boot_ns = 1000000000000, .state = 2}};

static void is_age(int64_t timestamp_ns, int64_t age, bool plausible, const char *name)
{
	struct clocks c;
	bool r = sensortime_clocks(timestamp_ns, &slept, 0, &c);
	ok(r == plausible && c.utc_ns == slept.clocks.utc_ns - age &&
	                (int64_t)c.boot_ns == (int64_t)slept.clocks.boot_ns - age && c.state == 2,
	        "%s", name);
}

int main(void)
{
	struct moment a, b;
	struct clocks c;

	is_age(600 * s - s / 30, s / 30, true, "by the clock that does not count sleep");
	is_age(1000 * s - s / 30, s / 30, true, "by the clock that does");
	is_age(600 * s, 0, true, "now");
	is_age(600 * s + 1, 0, false, "from the future");
	is_age(594 * s, 0, false, "from long ago");
	is_age(0, 0, false, "none");
	is_age(-1, 0, false, "less than none");
	is_age(INT64_MAX, 0, false, "the last of all");
	is_age(INT64_MIN, 0, false, "the first of all");

	bool plausible = sensortime_clocks(600 * s - 50, &slept, (uint64_t)(1000 * s - 50), &c);
	ok(plausible && c.boot_ns == (uint64_t)(1000 * s - 49) && c.utc_ns == slept.clocks.utc_ns - 49,
	        "never twice the same");
	sensortime_clocks(600 * s - 50, &slept, (uint64_t)(1001 * s), &c);
	ok(c.boot_ns == (uint64_t)(1001 * s) + 1, "never back");

	moment_now(&a);
	moment_now(&b);
	ok(a.monotonic_ns > 0 && b.monotonic_ns >= a.monotonic_ns && b.clocks.boot_ns >= a.clocks.boot_ns &&
	                (int64_t)a.clocks.boot_ns >= a.monotonic_ns - s && a.clocks.utc_ns > 1700000000 * s,
	        "the clocks of this machine");
	return tap_done();
}
