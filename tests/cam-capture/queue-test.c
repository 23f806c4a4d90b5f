#include "queue.h"
#include "sei.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>

enum { LIMIT = 100000, FRAMES = 20000 };

static uint64_t seed = 1;

static uint32_t below(uint32_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % n;
}

static struct au *unit(uint32_t number, int idr, size_t slice_bytes)
{
	static const uint8_t head[] = {0, 0, 1, 9, 0xf0, 0, 0, 1, 0x67, 1, 0, 0, 1, 0x68, 1, 0, 0, 1, 0x65};
	static uint8_t p[sizeof head + (size_t)LIMIT * 2];
	const struct stamp stamp = {.number = number};
	size_t aud = 5, sets = idr ? sizeof head - 4 - aud : 0;

	memcpy(p, head, aud + sets);
	memcpy(p + aud + sets, head + sizeof head - 4, 4);
	p[aud + sets + 3] = idr ? 0x65 : 0x41;
	memset(p + aud + sets + 4, 0xaa, slice_bytes);
	return au_make(p, aud + sets + 4 + slice_bytes, &stamp);
}

/* What is written, checked as it comes. */
struct output {
	uint32_t count, last, holes, frames_missing;
	int wrong_count, wrong_start, wrong_end, wrong_order;
	const uint8_t *was_idr; /* of every frame that was made */
};

static void output_take(struct output *o, struct queue *q)
{
	struct sei sei;
	struct au *au = queue_take(q);
	uint32_t expected = o->count ? o->last + 1 : 0, number = au->stamp.number;

	if (sei_parse(au->data + au->sei_at + 4, SEI_NAL_BYTES - 4, &sei) < 0 || sei.frame != number)
		o->wrong_count++;
	o->wrong_order += number < expected;
	if (number > expected) {
		o->holes++;
		o->frames_missing += number - expected;
		o->wrong_start += !o->was_idr[expected];
		o->wrong_end += !au->idr;
	}
	o->wrong_count += sei.dropped != o->frames_missing;
	o->count++;
	o->last = number;
	free(au);
}

static size_t memory(const struct queue *q)
{
	size_t n = 0;
	for (const struct au *au = q->head; au; au = au->next)
		n += queue_size(au);
	return n;
}

/* A camera and a reader that stalls, reads slowly, or reads everything, by turns. GOPs fit half of the queue.
 */
static void model(uint32_t slow, const char *what, int drops_expected)
{
	static uint8_t was_idr[FRAMES];
	struct output o = {.was_idr = was_idr};
	struct queue q;
	uint32_t in_gop = 0, gop = 10, mood = 0, needless = 0, above = 0, torn = 0, taken_size = 0;
	int writing = 0;

	queue_init(&q, LIMIT);
	for (uint32_t n = 0; n < FRAMES; n++) {
		int idr = in_gop == gop || n == 0 || queue_wants_idr(&q);
		if (idr) {
			in_gop = 0;
			gop = 1 + below(20);
		}
		was_idr[n] = (uint8_t)idr;
		in_gop++;
		struct au *au = unit(n, idr, below(LIMIT / 2 / 20 - 300));
		size_t size = queue_size(au), room = LIMIT - q.bytes;
		int was_dropping = q.dropping;
		if (!queue_push(&q, au))
			needless += !was_dropping && size <= room;
		above += q.bytes > LIMIT;
		torn += q.bytes != memory(&q) + (writing ? taken_size : 0);
		if (n % 200 == 0)
			mood = below(3);
		/* the reader: a take, and later the release of what was taken */
		for (uint32_t i = 0; i < (mood == 0 ? 0 : mood == 1 ? below(slow) : 1000); i++) {
			if (writing)
				queue_release(&q);
			writing = q.head != NULL;
			if (!writing)
				break;
			taken_size = (uint32_t)queue_size(q.head);
			output_take(&o, &q);
		}
	}
	uint32_t dropped = q.dropped, taken = q.taken;
	ok(!above && !torn, "%s: never above the limit, which counts what is there", what);
	ok(!needless, "%s: a hole begins only when something does not fit", what);
	ok(!o.wrong_order && !o.wrong_start && !o.wrong_end,
	        "%s: %u holes, each from an IDR picture to an IDR picture", what, o.holes);
	ok(!o.wrong_count, "%s: each message counts the %u frames missing before it", what, o.frames_missing);
	ok(taken == o.count && FRAMES == taken + dropped + q.waiting,
	        "%s: every frame is taken, dropped or waiting", what);
	ok(drops_expected == (o.holes > 5), "%s: %u of %u frames written", what, o.count, FRAMES);
	queue_clear(&q);
}

