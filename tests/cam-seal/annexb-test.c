/* annexb: every byte comes out once and in order however it is cut into pushes; access units begin where
 * H.264 says; what a killed cam-capture left behind is torn, and nothing else is. */
#include "annexb.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>

enum { STREAM_BYTES_MAX = 1 << 20, UNITS_MAX = 4096 };

/* --- what comes out --- */

struct unit {
	size_t from, to;
	int torn, picture, ended;
	struct annexb_head head;
};

static struct out {
	uint8_t *bytes;
	size_t n;
	struct unit unit[UNITS_MAX];
	unsigned units;
	int open, faults; /* bytes outside of a unit, begin in an open one, ... */
} out, all_at_once;

static int on_begin(void *ctx, const struct annexb_head *head)
{
	struct out *o = ctx;
	if (o->open || o->units == UNITS_MAX) {
		o->faults++;
		return -1;
	}
	o->open = 1;
	o->unit[o->units++] = (struct unit){.from = o->n, .to = o->n, .head = *head};
	return 0;
}

static int on_bytes(void *ctx, const uint8_t *p, size_t n)
{
	struct out *o = ctx;
	if (!o->open || !n || o->n + n > STREAM_BYTES_MAX) {
		o->faults++;
		return -1;
	}
	memcpy(o->bytes + o->n, p, n);
	o->n += n;
	o->unit[o->units - 1].to = o->n;
	return 0;
}

static int on_end(void *ctx, int torn, int picture)
{
	struct out *o = ctx;
	if (!o->open)
		o->faults++;
	else
		o->unit[o->units - 1].torn = torn, o->unit[o->units - 1].picture = picture,
		                   o->unit[o->units - 1].ended = 1;
	o->open = 0;
	return 0;
}

static void out_reset(struct out *o)
{
	uint8_t *bytes = o->bytes ? o->bytes : malloc(STREAM_BYTES_MAX);
	memset(o, 0, sizeof *o);
	o->bytes = bytes;
}

/* --- what goes in: one stream that is put together NAL unit by NAL unit --- */

static struct in {
	uint8_t bytes[STREAM_BYTES_MAX];
	size_t n;
} in;

static uint64_t seed = 1;

static unsigned rnd(unsigned below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % below;
}

static void put(const void *p, size_t n)
{
	memcpy(in.bytes + in.n, p, n);
	in.n += n;
}

/* A NAL unit: header byte, then n bytes: `first`, and filling in which no start code occurs. */
static void nal(int long_code, uint8_t header, uint8_t first, size_t n)
{
	put(&"\0\0\0\1"[long_code ? 0 : 1], long_code ? 4 : 3);
	put(&header, 1);
	if (n)
		put(&first, 1);
	for (size_t i = 1; i < n; i++) {
		uint8_t b = (uint8_t)(1 + rnd(255));
		if (i + 4 < n && rnd(20) == 0) {
			put("\0\0\3", 3); /* as the encoder escapes zeros */
			i += 3;
		}
		put(&b, 1);
	}
}

/* idr: with parameter sets; sei: with cam-capture's message, frame number and an error in its size. */
struct make {
	int aud, idr, slices, sei, short_codes;
	uint32_t frame;
	int size_error;
	size_t slice_bytes;
};

static void unit_make(struct make m)
{
	uint8_t message[SEI_NAL_BYTES];
	size_t at = 0;

	if (m.aud)
		nal(1, 9, 0xf0, 1);
	if (m.idr) {
		nal(1, 0x67, 0x64, 12);
		nal(1, 0x68, 0xee, 4);
	}
	if (m.sei) {
		at = in.n;
		put(message, sizeof message);
	}
	for (int i = 0; i < m.slices; i++)
		nal(!m.short_codes, m.idr ? 0x65 : 0x41, i ? 0x45 : 0x88,
		        m.slice_bytes ? m.slice_bytes : 40 + rnd(80));
	if (m.sei) {
		struct sei s = {.frame = m.frame,
		        .utc_ns = 5,
		        .rest_bytes = (uint32_t)((long)(in.n - at - sizeof message) + m.size_error)};
		sei_put(message, &s);
		memcpy(in.bytes + at, message, sizeof message);
	}
}

