#include "segmenter.h"

#include <string.h>

static const uint64_t ms_ns = 1000000;

static uint64_t since_ns(uint64_t then_ns)
{
	uint64_t now = clocks_boot_ns();
	return now > then_ns ? now - then_ns : 0;
}

static int segment_old(const struct segmenter *g)
{
	return since_ns(g->sealer->opened_ns) >= g->segment_ns;
}

/* The same by capture time, for input that comes faster than it was captured. */
static int segment_long(const struct segmenter *g, uint64_t boot_ns)
{
	uint64_t first_ns = g->sealer->header.boot_ns;
	return boot_ns > first_ns && boot_ns - first_ns >= g->segment_ns;
}

/* --- access units from annexb --- */

/* When the access unit was captured, by its message; else now. */
static void unit_times(struct clocks *out, const struct annexb_head *head)
{
	clocks_now(out);
	if (!head->has_sei)
		return;
	out->utc_ns = head->sei.utc_ns;
	out->boot_ns = head->sei.boot_ns;
	out->state = head->sei.clock_state <= CLOCKS_SYNCHRONISED ? head->sei.clock_state : CLOCKS_UNKNOWN;
}

/* A cam-capture that was restarted numbers from nothing again. */
static int input_restarted(const struct segmenter *g, const struct annexb_head *head)
{
	return head->has_sei && g->numbered && head->sei.frame <= g->frame;
}

/* Drops since the message before. */
static uint32_t new_drops(struct segmenter *g, const struct annexb_head *head)
{
	uint32_t before = g->numbered && !input_restarted(g, head) ? g->dropped : 0;

	if (!head->has_sei)
		return 0;
	g->numbered = 1;
	g->frame = head->sei.frame;
	g->dropped = head->sei.dropped;
	return g->dropped > before ? g->dropped - before : 0;
}

/* Ends the segment or the stretch where this access unit asks for it. */
static int boundary(struct segmenter *g, const struct annexb_head *head, uint64_t boot_ns)
{
	struct sealer *s = g->sealer;

	if (!s->open)
		return 0;
	if (input_restarted(g, head))
		return sealer_mark(s, RECORD_END, RECORD_REASON_RESTART);
	if (head->idr && (segment_old(g) || segment_long(g, boot_ns)))
		return sealer_mark(s, RECORD_END, RECORD_REASON_FULL);
	if (s->segment_bytes >= SEGMENTER_BYTES_MAX)
		return sealer_mark(s, RECORD_END, RECORD_REASON_SIZE);
	if (head->idr && s->stretch_bytes)
		return sealer_mark(s, RECORD_CHECKPOINT, RECORD_REASON_IDR);
	return 0;
}

static int unit_begin(void *ctx, const struct annexb_head *head)
{
	struct segmenter *g = ctx;
	struct sealer *s = g->sealer;
	struct clocks times;

	unit_times(&times, head);
	if (boundary(g, head, times.boot_ns) < 0)
		return -1;
	if (!s->open) {
		size_t sets_bytes;
		const uint8_t *sets = annexb_parameter_sets(&g->annexb, &sets_bytes);
		if (sealer_open(s, &times) < 0)
			return -1;
		/* before the first segment nothing came that could be repeated */
		int first = s->header.prefix.segment == 0;
		if (!first && !(head->has_sps && head->has_pps) && sealer_repeat(s, sets, sets_bytes) < 0)
			return -1;
	}
	s->au = times;
	s->drops += new_drops(g, head);
	g->starts = g->in_unit = 1;
	g->idr = head->idr;
	return 0;
}

static int unit_bytes(void *ctx, const uint8_t *p, size_t n)
{
	struct segmenter *g = ctx;
	struct sealer *s = g->sealer;
	uint8_t flags = 0;

	/* only an access unit of many megabytes, or a stall inside one, cuts a segment in its middle */
	if (s->open && s->segment_bytes >= SEGMENTER_BYTES_MAX + (2u << 20) &&
	        sealer_mark(s, RECORD_END, RECORD_REASON_SIZE) < 0)
		return -1;
	if (!s->open && sealer_open(s, &s->au) < 0)
		return -1;
	if (g->starts)
		flags = (uint8_t)(RECORD_AU_STARTS | (g->idr ? RECORD_IDR : 0));
	g->starts = 0;
	return sealer_bytes(s, flags, p, n);
}

