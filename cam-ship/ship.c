/* Holds the transfers and the rules around them: a server's failure makes everything wait (backoff.c), a
 * segment's failure only that segment (aside.c), and where it cannot be told apart both, after a few tries: a
 * segment that some box on the way resets each time must not keep the others from being sent.
 *
 * After a failure, and at the start, one transfer goes first; each one that gets through doubles how many may
 * go at once. So an outage is met once, not -j times, and a server that takes two connections and no third is
 * not asked for sixteen again and again. */
#define _GNU_SOURCE
#include "ship.h"

#include "msg.h"
#include "progress.h"

#include <stdio.h>
#include <string.h>

static unsigned places(const struct ship *s)
{
	return s->setup.jobs + 1;
}

int ship_init(struct ship *s)
{
	s->limit = 1;
	if (transfers_init(s->multi, &s->setup) < 0)
		return -1;
	for (unsigned i = 0; i < places(s); i++)
		if (upload_init(&s->place[i].upload, &s->target, dirfd(s->waiting.dir), s->multi, &s->setup,
		            i) < 0)
			return -1;
	return 0;
}

/* Stored: the line for stdout. It is written by the loop when that can be done without waiting. */
static void acknowledge(struct ship *s, const struct name *n)
{
	size_t at = strlen(s->said);
	char text[NAME_BYTES_MAX];

	name_put(text, n);
	snprintf(s->said + at, sizeof s->said - at, "%s\n", text);
}

static void set_aside(struct ship *s, struct place *p, int doubt, int64_t now_ms)
{
	int64_t ms = waiting_set_aside(&s->waiting, &p->upload.name, doubt, now_ms);
	progress_clear();
	msg("%s: %s: set aside for %lld s", p->upload.file_name, p->upload.why, (long long)ms / 1000);
	p->state = PLACE_FREE;
}

/* The server answered sensibly. */
static void well(struct ship *s, int64_t now_ms)
{
	if (s->backoff.failures)
		progress_clear();
	backoff_ended(&s->backoff, now_ms, s->target.text);
	s->away = s->troubled = 0;
	s->limit = 2 * s->limit < s->setup.jobs ? 2 * s->limit : s->setup.jobs;
}

/* What others met together with this one is said and counted once. */
static void unavailable(struct ship *s, const struct place *p, enum verdict v, int64_t now_ms)
{
	char why[BACKOFF_WHY_BYTES + NAME_BYTES_MAX + 2];

	s->limit = 1;
	if (p->outage != s->outage) {
		backoff_extend(&s->backoff, now_ms, p->upload.retry_after_s);
		return;
	}
	s->outage++;
	s->away += v == UPLOAD_AWAY;
	snprintf(why, sizeof why, "%s%s%s", v == UPLOAD_AWAY ? "" : p->upload.file_name,
	        v == UPLOAD_AWAY ? "" : ": ", p->upload.why);
	progress_clear();
	backoff_failed(&s->backoff, now_ms, p->upload.retry_after_s, s->target.text, why);
}

static void failed(struct ship *s, struct place *p, enum verdict v, int64_t now_ms)
{
	const struct response *res = &p->upload.transfer.res;

	/* A server that says no to this one and stores others meanwhile says it to this one. */
	if (v == UPLOAD_AWAY && res->status && p->stored && p->stored != s->stored + 1)
		v = UPLOAD_TROUBLE;
	p->stored = s->stored + 1;
	p->state = PLACE_HELD;
	p->alone = res->shared;
	unavailable(s, p, v, now_ms);
	if (v == UPLOAD_TROUBLE && ++p->troubles >= SHIP_TROUBLES_MAX) {
		s->troubled++;
		set_aside(s, p, 1, now_ms);
	}
}

/* asked: the verdict rests on an answer of the server. */
static void settle(struct ship *s, struct place *p, enum verdict v, int asked, int64_t now_ms)
{
	if (v == UPLOAD_GOES_ON)
		return;
	s->active--;
	p->state = PLACE_FREE;
	switch (v) {
	case UPLOAD_STORED:
		well(s, now_ms);
		backoff_extend(&s->backoff, now_ms, p->upload.retry_after_s);
		s->stored++;
		s->stored_bytes += p->upload.file.bytes;
		waiting_stored(&s->waiting, &p->upload.name);
		acknowledge(s, &p->upload.name);
		break;
	case UPLOAD_GONE: waiting_vanished(&s->waiting, &p->upload.name); break;
	case UPLOAD_ASIDE:
		if (asked)
			well(s, now_ms);
		set_aside(s, p, 0, now_ms);
		break;
	case UPLOAD_AWAY:
	case UPLOAD_TROUBLE: failed(s, p, v, now_ms); break;
	case UPLOAD_GOES_ON: break;
	}
}

static void begin(struct ship *s, struct place *p, int64_t now_ms)
{
	struct name n = p->upload.name;

	s->active++;
	p->state = PLACE_BUSY;
	p->outage = s->outage;
	s->turn = ((unsigned)(p - s->place) + 1) % places(s);
	settle(s, p, upload_start(&p->upload, &n), 0, now_ms);
}

static int someone_alone(const struct ship *s)
{
	for (unsigned i = 0; i < places(s); i++)
		if (s->place[i].state == PLACE_BUSY && s->place[i].alone)
			return 1;
	return 0;
}

