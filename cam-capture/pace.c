/* The timetable of frames. Each time is computed from the start, never from the frame before, so nothing
 * drifts. */
#define _GNU_SOURCE
#include "pace.h"

#include "stop.h"

enum { NS_PER_S = 1000000000 };

void pace_start(struct pace *p, const struct video *v, bool fast)
{
	*p = (struct pace){.rate_num = v->rate_num, .rate_den = v->rate_den, .fast = fast};
	p->start_ns = stop_clock_ns();
	clocks_now(&p->clocks);
}

/* Nanoseconds from frame 0 to frame n: whole seconds first, so that nothing overflows. */
static int64_t offset_ns(const struct pace *p, uint64_t n)
{
	uint64_t ticks = n * p->rate_den, s = ticks / p->rate_num, rest = ticks % p->rate_num;
	return (int64_t)(s * NS_PER_S + rest * NS_PER_S / p->rate_num);
}

int64_t pace_due_ns(const struct pace *p, uint64_t n)
{
	return p->start_ns + offset_ns(p, n);
}

uint64_t pace_frame_at(const struct pace *p, int64_t now_ns)
{
	uint64_t ns = (uint64_t)(now_ns - p->start_ns), whole = ns / NS_PER_S * p->rate_num;
	uint64_t rest = whole % p->rate_den * NS_PER_S + ns % NS_PER_S * p->rate_num;
	uint64_t n = whole / p->rate_den + rest / ((uint64_t)p->rate_den * NS_PER_S);
	return pace_due_ns(p, n + 1) <= now_ns ? n + 1 : n; /* due times are rounded down */
}

void pace_stamp(const struct pace *p, uint64_t n, struct stamp *out)
{
	out->number = (uint32_t)n;
	if (!p->fast) {
		clocks_now(&out->clocks);
		return;
	}
	out->clocks = p->clocks;
	out->clocks.utc_ns += offset_ns(p, n);
	out->clocks.boot_ns += (uint64_t)offset_ns(p, n);
}
