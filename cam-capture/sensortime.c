/* The sensor's timestamps made into the clocks of the footage. Reads clocks; the rest is arithmetic. */
#define _GNU_SOURCE
#include "sensortime.h"

#include <time.h>

enum { NS_PER_S = 1000000000, TRIES = 3, CLOSE_NS = 50000 };

static const int64_t AGE_MAX_NS = 5LL * NS_PER_S;

static int64_t monotonic_ns(void)
{
	struct timespec ts = {0};
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

/* The clocks cannot be read at once. When another process gets in between, they are read again. */
void moment_now(struct moment *m)
{
	for (int i = 0; i < TRIES; i++) {
		int64_t before = monotonic_ns();
		clocks_now(&m->clocks);
		m->monotonic_ns = monotonic_ns();
		if (m->monotonic_ns - before < CLOSE_NS)
			return;
	}
}

static bool is_age(int64_t ns)
{
	return ns >= 0 && ns <= AGE_MAX_NS;
}

bool sensortime_clocks(
        int64_t timestamp_ns, const struct moment *seen, uint64_t after_boot_ns, struct clocks *out)
{
	int64_t age = -1;

	if (timestamp_ns > 0 && is_age(seen->monotonic_ns - timestamp_ns))
		age = seen->monotonic_ns - timestamp_ns;
	else if (timestamp_ns > 0 && is_age((int64_t)seen->clocks.boot_ns - timestamp_ns))
		age = (int64_t)seen->clocks.boot_ns - timestamp_ns;
	bool plausible = age >= 0;
	if (!plausible)
		age = 0;
	*out = seen->clocks;
	out->utc_ns -= age;
	out->boot_ns = (uint64_t)age < out->boot_ns ? out->boot_ns - (uint64_t)age : 0;
	if (out->boot_ns <= after_boot_ns) {
		out->utc_ns += (int64_t)(after_boot_ns + 1 - out->boot_ns);
		out->boot_ns = after_boot_ns + 1;
	}
	return plausible;
}