/* --- running it --- */

static struct annexb annexb;

/* chunk 0: all at once; n: n bytes at a time; negative: 1 to -n at random. */
static void run(struct out *o, const uint8_t *p, size_t n, int chunk)
{
	out_reset(o);
	annexb_init(&annexb, &(struct annexb_sink){o, on_begin, on_bytes, on_end});
	while (n) {
		size_t take = !chunk ? n : chunk > 0 ? (size_t)chunk : 1 + rnd((unsigned)-chunk);
		if (take > n)
			take = n;
		if (annexb_push(&annexb, p, take) < 0)
			o->faults++;
		p += take;
		n -= take;
	}
	if (annexb_finish(&annexb) < 0 || o->open)
		o->faults++;
}

static int same_bytes(const struct out *o, const uint8_t *p, size_t n)
{
	return !o->faults && o->n == n && memcmp(o->bytes, p, n) == 0;
}

static int same_units(const struct out *a, const struct out *b)
{
	if (a->units != b->units)
		return 0;
	for (unsigned i = 0; i < a->units; i++) {
		const struct unit *x = &a->unit[i], *y = &b->unit[i];
		if (x->from != y->from || x->to != y->to || x->torn != y->torn || x->picture != y->picture ||
		        x->head.idr != y->head.idr || x->head.has_sps != y->head.has_sps ||
		        x->head.has_pps != y->head.has_pps || x->head.has_sei != y->head.has_sei)
			return 0;
	}
	return 1;
}

static unsigned torn_count(const struct out *o)
{
	unsigned n = 0;
	for (unsigned i = 0; i < o->units; i++)
		n += o->unit[i].torn != 0;
	return n;
}

static void chunkings_agree(const char *what)
{
	static const int chunk[] = {1, 2, 3, 5, 4096, -7, -300, -70000};
	unsigned exact = 0, agree = 0;

	run(&all_at_once, in.bytes, in.n, 0);
	for (size_t i = 0; i < sizeof chunk / sizeof *chunk; i++) {
		run(&out, in.bytes, in.n, chunk[i]);
		exact += same_bytes(&out, in.bytes, in.n);
		agree += same_units(&out, &all_at_once);
	}
	ok(same_bytes(&all_at_once, in.bytes, in.n) && exact == 8, "%s: %zu bytes come out as they went in",
	        what, in.n);
	ok(agree == 8, "%s: %u units, the same for each chunking", what, all_at_once.units);
}

/* --- access units --- */

static void boundaries(struct make m, const char *what)
{
	size_t at[31];
	unsigned right = 0;

	in.n = 0;
	for (unsigned i = 0; i < 30; i++) {
		at[i] = in.n;
		m.idr = i % 10 == 0;
		m.frame = i;
		unit_make(m);
	}
	at[30] = in.n;
	chunkings_agree(what);
	for (unsigned i = 0; i < 30 && all_at_once.units == 30; i++) {
		const struct unit *u = &all_at_once.unit[i];
		right += u->from == at[i] && u->to == at[i + 1] && u->head.idr == (i % 10 == 0) &&
		         u->head.has_sps == u->head.idr && u->head.has_pps == u->head.idr &&
		         u->head.has_sei == m.sei && u->picture && !u->torn &&
		         (!m.sei || u->head.sei.frame == i);
	}
	ok(right == 30, "%s: %u of 30 access units begin and end where they should, with their flags", what,
	        right);
}

