#define _GNU_SOURCE
#include "rate.h"

#include "video.h"

enum { THOUSAND = 1000 };

void rate_measured(unsigned intervals, int64_t ns, uint32_t *num, uint32_t *den)
{
	const int64_t ns_per_s = 1000000000;
	int64_t milli = ns > 0 ? ((int64_t)intervals * ns_per_s * THOUSAND + ns / 2) / ns : 0;
	int64_t whole = (milli + THOUSAND / 2) / THOUSAND;
	int64_t off = milli - whole * THOUSAND;

	if (milli > (int64_t)VIDEO_RATE_MAX * THOUSAND)
		milli = (int64_t)VIDEO_RATE_MAX * THOUSAND;
	if (milli < THOUSAND / VIDEO_RATE_SLOWEST_S + 1)
		milli = THOUSAND / VIDEO_RATE_SLOWEST_S + 1;
	*num = (uint32_t)milli;
	*den = THOUSAND;
	if (whole && whole <= VIDEO_RATE_MAX && (off < 0 ? -off : off) * 100 <= milli) {
		*num = (uint32_t)whole;
		*den = 1;
	}
}
