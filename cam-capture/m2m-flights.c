/* A ring of what went in, in order. Drivers copy a frame's time stamp to what they make of it, in
 * microseconds. */
#define _GNU_SOURCE
#include "m2m-flights.h"

#include <errno.h>

enum { NS_PER_S = 1000000000, NS_PER_US = 1000, DELAY_FRAMES = 2 };

void m2m_flights_init(struct m2m_flights *f, const struct video *v)
{
	*f = (struct m2m_flights){.interval_ns = (int64_t)((uint64_t)v->rate_den * NS_PER_S / v->rate_num)};
}

int64_t m2m_flights_add(struct m2m_flights *f, const struct stamp *stamp, int64_t now_ns)
{
	int64_t us = (int64_t)(stamp->clocks.boot_ns / NS_PER_US);

	if (f->n == M2M_FLIGHTS_MAX) {
		errno = ENOBUFS;
		return -1;
	}
	f->last_us = us > f->last_us ? us : f->last_us + 1;
	unsigned at = (f->first + f->n++) % M2M_FLIGHTS_MAX;
	f->ring[at].stamp = *stamp;
	f->ring[at].time_us = f->last_us;
	f->ring[at].since_ns = now_ns;
	return f->last_us;
}

int m2m_flights_land(struct m2m_flights *f, int64_t time_us, int64_t now_ns, struct stamp *out)
{
	while (f->n && f->ring[f->first].time_us <= time_us) {
		unsigned at = f->first;
		f->first = (f->first + 1) % M2M_FLIGHTS_MAX;
		f->n--;
		f->moved_ns = now_ns;
		*out = f->ring[at].stamp;
		if (f->ring[at].time_us == time_us)
			return 0;
	}
	return -1;
}

void m2m_flights_flush(struct m2m_flights *f, int64_t now_ns)
{
	f->moved_ns = now_ns;
	f->interval_ns = 0;
}

bool m2m_flights_any(const struct m2m_flights *f)
{
	return f->n > 0;
}

uint32_t m2m_flights_oldest(const struct m2m_flights *f)
{
	return f->ring[f->first].stamp.number;
}

int64_t m2m_flights_due_ns(const struct m2m_flights *f, int64_t wait_ns)
{
	if (!f->n && f->interval_ns)
		return INT64_MAX;
	int64_t since = f->n ? f->ring[f->first].since_ns : 0;
	return (since > f->moved_ns ? since : f->moved_ns) + wait_ns + f->interval_ns * DELAY_FRAMES;
}
