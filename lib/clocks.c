#define _GNU_SOURCE
#include "clocks.h"

#include <stddef.h>
#include <sys/timex.h>
#include <time.h>

static int64_t clock_ns(clockid_t id)
{
	struct timespec ts = {0};
	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

uint64_t clocks_boot_ns(void)
{
	return (uint64_t)clock_ns(CLOCK_BOOTTIME);
}

void clocks_now(struct clocks *out)
{
	struct timex tx = {.modes = 0};
	int r = adjtimex(&tx);

	out->utc_ns = clock_ns(CLOCK_REALTIME);
	out->boot_ns = clocks_boot_ns();
	out->state = r < 0                    ? CLOCKS_UNKNOWN
	             : tx.status & STA_UNSYNC ? CLOCKS_UNSYNCHRONISED
	                                      : CLOCKS_SYNCHRONISED;
}

const char *clocks_state_name(uint8_t state)
{
	static const char *const names[] = {"unknown", "unsynchronised", "synchronised"};
	return state < sizeof names / sizeof *names ? names[state] : NULL;
}