static void units(void)
{
	boundaries((struct make){.aud = 1, .slices = 1}, "delimiters");
	boundaries((struct make){.aud = 1, .slices = 4}, "delimiters and four slices");
	boundaries((struct make){.slices = 1}, "first_mb_in_slice is 0");
	boundaries((struct make){.slices = 4}, "first_mb_in_slice and four slices");
	boundaries((struct make){.slices = 3, .short_codes = 1}, "short start codes");
	boundaries((struct make){.aud = 1, .slices = 2, .sei = 1}, "cam-capture's message");
	boundaries((struct make){.slices = 2, .sei = 1}, "cam-capture's message without delimiters");

	/* other NAL units that begin an access unit once a slice has been seen, and some that do not */
	static const struct {
		uint8_t header;
		int begins;
	} type[] = {{6, 1}, {0x67, 1}, {0x68, 1}, {9, 1}, {14, 1}, {15, 1}, {18, 1}, {12, 0}, {10, 0},
	        {11, 0}, {13, 0}, {19, 0}, {20, 0}, {3, 0}, {4, 0}};
	unsigned right = 0, n = sizeof type / sizeof *type;
	for (unsigned i = 0; i < n; i++) {
		in.n = 0;
		unit_make((struct make){.slices = 1, .idr = 1});
		size_t at = in.n;
		nal(1, type[i].header, 0x11, 6);
		run(&out, in.bytes, in.n, 1);
		right += same_bytes(&out, in.bytes, in.n) &&
		         (type[i].begins ? out.units == 2 && out.unit[1].from == at : out.units == 1);
	}
	ok(right == n, "%u of %u types of NAL unit after a slice begin an access unit, or do not", right, n);
}

static void oddities(void)
{
	in.n = 0;
	for (int i = 0; i < 10; i++) {
		unit_make((struct make){.idr = i == 0, .slices = 1, .aud = 1});
		put("\0\0\0\0\0\0\0", 1 + rnd(7));
	}
	chunkings_agree("trailing zeros");
	ok(all_at_once.units == 10 && !torn_count(&all_at_once),
	        "trailing zeros belong to the access unit before");

	in.n = 0;
	put("\0\0\2garbage\1\0\0", 12);
	size_t at = in.n;
	for (int i = 0; i < 5; i++)
		unit_make((struct make){.idr = i == 0, .slices = 1, .aud = 1});
	chunkings_agree("leading garbage");
	ok(all_at_once.units == 6 && !all_at_once.unit[0].picture && all_at_once.unit[1].from == at &&
	                all_at_once.unit[1].head.idr,
	        "leading garbage is a unit of its own");

	in.n = 0;
	put("garbage", 7);
	at = in.n;
	unit_make((struct make){.idr = 1, .slices = 1});
	run(&out, in.bytes, in.n, 1);
	ok(same_bytes(&out, in.bytes, in.n) && out.units == 2 && out.unit[1].from == at &&
	                out.unit[1].head.idr,
	        "without a delimiter behind it too");

	in.n = 300000;
	memset(in.bytes, 0, in.n);
	chunkings_agree("nothing but zeros");
	for (size_t i = 0; i < in.n; i++)
		in.bytes[i] = (uint8_t)rnd(256);
	chunkings_agree("random bytes");
	for (size_t i = 0; i < in.n; i++)
		in.bytes[i] = (uint8_t)(rnd(3) ? 0 : rnd(10));
	in.n = 20000; /* thousands of units */
	chunkings_agree("start codes everywhere");

	in.n = 0;
	nal(1, 0x67, 0x64, 12);
	nal(1, 6, 5, 200000); /* much more than is held back */
	nal(1, 0x65, 0x88, 50);
	unit_make((struct make){.slices = 1});
	chunkings_agree("a message of 200 kB before the slice");
	ok(all_at_once.units == 2 && all_at_once.unit[0].picture, "is one access unit with its slice");

	in.n = 0;
	unit_make((struct make){.idr = 1, .slices = 2, .slice_bytes = 400000, .aud = 1});
	unit_make((struct make){.slices = 1, .aud = 1});
	chunkings_agree("large slices");
	in.n = 0;
	run(&out, in.bytes, 0, 0);
	ok(!out.units && !out.faults, "nothing in, nothing out");
}

/* --- when it comes out --- */