static int giving_up(const struct ship *s)
{
	return s->once && (s->away >= SHIP_ONCE_AWAY_MAX || s->troubled >= SHIP_ONCE_TROUBLED_MAX ||
	                          s->waiting.unreadable);
}

static int may_start(const struct ship *s, int64_t now_ms)
{
	if (s->said[0] || s->active >= s->limit || giving_up(s))
		return 0;
	if (now_ms < s->backoff.until_ms)
		return 0;
	return !(s->active && someone_alone(s));
}

/* The places take turns, so that a name that is tried again and again does not go before all others. */
static int start_one(struct ship *s, int64_t now_ms)
{
	for (unsigned i = 0; i < places(s); i++) {
		struct place *p = &s->place[(s->turn + i) % places(s)];
		if (p->state == PLACE_BUSY || (p->alone && s->active && p->state == PLACE_HELD))
			continue;
		if (p->state == PLACE_FREE) {
			if (!waiting_next(&s->waiting, now_ms, &p->upload.name))
				continue;
			p->troubles = 0;
			p->stored = 0;
			p->alone = 0;
		}
		begin(s, p, now_ms);
		return 1;
	}
	return 0;
}

void ship_start(struct ship *s, int64_t now_ms)
{
	struct name n;

	if (!s->said[0] && waiting_repeat(&s->waiting, &n))
		acknowledge(s, &n);
	while (may_start(s, now_ms) && start_one(s, now_ms))
		;
}

void ship_finished(struct ship *s, const CURL *easy, CURLcode result, int64_t now_ms)
{
	for (unsigned i = 0; i < places(s); i++)
		if (s->place[i].upload.transfer.easy == easy) {
			settle(s, &s->place[i], upload_continue(&s->place[i].upload, result), 1, now_ms);
			return;
		}
}

void ship_dialed(struct ship *s, const struct dialed *d, int64_t now_ms)
{
	unsigned at = transfer_place(d->id);
	struct place *p = &s->place[at < places(s) ? at : 0];
	settle(s, p, upload_dialed(&p->upload, d), 1, now_ms);
}

static int place_turn(struct ship *s, struct place *p, int hash, int64_t now_ms)
{
	struct transfer *t = &p->upload.transfer;

	if (p->state != PLACE_BUSY)
		return 0;
	if (p->upload.hashing && hash) {
		settle(s, p, upload_hash(&p->upload), 0, now_ms);
		return 1;
	}
	if (t->paused && s->cap.room)
		transfer_resume(t);
	if (t->dialing && now_ms >= t->dial_due_ms) {
		struct dialed late = {.id = t->dial_id, .fd = -1, .why = "the dialer does not answer"};
		ship_dialed(s, &late, now_ms);
	}
	return 0;
}

int ship_turn(struct ship *s, int64_t now_ms)
{
	int more = waiting_turn(&s->waiting, now_ms), hashed = 0;

	for (unsigned i = 0; i < places(s); i++)
		hashed |= place_turn(s, &s->place[(s->turn + i) % places(s)], !hashed, now_ms);
	return more | hashed;
}

static unsigned held(const struct ship *s)
{
	unsigned n = 0;
	for (unsigned i = 0; i < places(s); i++)
		n += s->place[i].state == PLACE_HELD;
	return n;
}

/* When a free or held place could begin something, apart from the backoff. */
static int64_t startable_ms(const struct ship *s)
{
	int64_t first_ms = INT64_MAX;

	if (s->said[0] || s->active >= s->limit || giving_up(s) || (s->active && someone_alone(s)))
		return INT64_MAX;
	for (unsigned i = 0; i < places(s); i++) {
		const struct place *p = &s->place[i];
		if (p->state == PLACE_HELD && !(p->alone && s->active))
			return 0;
		if (p->state == PLACE_FREE)
			first_ms = waiting_wake_ms(&s->waiting);
	}
	return first_ms;
}

int64_t ship_wake_ms(const struct ship *s, int64_t now_ms)
{
	int64_t wake_ms = startable_ms(s);

	if (s->backoff.until_ms > wake_ms)
		wake_ms = s->backoff.until_ms;
	for (unsigned i = 0; i < places(s); i++) {
		const struct transfer *t = &s->place[i].upload.transfer;
		if (s->place[i].state != PLACE_BUSY)
			continue;
		if (s->place[i].upload.hashing)
			return 0;
		if (t->paused && now_ms + cap_wait_ms(&s->cap) < wake_ms)
			wake_ms = now_ms + cap_wait_ms(&s->cap);
		if (t->dialing && t->dial_due_ms < wake_ms)
			wake_ms = t->dial_due_ms;
	}
	return wake_ms;
}

int ship_done(const struct ship *s, int *code)
{
	const struct aside *aside = &s->waiting.aside;

	if (s->active || s->said[0])
		return 0;
	*code = EXIT_TEMPORARY;
	if (giving_up(s))
		return 1;
	if (held(s) || !waiting_over(&s->waiting))
		return 0;
	/* What failed for the server's sake is tried again as long as it takes, except with -1. */
	if (s->draining && !s->once && aside_count(aside, 1))
		return 0;
	*code = aside_count(aside, 0) ? EXIT_TEMPORARY : EXIT_OK;
	return 1;
}
