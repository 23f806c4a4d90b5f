/* m2m-flights: the frames that are inside the encoder. */
#ifndef M2M_FLIGHTS_H
#define M2M_FLIGHTS_H
#include "video.h"

enum { M2M_FLIGHTS_MAX = 64 }; /* more than an encoder of some ten buffers ever has */

struct m2m_flights {
	struct {
		struct stamp stamp;
		int64_t time_us, since_ns;
	} ring[M2M_FLIGHTS_MAX];
	unsigned first, n;
	int64_t last_us;
	int64_t moved_ns;    /* when one came out last, or when flushing began */
	int64_t interval_ns; /* from frame to frame */
};

void m2m_flights_init(struct m2m_flights *f, const struct video *v);
/* A frame goes in. The time that goes along with it: its time of capture in microseconds, or the least that
 * is later than the one before; -1 with ENOBUFS. */
int64_t m2m_flights_add(struct m2m_flights *f, const struct stamp *stamp, int64_t now_ns);
/* The frame of this time comes out; frames before it that have not, never will. 0, or -1: there was none. */
int m2m_flights_land(struct m2m_flights *f, int64_t time_us, int64_t now_ns, struct stamp *out);
/* No more goes in. */
void m2m_flights_flush(struct m2m_flights *f, int64_t now_ns);
bool m2m_flights_any(const struct m2m_flights *f);
/* Number of the oldest frame inside. */
uint32_t m2m_flights_oldest(const struct m2m_flights *f);
/* Until when something has to come out if the encoder may take wait_ns and two frame intervals: some give a
 * frame only when the next has come. INT64_MAX when none is inside and more goes in. */
int64_t m2m_flights_due_ns(const struct m2m_flights *f, int64_t wait_ns);
#endif