static void latency(void)
{
	unsigned at_once = 0, complete = 0;
	size_t at = 0;

	in.n = 0;
	out_reset(&out);
	annexb_init(&annexb, &(struct annexb_sink){&out, on_begin, on_bytes, on_end});
	for (uint32_t i = 0; i < 10; i++) {
		unit_make((struct make){.idr = i == 0, .slices = 2, .aud = 1, .sei = 1, .frame = i});
		annexb_push(&annexb, in.bytes + at, in.n - at - 1);
		at_once += out.units == i + 1 && out.open && annexb_incomplete(&annexb) &&
		           !annexb_waits_for_silence(&annexb);
		annexb_push(&annexb, in.bytes + in.n - 1, 1);
		at_once += !out.open && out.n == in.n && out.unit[i].ended && !annexb_incomplete(&annexb);
		at = in.n;
	}
	ok(at_once == 20, "an access unit with an announced size ends with its last byte, not before");

	in.n = 0;
	out_reset(&out);
	annexb_init(&annexb, &(struct annexb_sink){&out, on_begin, on_bytes, on_end});
	for (unsigned i = 0; i < 10; i++) {
		at = in.n;
		unit_make((struct make){.idr = i == 0, .slices = 2});
		annexb_push(&annexb, in.bytes + at, in.n - at);
		complete += out.open && annexb_waits_for_silence(&annexb);
		annexb_silence(&annexb);
		complete += !out.open && out.n == in.n && out.units == i + 1 &&
		            !annexb_waits_for_silence(&annexb);
	}
	ok(complete == 20, "one without is complete after a silence");

	/* a pause in the middle of a slice: the rest of it is not taken into the next access unit */
	in.n = 0;
	unit_make((struct make){.idr = 1, .slices = 1});
	size_t first = in.n;
	unit_make((struct make){.idr = 1, .slices = 1});
	out_reset(&out);
	annexb_init(&annexb, &(struct annexb_sink){&out, on_begin, on_bytes, on_end});
	annexb_push(&annexb, in.bytes, first - 20);
	annexb_silence(&annexb);
	annexb_push(&annexb, in.bytes + first - 20, in.n - first + 20);
	annexb_finish(&annexb);
	ok(same_bytes(&out, in.bytes, in.n) && out.units == 3 && out.unit[2].from == first &&
	                out.unit[2].head.idr && !out.unit[1].picture,
	        "the rest of a slice after a pause stays before the next access unit");
}

/* --- torn access units --- */

/* Three access units, of the fourth the first `cut` bytes, then five that begin at frame `next`. *from..*to
 * is where the cut one stands. */
static void cut_make(int idr, size_t cut, uint32_t next, size_t *from, size_t *to, size_t *whole)
{
	seed = 77;
	in.n = 0;
	for (uint32_t i = 0; i < 3; i++)
		unit_make((struct make){.aud = 1, .idr = i == 0, .slices = 2, .sei = 1, .frame = i});
	*from = in.n;
	unit_make((struct make){.aud = 1, .idr = idr, .slices = 2, .sei = 1, .frame = 3});
	*whole = in.n - *from;
	in.n = *to = *from + (cut < *whole ? cut : *whole);
	for (uint32_t i = 0; i < 5; i++)
		unit_make((struct make){.aud = 1, .idr = i == 0, .slices = 2, .sei = 1, .frame = next + i});
}

/* Exactly in.bytes[from..to) is torn. Up to three zeros are nothing but a longer start code. */
static int torn_exactly(size_t from, size_t to, int want)
{
	if (!same_bytes(&out, in.bytes, in.n))
		return 0;
	if (!want)
		return !torn_count(&out);
	for (unsigned i = 0; i < out.units; i++)
		if (out.unit[i].torn && (out.unit[i].from != from || out.unit[i].to != to))
			return 0;
	return torn_count(&out) == 1;
}

