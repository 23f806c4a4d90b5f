#include "incoming.h"
#include "le.h"
#include "stream.h"
#include "tap.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 1 << 20 };

/* What came out: the bytes of accepted records, where each event was, and what was told of gaps. */
struct outcome {
	uint8_t *bytes;
	size_t n;
	unsigned headers, data, checkpoints, ends, gaps, missing;
	struct incoming_gap sum;
};

static struct outcome now, whole;

static void outcome_clear(struct outcome *o)
{
	uint8_t *keep = o->bytes ? o->bytes : malloc(ROOM);
	*o = (struct outcome){.bytes = keep};
}

static void pull_all(struct incoming *in, struct outcome *o, bool final)
{
	enum incoming_event e;

	while ((e = incoming_pull(in, final)) != INCOMING_MORE) {
		if (e == INCOMING_GAP) {
			o->gaps++;
			o->sum.bytes += in->told.bytes;
			o->sum.strangers += in->told.strangers;
			o->sum.repeated += in->told.repeated;
			o->sum.refused += in->told.refused;
			o->sum.torn += in->told.torn;
			o->sum.versions += in->told.versions;
			o->sum.version = in->told.version;
			continue;
		}
		o->headers += e == INCOMING_HEADER;
		o->data += e == INCOMING_DATA;
		o->checkpoints += e == INCOMING_CHECKPOINT;
		o->ends += e == INCOMING_END;
		o->missing += in->missing;
		memcpy(o->bytes + o->n, in->record, in->record_bytes);
		o->n += in->record_bytes;
	}
}

static void feed(struct incoming *in, struct outcome *o, const uint8_t *p, size_t n, size_t step)
{
	while (n) {
		size_t room, k;
		uint8_t *to = incoming_room(in, &room);
		k = room < step ? room : step;
		k = k < n ? k : n;
		memcpy(to, p, k);
		incoming_pushed(in, k);
		p += k;
		n -= k;
		pull_all(in, o, false);
	}
}

static void run(struct outcome *o, const uint8_t *p, size_t n, size_t step)
{
	static struct incoming in;

	memset(&in, 0, sizeof in);
	outcome_clear(o);
	feed(&in, o, p, n, step);
	pull_all(&in, o, true);
}

static bool same(const struct outcome *a, const struct outcome *b)
{
	return a->n == b->n && memcmp(a->bytes, b->bytes, a->n) == 0 && a->headers == b->headers &&
	       a->data == b->data && a->checkpoints == b->checkpoints && a->ends == b->ends &&
	       a->gaps == b->gaps && a->sum.bytes == b->sum.bytes;
}

/* A small segment: header, data of these sizes with a checkpoint after every third, end. */
static const size_t sizes[] = {400, 1, 60, 200, 33, 90, 77};
static uint8_t one[ROOM], two[ROOM], mixed[ROOM];
static size_t at[32], records; /* where each record of the segment made last begins, and the end */

static size_t segment(struct stream *s, uint8_t *p)
{
	uint8_t content[RECORD_PAYLOAD_BYTES_MAX];
	size_t n;

	records = 0;
	at[records++] = 0;
	n = stream_header(s, p, 1);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		randombytes_buf(content, sizes[i]);
		at[records++] = n;
		n += stream_data(s, p + n, content, sizes[i]);
		if (i % 3 == 2) {
			at[records++] = n;
			n += stream_checkpoint(s, p + n);
		}
	}
	at[records++] = n;
	n += stream_end(s, p + n);
	at[records] = n;
	return n;
}

static void pieces(struct stream *s)
{
	size_t n = 0, same_steps = 0;
	static const size_t steps[] = {1, 2, 3, 7, 23, 24, 25, 1000, 4095, 4096, 4097, 8191};
	uint8_t big[RECORD_PAYLOAD_BYTES_MAX];

	for (int i = 0; i < 3; i++)
		n += segment(s, one + n);
	n += stream_header(s, one + n, RECORD_RECIPIENTS_MAX);
	for (int i = 0; i < 9; i++) {
		randombytes_buf(big, sizeof big);
		n += stream_data(s, one + n, big, sizeof big);
	}
	n += stream_end(s, one + n);
	run(&whole, one, n, SIZE_MAX);
	ok(whole.headers == 4 && whole.ends == 4 && whole.data == 30 && whole.checkpoints == 6,
	        "all records of four segments");
	ok(whole.n == n && memcmp(whole.bytes, one, n) == 0 && !whole.gaps && !whole.missing,
	        "byte for byte, without a gap");
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		run(&now, one, n, steps[i]);
		same_steps += same(&now, &whole);
	}
	ok(same_steps == sizeof steps / sizeof *steps, "the same in pieces of any size");
	/* taking what is wanted: every record comes out before a byte of the next one is asked for */
	static struct incoming in;
	size_t taken = 0, exact = 0, room;
	memset(&in, 0, sizeof in);
	outcome_clear(&now);
	while (taken < n) {
		unsigned before = now.headers + now.data + now.checkpoints + now.ends;
		size_t wants = incoming_wants(&in);
		memcpy(incoming_room(&in, &room), one + taken, wants);
		incoming_pushed(&in, wants);
		taken += wants;
		pull_all(&in, &now, false);
		exact += now.headers + now.data + now.checkpoints + now.ends > before && now.n == taken;
	}
	ok(same(&now, &whole), "the same when only what is wanted is taken");
	ok(exact > 30, "then (nearly) no record waits for the next one (%zu of 44)", exact);
}