static struct queue q;

static void fill(uint32_t from, uint32_t to, uint32_t idr_every, size_t bytes)
{
	for (uint32_t n = from; n < to; n++)
		queue_push(&q, unit(n, n % idr_every == 0, bytes));
}

static uint32_t take(void)
{
	struct au *au = queue_take(&q);
	uint32_t number = au ? au->stamp.number : UINT32_MAX;
	free(au);
	return number;
}

int main(void)
{
	model(2, "slow reader", 1);
	model(6, "reader with stalls", 1);

	queue_init(&q, LIMIT);
	uint32_t lost = 0;
	for (uint32_t n = 0; n < 1000; n++) {
		lost += !queue_push(&q, unit(n, n % 10 == 0, 8000));
		take();
		queue_release(&q);
	}
	ok(!lost && q.dropped == 0 && q.bytes == 0, "a reader that keeps up misses nothing");
	queue_clear(&q);

	/* ten of about 9 kB fit: the third GOP of four overflows, and goes with what is queued of it */
	fill(0, 12, 4, 9000);
	ok(q.dropping && q.waiting == 8 && q.hole == 8 && q.dropped == 4,
	        "the GOP that does not fit is dropped whole");
	ok(!queue_wants_idr(&q), "no IDR picture is asked for while more than half is full");
	queue_push(&q, unit(12, 1, 100));
	ok(q.waiting == 8 && q.dropping, "nor taken when one comes");
	while (q.bytes > LIMIT / 2) {
		take();
		queue_release(&q);
	}
	ok(queue_wants_idr(&q), "one is asked for when half is free");
	queue_push(&q, unit(13, 0, 100));
	ok(q.dropping && q.dropped == 6, "another picture does not end the hole");
	queue_push(&q, unit(14, 1, 100));
	ok(!q.dropping && q.dropped == 6 && !queue_wants_idr(&q), "the IDR picture does");
	queue_clear(&q);

	/* a GOP of which the reader has the beginning and that does not fit */
	fill(0, 5, 1000, 9000);
	take();
	queue_release(&q);
	fill(5, 30, 1000, 9000);
	uint32_t waiting = (uint32_t)q.waiting, n = 1;
	for (; q.waiting && take() == n; n++)
		queue_release(&q);
	ok(waiting >= 10 && n == waiting + 1, "a GOP larger than the queue is cut after what fits");
	queue_push(&q, unit(30, 1, 100));
	ok(take() == 30 && q.dropped == 30 - n, "and goes on with the next");
	queue_clear(&q);

	/* the same, but its beginning is still there, now at the head */
	fill(0, 2, 1, 100);
	take();
	queue_release(&q);
	fill(2, 30, 1000, 9000);
	ok(q.dropping && q.hole == 1 && !q.head && !q.bytes && q.dropped == 29,
	        "unless all of it is still in the queue");
	queue_push(&q, unit(30, 1, 100));
	ok(take() == 30 && !q.head, "and it goes on with the next");
	queue_clear(&q);

	ok(queue_push(&q, unit(0, 1, LIMIT + 1)) && q.waiting == 1,
	        "an empty queue takes an access unit above the limit");
	ok(!queue_push(&q, unit(1, 0, 1)), "and then no other");
	queue_clear(&q);

	fill(0, 6, 4, 100);
	queue_lost(&q, 6);
	ok(q.dropping && q.waiting == 4 && q.dropped == 3, "a frame that got lost takes its GOP along");
	queue_push(&q, unit(7, 0, 100));
	queue_push(&q, unit(8, 1, 100));
	ok(!q.dropping && q.dropped == 4 && q.waiting == 5, "up to the next");
	queue_clear(&q);
	return tap_done();
}