static void torn(int idr)
{
	static const int chunk[] = {0, 1, -9};
	size_t from, to, whole = 1, cut, right = 0, untorn = 0, counted = 0;

	for (cut = 0; cut <= whole; cut++) {
		for (unsigned c = 0; c < 3; c++) {
			cut_make(idr, cut, 0, &from, &to, &whole);
			run(&out, in.bytes, in.n, chunk[c]);
			right += torn_exactly(from, to, cut > 3 && cut < whole);
			unsigned pictures = 0;
			for (unsigned i = 0; i < out.units; i++)
				pictures += out.unit[i].picture && !out.unit[i].torn;
			counted += pictures == 8u + (cut == whole);
			cut_make(idr, cut, 4, &from, &to, &whole);
			run(&out, in.bytes, in.n, chunk[c]);
			untorn += torn_exactly(from, to, 0);
		}
	}
	ok(right == 3 * cut,
	        "%s cut after each of %zu bytes, camera restarted: that one is torn, nothing else (%zu of "
	        "%zu)",
	        idr ? "an IDR access unit" : "an access unit", whole, right, 3 * cut);
	ok(counted == 3 * cut, "and all others are whole");
	ok(untorn == 3 * cut, "the same where the frame numbers go on: nothing is torn");
}

static void torn_more(void)
{
	size_t from, to, whole, right = 0;

	/* the end of the stream, after each byte */
	cut_make(0, 1000, 0, &from, &to, &whole);
	for (size_t cut = 0; cut <= whole; cut++) {
		run(&out, in.bytes, from + cut, 0);
		right += same_bytes(&out, in.bytes, from + cut) &&
		         torn_count(&out) == (cut > 4 && cut < whole);
	}
	ok(right == whole + 1, "cut by the end of the stream: %zu of %zu right", right, whole + 1);

	/* killed again and again */
	in.n = 0;
	unsigned cuts = 0;
	for (unsigned i = 0; i < 40; i++) {
		for (uint32_t k = 0; k < 1 + i % 4; k++)
			unit_make((struct make){.aud = 1, .idr = k == 0, .slices = 1, .sei = 1, .frame = k});
		if (i % 3 && i < 39) { /* of an access unit that has its message */
			in.n -= 30;
			cuts++;
		}
	}
	run(&out, in.bytes, in.n, -50);
	ok(same_bytes(&out, in.bytes, in.n) && torn_count(&out) == cuts,
	        "forty restarts, %u of them in an access unit: %u torn", cuts, torn_count(&out));
}

static void wrong_sizes(void)
{
	for (int aud = 0; aud < 2; aud++) {
		unsigned right = 0, pictures_min = 100;
		for (int error = -8; error <= 8; error++) {
			if (!error)
				continue;
			in.n = 0;
			for (uint32_t i = 0; i < 40; i++)
				unit_make((struct make){.aud = aud,
				        .idr = i % 10 == 0,
				        .slices = 2,
				        .sei = 1,
				        .frame = i,
				        .size_error = error});
			for (int chunk = -60; chunk <= 1; chunk += 61) {
				run(&out, in.bytes, in.n, chunk);
				unsigned idrs = 0;
				for (unsigned i = 0; i < out.units; i++)
					idrs += out.unit[i].head.idr;
				right += same_bytes(&out, in.bytes, in.n) && !torn_count(&out) && idrs >= 3;
				if (out.units < pictures_min)
					pictures_min = out.units;
			}
		}
		ok(right == 32,
		        "announced sizes wrong by 1 to 8 bytes, %s: nothing is torn, IDRs are found (%u of "
		        "32)",
		        aud ? "delimiters" : "no delimiters", right);
		ok(pictures_min >= 38, "and the other access units are still told apart (at least %u of 40)",
		        pictures_min);
	}
}

