/* A simulated second after another: what the cap lets through. The clock is ours. */
#include "cap.h"
#include "tap.h"

static uint64_t parsed(const char *text)
{
	struct cap c = {0};
	return cap_parse(&c, text) < 0 ? 0 : c.rate;
}

/* Bytes that get through in a number of seconds, asked for 64 KiB at a time each step_ns. */
static uint64_t through(uint64_t rate, int64_t step_ns, int seconds)
{
	struct cap c = {.rate = rate};
	uint64_t sum = 0;

	for (int64_t t = 1; t < (int64_t)seconds * 1000000000; t += step_ns) {
		size_t n;
		cap_earn(&c, t);
		while ((n = cap_take(&c, 65536)))
			sum += n;
	}
	return sum;
}

int main(void)
{
	ok(parsed("1024") == 1024 && parsed("1k") == 1024 && parsed("3M") == 3 << 20 &&
	                parsed("2G") == (uint64_t)2 << 30,
	        "numbers with and without a suffix");
	ok(!parsed("") && !parsed("k") && !parsed("0") && !parsed("1023") && !parsed("1K") && !parsed("-1") &&
	                !parsed("1.5M") && !parsed("1MM") && !parsed("2000G") &&
	                !parsed("18014398509481985k") && !parsed("99999999999999999999999999999"),
	        "what is none");

	static const uint64_t rates[] = {1024, 10000, 1 << 20, 100 << 20};
	static const int64_t steps[] = {30011, 1000003, 17000009, 100000007};
	for (unsigned i = 0; i < 4; i++)
		for (unsigned j = 0; j < 4; j++) {
			uint64_t n = through(rates[i], steps[j], 10), want = rates[i] * 10;
			ok(n <= want + 4096 + rates[i] / 8 && n >= want - want / 20 - 4096,
			        "%llu B/s asked each %.3f ms: %.3f of that", (unsigned long long)rates[i],
			        (double)steps[j] / 1e6, (double)n / (double)want);
		}

	struct cap c = {.rate = 80000};
	cap_earn(&c, 1);
	cap_earn(&c, 3600000000000);
	size_t burst = cap_take(&c, 1 << 20);
	ok(burst && burst <= 10000, "an idle hour is not made up for");
	ok(!cap_take(&c, 65536) && cap_wait_ms(&c) >= 10 && cap_wait_ms(&c) <= 40,
	        "then it says how long to wait");
	cap_earn(&c, 3600000000000 + cap_wait_ms(&c) * 1000000);
	ok(cap_take(&c, 65536) > 0, "after which there is room");
	ok(cap_take(&(struct cap){.rate = 0}, 12345) == 12345, "no cap");
	return tap_done();
}
