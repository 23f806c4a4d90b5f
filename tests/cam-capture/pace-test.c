#include "pace.h"
#include "tap.h"

static struct pace p;

static void rate(uint32_t num, uint32_t den)
{
	p = (struct pace){.rate_num = num,
	        .rate_den = den,
	        .start_ns = 5,
	        .fast = true,
	        .clocks = {1000, 2000, CLOCKS_UNSYNCHRONISED}};
}

static int inverse(uint64_t n)
{
	int64_t due = pace_due_ns(&p, n);
	return pace_frame_at(&p, due) == n && pace_frame_at(&p, due - 1) == n - 1 &&
	       pace_frame_at(&p, pace_due_ns(&p, n + 1) - 1) == n;
}

int main(void)
{
	static const uint32_t rates[][2] = {
	        {30, 1}, {30000, 1001}, {1, 60}, {240, 1}, {2147483647, 2147483646}, {7, 3}, {120, 1}};
	struct stamp s;
	int wrong = 0;

	rate(30, 1);
	ok(pace_due_ns(&p, 0) == 5, "frame 0 is due at the start");
	ok(pace_due_ns(&p, 1) == 5 + 33333333 && pace_due_ns(&p, 3) == 5 + 100000000,
	        "frames of 1/30 s do not drift");
	ok(pace_due_ns(&p, 30ull * 86400 * 365 * 4) == 5 + 126144000LL * 1000000000,
	        "four years at 30/s are exact");
	rate(30000, 1001);
	ok(pace_due_ns(&p, 30000) == 5 + 1001000000000, "30000 frames at 30000/1001 take 1001 s");
	for (unsigned r = 0; r < sizeof rates / sizeof *rates; r++) {
		rate(rates[r][0], rates[r][1]);
		for (uint64_t n = 1; n < 4000000000 / rates[r][1]; n = n * 3 / 2 + 1)
			wrong += !inverse(n);
	}
	ok(!wrong, "the frame at a time is the inverse of the time of a frame");

	rate(25, 1);
	pace_stamp(&p, 50, &s);
	ok(s.number == 50 && s.clocks.utc_ns == 2000001000 && s.clocks.boot_ns == 2000002000 &&
	                s.clocks.state == CLOCKS_UNSYNCHRONISED,
	        "without pacing, stamps advance by the interval");
	pace_stamp(&p, (1ull << 32) + 7, &s);
	ok(s.number == 7, "numbers wrap after 2^32 frames");

	struct clocks before, after;
	p.fast = false;
	clocks_now(&before);
	pace_stamp(&p, 50, &s);
	clocks_now(&after);
	ok(s.number == 50 && s.clocks.boot_ns >= before.boot_ns && s.clocks.boot_ns <= after.boot_ns,
	        "in real time, stamps are now");
	return tap_done();
}
