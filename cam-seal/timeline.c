#include "timeline.h"

#include <string.h>

static const int64_t year_ns = 366ll * 86400 * 1000000000;

void timeline_init(struct timeline *t, uint64_t frame_ns)
{
	memset(t, 0, sizeof *t);
	t->frame_ns = frame_ns;
	t->last_ms = -1;
}

/* While the frames are numbered on, the boot-time clock counts: it neither jumps nor stops. Over a restart,
 * which may have been of the whole camera, only the wall clock can tell. */
static uint64_t step_ns(const struct timeline *t, const struct sei *s)
{
	int64_t boot = (int64_t)(s->boot_ns - t->last.boot_ns), utc = s->utc_ns - t->last.utc_ns;

	if (s->frame > t->last.frame && boot > 0 && boot < year_ns)
		return (uint64_t)boot;
	if (utc > 0 && utc < year_ns)
		return (uint64_t)utc;
	return boot > 0 && boot < year_ns ? (uint64_t)boot : t->frame_ns;
}

int64_t timeline_next_ms(struct timeline *t, const struct sei *sei)
{
	if (t->begun)
		t->at_ns += sei ? step_ns(t, sei) : t->frame_ns;
	if (sei)
		t->last = *sei;
	t->begun = 1;
	int64_t ms = (int64_t)(t->at_ns / 1000000);
	if (ms <= t->last_ms)
		ms = t->last_ms + 1;
	t->last_ms = ms;
	return ms;
}
