/* Holds the one transfer and the rules around it: a server's failure makes everything wait (backoff.c), a
 * segment's failure only that segment (aside.c), and where it cannot be told apart both, after a few tries: a
 * segment that some box on the way resets each time must not keep the others from being sent. */
#define _GNU_SOURCE
#include "ship.h"

#include "msg.h"

#include <stdio.h>
#include <string.h>

/* Stored: the line for stdout. It is written by the loop when that can be done without waiting. */
static void acknowledge(struct ship *s, const struct name *n)
{
	char text[NAME_BYTES_MAX];
	name_put(text, n);
	snprintf(s->said, sizeof s->said, "%s\n", text);
}

static void set_aside(struct ship *s, int doubt, int64_t now_ms)
{
	int64_t ms = waiting_set_aside(&s->waiting, &s->name, doubt, now_ms);
	msg("%s: %s: set aside for %lld s", s->upload.file_name, s->upload.why, (long long)ms / 1000);
	s->held = 0;
	s->troubles = 0;
}

/* The server answered sensibly. */
static void well(struct ship *s, int64_t now_ms)
{
	backoff_ended(&s->backoff, now_ms, s->target.text);
	s->away = s->troubled = 0;
}

static void failed(struct ship *s, enum verdict v, int64_t now_ms)
{
	char why[BACKOFF_WHY_BYTES + NAME_BYTES_MAX + 2];

	s->held = 1;
	if (v == UPLOAD_AWAY) {
		s->away++;
		snprintf(why, sizeof why, "%s", s->upload.why);
	} else {
		snprintf(why, sizeof why, "%s: %s", s->upload.file_name, s->upload.why);
	}
	backoff_failed(&s->backoff, now_ms, s->upload.retry_after_s, s->target.text, why);
	if (v == UPLOAD_TROUBLE && ++s->troubles >= SHIP_TROUBLES_MAX) {
		s->troubled++;
		set_aside(s, 1, now_ms);
	}
}

/* asked: the verdict rests on an answer of the server. */
static void settle(struct ship *s, enum verdict v, int asked, int64_t now_ms)
{
	s->busy = v == UPLOAD_GOES_ON;
	switch (v) {
	case UPLOAD_GOES_ON: return;
	case UPLOAD_STORED:
		well(s, now_ms);
		waiting_stored(&s->waiting, &s->name);
		acknowledge(s, &s->name);
		break;
	case UPLOAD_GONE: break;
	case UPLOAD_ASIDE:
		if (asked)
			well(s, now_ms);
		set_aside(s, 0, now_ms);
		return;
	case UPLOAD_AWAY:
	case UPLOAD_TROUBLE: failed(s, v, now_ms); return;
	}
	s->held = 0;
	s->troubles = 0;
}

void ship_start(struct ship *s, int64_t now_ms)
{
	if (s->busy || s->said[0])
		return;
	if (waiting_repeat(&s->waiting, &s->name)) {
		acknowledge(s, &s->name);
		return;
	}
	if (s->backoff.failures && now_ms < s->backoff.until_ms)
		return;
	if (!s->held && !waiting_next(&s->waiting, now_ms, &s->name))
		return;
	settle(s, upload_start(&s->upload, &s->name), 0, now_ms);
}

void ship_finished(struct ship *s, CURLcode result, int64_t now_ms)
{
	settle(s, upload_continue(&s->upload, result), 1, now_ms);
}

int64_t ship_wake_ms(const struct ship *s)
{
	if (s->busy || s->said[0])
		return INT64_MAX;
	int64_t next_ms = s->held ? 0 : waiting_wake_ms(&s->waiting);
	return s->backoff.failures && s->backoff.until_ms > next_ms ? s->backoff.until_ms : next_ms;
}

int ship_done(const struct ship *s, int *code)
{
	const struct aside *aside = &s->waiting.aside;

	if (s->busy || s->said[0])
		return 0;
	*code = EXIT_TEMPORARY;
	if (s->once && (s->away >= SHIP_ONCE_AWAY_MAX || s->troubled >= SHIP_ONCE_TROUBLED_MAX))
		return 1;
	if (s->once && s->waiting.unreadable)
		return 1;
	if (s->held || !waiting_over(&s->waiting))
		return 0;
	/* What failed for the server's sake is tried again as long as it takes, except with -1. */
	if (s->draining && !s->once && aside_count(aside, 1))
		return 0;
	*code = aside_count(aside, 0) ? EXIT_TEMPORARY : EXIT_OK;
	return 1;
}