static void garbage(struct stream *s)
{
	static uint8_t junk[5000];
	size_t n = segment(s, one), good = 0, told = 0, tried = 0;

	for (size_t k = 0; k <= records; k++)
		for (size_t j = 1; j < sizeof junk; j = j * 3 + 1) {
			randombytes_buf(junk, sizeof junk);
			junk[0] = 0xc5;
			memcpy(mixed, one, at[k]);
			memcpy(mixed + at[k], junk, j);
			memcpy(mixed + at[k] + j, one + at[k], n - at[k]);
			run(&now, mixed, n + j, j % 2 ? 1 : 4096);
			good += now.n == n && memcmp(now.bytes, one, n) == 0;
			told += now.gaps == 1 && now.sum.bytes == j;
			tried++;
		}
	ok(good == tried, "garbage between records costs no record (%zu of %zu)", good, tried);
	ok(told == tried, "and each is told as one gap of its size (%zu)", told);
}

/* A splice: the first part of one segment, then a whole other one. Nothing of the other may be lost. */
static void splices(struct stream *s)
{
	size_t n = segment(s, one), m = segment(s, two), kept = 0, exact = 0, ordered = 0;
	size_t ends[32];

	memcpy(ends, at, sizeof ends);
	for (size_t cut = 0; cut <= n; cut++) {
		size_t before = 0;
		memcpy(mixed, one, cut);
		memcpy(mixed + cut, two, m);
		run(&now, mixed, cut + m, cut % 3 ? 1 + cut % 97 : SIZE_MAX);
		while (before < records && ends[before + 1] <= cut)
			before++;
		kept += now.n >= m && memcmp(now.bytes + now.n - m, two, m) == 0;
		exact += now.n == ends[before] + m && memcmp(now.bytes, one, ends[before]) == 0;
		ordered += now.sum.bytes == cut - ends[before];
	}
	ok(kept == n + 1, "cut off at any of %zu offsets: the next segment is whole", n + 1);
	ok(exact == n + 1, "and so are the whole records before the cut (%zu)", exact);
	ok(ordered == n + 1, "and all other bytes are counted (%zu)", ordered);
}

/* 100 bytes missing in the middle of one segment: all before them comes out, and what verifies behind them.
 */
static void holes(struct stream *s)
{
	size_t n = segment(s, one), hole = 100, before = 0, ended = 0, tried = 0, nothing = 0;

	for (size_t cut = 1; cut + hole <= at[records - 1]; cut++) {
		size_t k = 0;
		memcpy(mixed, one, cut);
		memcpy(mixed + cut, one + cut + hole, n - cut - hole);
		run(&now, mixed, n - hole, 50 + cut % 512);
		nothing += now.n == 0 && now.sum.bytes == n - hole;
		if (cut < at[1]) /* the header is damaged: nothing can be opened */
			continue;
		while (at[k + 1] <= cut)
			k++;
		before += now.n >= at[k] && memcmp(now.bytes, one, at[k]) == 0;
		ended += now.ends == 1;
		tried++;
	}
	ok(nothing == at[1] - 1, "a hole in the header: nothing is taken");
	ok(before == tried, "behind it: all whole records before the hole are (%zu of %zu)", before, tried);
	ok(ended == tried, "and the end record ends the segment (%zu)", ended);
}

static void truncated(struct stream *s)
{
	size_t n = segment(s, one), fine = 0;

	for (size_t cut = 0; cut <= n; cut++) {
		size_t k = 0;
		run(&now, one, cut, 1000);
		while (k < records && at[k + 1] <= cut)
			k++;
		fine += now.n == at[k] && memcmp(now.bytes, one, at[k]) == 0 && now.sum.bytes == cut - at[k];
	}
	ok(fine == n + 1, "truncated at any offset: the whole records before it, the rest counted");
}

/* Payload that looks like records: a header that verifies, inside data. */
static void false_sync(struct stream *s)
{
	struct stream other;
	uint8_t payload[RECORD_BYTES_MAX], plain[RECORD_BYTES_MAX];
	size_t n, m;

	stream_init(&other, 99, 9, 0);
	m = stream_header(&other, payload, 1);
	n = stream_header(s, one, 1);
	for (int i = 0; i < 4; i++) {
		size_t k = stream_data(s, plain, payload, m);
		memcpy(plain + 25, payload, m); /* as if it were not encrypted */
		memcpy(one + n, plain, k);
		n += k;
	}
	n += stream_end(s, one + n);
	run(&now, one, n, 1);
	/* The last one is followed by the end: the next number, so it is taken. */
	ok(now.n == n && memcmp(now.bytes, one, n) == 0 && now.headers == 1, "a header inside data is data");
	run(&whole, one, n, SIZE_MAX);
	ok(same(&now, &whole), "in pieces too");
	stream_free(&other);
}