static int unit_end(void *ctx, int torn, int has_picture)
{
	struct segmenter *g = ctx;
	struct sealer *s = g->sealer;

	g->in_unit = 0;
	if (sealer_flush(s, (uint8_t)(RECORD_AU_ENDS | (torn ? RECORD_TORN : 0))) < 0)
		return -1;
	if (has_picture && !torn)
		s->access_units++;
	if (s->open && s->stretch_bytes && since_ns(s->marked_ns) >= SEGMENTER_MARK_MS * ms_ns)
		return sealer_mark(s, RECORD_CHECKPOINT, RECORD_REASON_TIMER);
	return 0;
}

/* --- from the loop --- */

void segmenter_init(struct segmenter *g, struct sealer *s, uint64_t segment_ns, int raw)
{
	memset(g, 0, sizeof *g);
	g->raw = raw;
	g->sealer = s;
	g->segment_ns = segment_ns;
	g->input_ns = clocks_boot_ns();
	annexb_init(&g->annexb, &(struct annexb_sink){g, unit_begin, unit_bytes, unit_end});
}

/* What is read at once is a unit; it ends when the record is full, or input pauses. */
static int raw_push(struct segmenter *g, const uint8_t *p, size_t n)
{
	struct sealer *s = g->sealer;
	const struct annexb_head head = {0};
	struct clocks now;

	clocks_now(&now);
	if (s->open && (segment_old(g) || s->segment_bytes >= SEGMENTER_BYTES_MAX) &&
	        sealer_mark(s, RECORD_END, segment_old(g) ? RECORD_REASON_FULL : RECORD_REASON_SIZE) < 0)
		return -1;
	if (!s->open && sealer_open(s, &now) < 0)
		return -1;
	unit_times(&s->au, &head);
	if (sealer_bytes(s, s->pending_bytes ? 0 : RECORD_AU_STARTS, p, n) < 0)
		return -1;
	return 0;
}

int segmenter_push(struct segmenter *g, const uint8_t *p, size_t n)
{
	g->input_ns = clocks_boot_ns();
	if (g->raw)
		return raw_push(g, p, n);
	return annexb_push(&g->annexb, p, n);
}

static uint64_t stall_ns(const struct segmenter *g)
{
	return (segment_old(g) && !g->in_unit ? SEGMENTER_QUIET_MS : SEGMENTER_STALL_MS) * ms_ns;
}

int segmenter_tick(struct segmenter *g)
{
	struct sealer *s = g->sealer;

	if (since_ns(g->input_ns) >= SEGMENTER_SILENCE_MS * ms_ns &&
	        (g->raw ? sealer_flush(s, RECORD_AU_ENDS) : annexb_silence(&g->annexb)) < 0)
		return -1;
	if (!s->open)
		return 0;
	if (!g->in_unit && s->stretch_bytes && since_ns(s->marked_ns) >= SEGMENTER_MARK_MS * ms_ns &&
	        sealer_mark(s, RECORD_CHECKPOINT, RECORD_REASON_TIMER) < 0)
		return -1;
	if (since_ns(g->input_ns) >= stall_ns(g))
		return sealer_mark(s, RECORD_END, RECORD_REASON_STALL);
	return 0;
}

static void sooner(int *timeout_ms, uint64_t since, uint64_t after_ms)
{
	uint64_t passed_ms = since_ns(since) / ms_ns;
	int left = passed_ms >= after_ms ? 0 : (int)(after_ms - passed_ms);
	if (*timeout_ms < 0 || left < *timeout_ms)
		*timeout_ms = left;
}

int segmenter_timeout_ms(const struct segmenter *g)
{
	const struct sealer *s = g->sealer;
	int ms = -1;

	if (annexb_waits_for_silence(&g->annexb) || (g->raw && s->pending_bytes))
		sooner(&ms, g->input_ns, SEGMENTER_SILENCE_MS);
	if (s->open && !g->in_unit && s->stretch_bytes)
		sooner(&ms, s->marked_ns, SEGMENTER_MARK_MS);
	if (s->open) {
		sooner(&ms, g->input_ns, SEGMENTER_STALL_MS);
		if (!g->in_unit && !segment_old(g))
			sooner(&ms, s->opened_ns, g->segment_ns / ms_ns + 1);
		if (!g->in_unit && segment_old(g))
			sooner(&ms, g->input_ns, SEGMENTER_QUIET_MS);
	}
	return ms;
}

int segmenter_finish(struct segmenter *g, uint8_t reason)
{
	if (g->raw ? sealer_flush(g->sealer, RECORD_AU_ENDS) < 0 : annexb_finish(&g->annexb) < 0)
		return -1;
	return g->sealer->open ? sealer_mark(g->sealer, RECORD_END, reason) : 0;
}