/* Right at first, then rewritten by somebody: from the first wrong size on none is believed, to the end. */
static void wrong_later(void)
{
	unsigned right = 0;
	for (int error = 1; error <= 8; error++) {
		in.n = 0;
		for (uint32_t i = 0; i < 12; i++)
			unit_make((struct make){.aud = 1,
			        .idr = i % 10 == 0,
			        .slices = 2,
			        .sei = 1,
			        .frame = i,
			        .size_error = i < 5 ? 0 : error});
		run(&out, in.bytes, in.n, -40);
		right += same_bytes(&out, in.bytes, in.n) && !torn_count(&out) && out.units == 12;
	}
	ok(right == 8,
	        "sizes that are wrong from some access unit on: nothing is torn, not even at the end (%u of "
	        "8)",
	        right);
}

/* --- parameter sets --- */

static int sets_are(const uint8_t *p, size_t n)
{
	size_t have;
	const uint8_t *sets = annexb_parameter_sets(&annexb, &have);
	return have == n && memcmp(sets, p, n) == 0;
}

static void parameter_sets(void)
{
	static const uint8_t sps0[] = {0, 0, 0, 1, 0x67, 100, 0, 40, 0x80 | 1},
	                     sps1[] = {0, 0, 0, 1, 0x67, 100, 0, 40, 0x40 | 2},
	                     pps0[] = {0, 0, 0, 1, 0x68, 0x80 | 3}, pps1[] = {0, 0, 0, 1, 0x68, 0x40 | 4},
	                     sps0b[] = {0, 0, 0, 1, 0x67, 66, 0, 40, 0x80 | 5, 9},
	                     pps0b[] = {0, 0, 0, 1, 0x68, 0x80 | 6, 7, 8},
	                     slice[] = {0, 0, 0, 1, 0x65, 0x88, 1, 2, 3};
	uint8_t want[64];
	size_t n = 0;

#define SET(x) (memcpy(want + n, x, sizeof(x)), n += sizeof(x))
	in.n = 0;
	put(sps0, sizeof sps0), put(sps1, sizeof sps1), put(pps0, sizeof pps0), put(pps1, sizeof pps1),
	        put(slice, sizeof slice);
	run(&out, in.bytes, in.n, 1);
	SET(sps0), SET(sps1), SET(pps0), SET(pps1);
	ok(sets_are(want, n), "two sequence and two picture parameter sets are kept");
	put(sps0b + 1, sizeof sps0b - 1), put("\0\0", 2), put(pps0b, sizeof pps0b), put(slice, sizeof slice);
	run(&out, in.bytes, in.n, 1);
	n = 0;
	SET(sps1), SET(sps0b), SET(pps1), SET(pps0b);
	ok(sets_are(want, n),
	        "each is replaced by a later one of its kind and number, without trailing zeros");
	in.n = n = 0;
	put(sps0, sizeof sps0), put(pps0, sizeof pps0), put(slice, sizeof slice), put(sps0b, sizeof sps0b),
	        put(slice, sizeof slice);
	run(&out, in.bytes, in.n, 1);
	SET(sps0b), SET(pps0);
	ok(sets_are(want, n),
	        "a sequence parameter set that is replaced alone still stands before the pictures' ones");
#undef SET
	in.n = 0;
	for (int i = 0; i < 300; i++)
		nal(1, i % 2 ? 0x68 : 0x67, (uint8_t)rnd(256), 1 + rnd(600));
	put(slice, sizeof slice);
	run(&out, in.bytes, in.n, -1000);
	annexb_parameter_sets(&annexb, &n);
	ok(same_bytes(&out, in.bytes, in.n) && n > 4000 && n <= ANNEXB_SETS_BYTES_MAX,
	        "three hundred of them: %zu bytes are kept", n);
	in.n = 0;
	nal(1, 0x67, 0x64, 10000);
	put(slice, sizeof slice);
	run(&out, in.bytes, in.n, 0);
	annexb_parameter_sets(&annexb, &n);
	ok(same_bytes(&out, in.bytes, in.n) && !n, "one that is too large is not");
}

int main(void)
{
	units();
	oddities();
	latency();
	torn(1);
	torn(0);
	torn_more();
	wrong_sizes();
	wrong_later();
	parameter_sets();
	free(out.bytes);
	free(all_at_once.bytes);
	return tap_done();
}