static void numbers(struct stream *s)
{
	size_t n = segment(s, one), m;

	/* repeated: the first three records of the segment come again */
	memcpy(mixed, one, at[3]);
	memcpy(mixed + at[3], one + at[1], at[3] - at[1]);
	memcpy(mixed + 2 * at[3] - at[1], one + at[3], n - at[3]);
	run(&now, mixed, n + at[3] - at[1], 1);
	ok(now.n == n && now.sum.repeated == 2 && now.gaps == 1,
	        "records that come again are told, not taken");
	/* a gap of whole records */
	memcpy(mixed, one, at[2]);
	memcpy(mixed + at[2], one + at[4], n - at[4]);
	run(&now, mixed, n - (at[4] - at[2]), 1);
	ok(now.missing == 2 && now.ends == 1 && !now.gaps, "missing records are counted");
	/* a data record whose number is damaged: believed, it would hide all that follows */
	memcpy(mixed, one, n);
	le_put32(mixed + at[2] + 20, 0x7fffffff);
	run(&now, mixed, n, 1);
	ok(now.ends == 1 && now.sum.torn == 1 && now.n == n - (at[3] - at[2]),
	        "a damaged number costs its record only");
	/* the same segment's header again does not begin it again */
	memcpy(mixed, one, at[3]);
	memcpy(mixed + at[3], one, n);
	run(&now, mixed, at[3] + n, 77);
	ok(now.headers == 1 && now.n == n && now.sum.repeated == 3,
	        "nor does a repeated header open the segment again");
	m = segment(s, two);
	memcpy(mixed, two + at[1], m - at[1]);
	run(&now, mixed, m - at[1], 1);
	ok(now.n == 0 && now.sum.strangers == records - 1 && now.gaps == 1,
	        "without the header nothing is taken, one telling");
	memcpy(mixed + m - at[1], one + at[1], n - at[1]);
	run(&now, mixed, n + m - 2 * at[1], 1);
	ok(now.n == 0 && now.gaps == 2, "records of two such segments are told apart");
}

static void forged(struct stream *s)
{
	size_t n = segment(s, one), marks = 0, good = 0;

	for (size_t k = 0; k < records; k++) {
		size_t length = at[k + 1] - at[k];
		if (one[at[k] + 5] == RECORD_DATA)
			continue;
		for (size_t i = 24; i < length; i += 5) {
			memcpy(mixed, one, n);
			mixed[at[k] + i] ^= 1;
			run(&now, mixed, n, 4096);
			marks++;
			good += k == 0 ? now.n == 0 && now.sum.refused == 1
			               : now.n == n - length && now.sum.refused == 1;
		}
	}
	ok(good == marks, "of %zu damaged headers and marks none is taken", marks);
	memcpy(mixed, one, n);
	mixed[at[2] + 4] = 2;
	run(&now, mixed, n, 1);
	ok(now.sum.versions == 1 && now.sum.version == 2 && now.ends == 1,
	        "an unknown version is skipped and named");
}

/* Whatever the bytes are, all are either taken or counted, in any pieces. */
static void random_damage(struct stream *s)
{
	size_t n = segment(s, one), counted = 0, alike = 0, tries = 400;

	n += segment(s, one + n);
	for (size_t t = 0; t < tries; t++) {
		memcpy(mixed, one, n);
		for (unsigned i = randombytes_uniform(8); i; i--)
			mixed[randombytes_uniform((uint32_t)n)] = (uint8_t)randombytes_uniform(256);
		size_t from = randombytes_uniform((uint32_t)n), to = randombytes_uniform((uint32_t)n);
		size_t len = randombytes_uniform((uint32_t)(n - (from > to ? from : to)));
		if (t % 2)
			memmove(mixed + to, mixed + from, len);
		run(&whole, mixed, n, SIZE_MAX);
		run(&now, mixed, n, 1 + t % 50);
		counted += now.n + now.sum.bytes == n;
		alike += same(&now, &whole);
	}
	ok(counted == tries, "damage: every byte is taken or counted (%zu)", counted);
	ok(alike == tries, "and the pieces do not matter (%zu)", alike);
}

int main(void)
{
	struct stream s;

	if (sodium_init() < 0)
		return 1;
	stream_init(&s, 1, 1, 1767225600000000000);
	pieces(&s);
	garbage(&s);
	splices(&s);
	holes(&s);
	truncated(&s);
	false_sync(&s);
	numbers(&s);
	forged(&s);
	random_damage(&s);
	stream_free(&s);
	free(now.bytes);
	free(whole.bytes);
	return tap_done();
}
