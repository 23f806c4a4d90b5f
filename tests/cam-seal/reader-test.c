/* reader: whatever is done to footage, what comes out is whole stretches that were signed, as they were, and
 * the verdict says what was done. */
#include "maker.h"
#include "reader.h"
#include "tap.h"

enum { OUT_BYTES_MAX = 1 << 20, STRETCHES = 3, RECORDS = 4 };

static struct reader reader;
static struct reader_config config;
static struct footage whole, other, bent;
static char content[OUT_BYTES_MAX], out[OUT_BYTES_MAX];
static size_t out_n;
static int verify_only; /* as without any key */
static unsigned seen[READER_NOT_A_SEGMENT + 1];

static void on_verdict(void *ctx, enum reader_verdict v, const struct reader_segment *s, const char *text)
{
	(void)ctx, (void)s, (void)text;
	seen[v]++;
}

static int on_content(void *ctx, const uint8_t *p, size_t n)
{
	(void)ctx;
	if (out_n + n >= sizeof out)
		return -1;
	memcpy(out + out_n, p, n);
	out_n += n;
	out[out_n] = '\0';
	return 0;
}

static void config_reset(const struct maker *m)
{
	memset(&config, 0, sizeof config);
	memcpy(config.device_pk[config.devices++], m->device_pk, 32);
	memcpy(config.pk[config.keys], m->recipient_pk, 32);
	config.sk[config.keys++] = m->recipient_sk;
}

/* Reads it, in pieces of `chunk` bytes, 0: at once. */
static void read_in(const uint8_t *p, size_t n, size_t chunk)
{
	memset(seen, 0, sizeof seen);
	out_n = 0;
	*out = '\0';
	reader_init(&reader, &config,
	        &(struct reader_sink){.verdict = on_verdict, .content = verify_only ? NULL : on_content});
	while (n) {
		size_t take = chunk && chunk < n ? chunk : n;
		if (reader_push(&reader, p, take) < 0)
			abort();
		p += take;
		n -= take;
	}
	if (reader_flush(&reader) < 0)
		abort();
	reader_free(&reader);
}

/* Nothing but these verdicts, which are not 0. */
static int only(uint32_t verdicts)
{
	uint32_t got = 0;
	for (unsigned v = READER_GAP; v <= READER_NOT_A_SEGMENT; v++)
		got |= seen[v] ? 1u << v : 0;
	return got == verdicts;
}

#define V(x) (1u << READER_##x)

static void show(void)
{
	for (unsigned v = 0; v <= READER_NOT_A_SEGMENT; v++)
		if (seen[v])
			printf("#   %u of \"%s\"\n", seen[v], reader_verdict_name((enum reader_verdict)v));
}

/* content of whole stretches: from one stretch to before another one, of segment 0 */
static const char *stretch_at(int s)
{
	char text[32];
	snprintf(text, sizeof text, "<0.%d.0>", s);
	const char *p = strstr(content, text);
	return p ? p : content + strlen(content);
}

/* Is what came out all of it, but for the stretches from..to-1? */
static int all_but(int from, int to)
{
	size_t head = (size_t)(stretch_at(from) - content), tail = strlen(stretch_at(to));
	return out_n == head + tail && memcmp(out, content, head) == 0 &&
	       memcmp(out + head, stretch_at(to), tail) == 0;
}

/* A part of content from its beginning on, that ends with a whole stretch or, of an unproven tail, a record.
 */
static int whole_prefix(int tail)
{
	int at_stretch = 0;
	for (int s = 0; s <= STRETCHES; s++)
		at_stretch |= out_n == (size_t)(stretch_at(s) - content);
	return memcmp(out, content, out_n) == 0 && (at_stretch || (tail && content[out_n] == '<'));
}

/* Where the stretch of record r of the whole segment begins and ends: RECORDS data records and a mark each.
 */
static int stretch_of(unsigned r)
{
	return (int)((r - 1) / (RECORDS + 1));
}

static void segment_make(struct maker *m, size_t fill)
{
	maker_start(m, 1, 1, 1, 1);
	config_reset(m);
	maker_clear(&whole);
	*content = '\0';
	maker_segment(m, &whole, STRETCHES, RECORDS, fill, content);
}

static void undamaged(struct maker *m)
{
	static const size_t chunk[] = {0, 1, 7, 4096};
	for (unsigned i = 0; i < 4; i++) {
		segment_make(m, 30);
		read_in(whole.p, whole.n, chunk[i]);
		ok(only(0) && all_but(0, 0) && seen[READER_BEGINS] == 1,
		        "a segment opens, %zu bytes at a time", chunk[i]);
	}
}

/* One bit of each byte of each record. */
static void bits(struct maker *m)
{
	unsigned wrong_content = 0, silent = 0, floods = 0, tried = 0;

	segment_make(m, 5);
	for (unsigned r = 0; r < whole.records; r++)
		for (size_t i = whole.at[r]; i < whole.at[r + 1]; i++, tried++) {
			uint8_t bit = (uint8_t)(1 << (i * 5 + r) % 8);
			whole.p[i] ^= bit;
			read_in(whole.p, whole.n, 0);
			int exact = r == 0 ? out_n == 0 : all_but(stretch_of(r), stretch_of(r) + 1);
			/* where its last mark is not known as one any more, the last stretch is an unproven
			 * tail */
			if (r == whole.records - 1 && !seen[READER_BAD_SIGNATURE])
				exact = seen[READER_UNPROVEN] && all_but(0, 0);
			if (!exact && wrong_content++ < 5) {
				printf("# record %u byte %zu bit %02x: %zu bytes came out\n", r,
				        i - whole.at[r], bit, out_n);
				show();
			}
			silent += only(0);
			floods += seen[READER_DUPLICATE] + seen[READER_DAMAGED] > 4;
			whole.p[i] ^= bit;
		}
	ok(!wrong_content, "one bit changed in each of %u bytes: exactly that stretch is left out (%u wrong)",
	        tried, wrong_content);
	ok(!silent, "and is never left out silently");
	ok(!floods, "and told in few words (%u floods)", floods);
}

/* The same without a key: signatures and hashes alone find it. */
static void bits_verified(struct maker *m)
{
	unsigned silent = 0, tried = 0;

	segment_make(m, 5);
	verify_only = 1;
	read_in(whole.p, whole.n, 0);
	ok(only(0) && !out_n, "without a key the segment is verified, and nothing comes out");
	for (size_t i = 0; i < whole.n; i++, tried++) {
		whole.p[i] ^= (uint8_t)(1 << i % 8);
		read_in(whole.p, whole.n, 0);
		silent += only(0);
		whole.p[i] ^= (uint8_t)(1 << i % 8);
	}
	verify_only = 0;
	ok(!silent, "and one bit changed in any of %u bytes is found", tried);
}

static void lost_records(struct maker *m)
{
	unsigned right = 0, twice = 0, swapped = 0, n;

	segment_make(m, 5);
	n = whole.records;
	for (unsigned r = 1; r < n; r++) {
		size_t len = whole.at[r + 1] - whole.at[r];
		memcpy(bent.p, whole.p, whole.at[r]);
		memcpy(bent.p + whole.at[r], whole.p + whole.at[r + 1], whole.n - whole.at[r + 1]);
		read_in(bent.p, whole.n - len, 0);
		right += r == n - 1 ? only(V(TRUNCATED) | V(UNPROVEN)) && all_but(0, 0)
		                    : only(V(DAMAGED)) && all_but(stretch_of(r), stretch_of(r) + 1);
		/* twice in a row */
		memcpy(bent.p, whole.p, whole.at[r + 1]);
		memcpy(bent.p + whole.at[r + 1], whole.p + whole.at[r], whole.n - whole.at[r]);
		read_in(bent.p, whole.n + len, 0);
		twice += only(V(DUPLICATE)) && all_but(0, 0);
		if (r + 2 > n - 1 || stretch_of(r) != stretch_of(r + 1))
			continue;
		size_t next = whole.at[r + 2] - whole.at[r + 1];
		memcpy(bent.p, whole.p, whole.n);
		memcpy(bent.p + whole.at[r], whole.p + whole.at[r + 1], next);
		memcpy(bent.p + whole.at[r] + next, whole.p + whole.at[r], len);
		read_in(bent.p, whole.n, 0);
		swapped += !only(0) && all_but(stretch_of(r), stretch_of(r) + 1);
	}
	ok(right == n - 1, "each record left out: its stretch is lost (%u of %u)", right, n - 1);
	ok(twice == n - 1, "each record twice: duplicate, and all comes out once (%u of %u)", twice, n - 1);
	ok(swapped == STRETCHES * RECORDS - 1, "two records swapped: the stretch is lost (%u)", swapped);
}

static void cut_short(struct maker *m)
{
	unsigned right = 0, proven = 0, named = 0, tried = 0;

	segment_make(m, 20);
	for (size_t n = whole.at[1]; n < whole.n; n++, tried++) {
		config.proven_only = 0;
		read_in(whole.p, n, 0);
		right += whole_prefix(1) && seen[READER_TRUNCATED] == 1;
		/* all whole records come out */
		unsigned r = 0;
		while (r < whole.records && whole.at[r + 1] <= n)
			r++;
		char last[32];
		snprintf(last, sizeof last, "<0.%d.%d>", stretch_of(r - 1), (int)((r - 2) % (RECORDS + 1)));
		int is_data = r >= 2 && (r - 1) % (RECORDS + 1);
		named += (!is_data || strstr(out, last)) && (seen[READER_UNPROVEN] == (unsigned)is_data) &&
		         (seen[READER_NOT_A_SEGMENT] != 0) == (n != whole.at[r]);
		config.proven_only = 1;
		read_in(whole.p, n, 0);
		proven += whole_prefix(0) && seen[READER_TRUNCATED] == 1 &&
		          out_n == (size_t)(stretch_at(r ? (int)(r - 1) / (RECORDS + 1) : 0) - content);
	}
	config.proven_only = 0;
	ok(right == tried, "cut after each byte: truncated, and the beginning comes out (%u of %u)", right,
	        tried);
	ok(named == tried, "all its whole records, the ones without a mark called unproven (%u of %u)", named,
	        tried);
	ok(proven == tried, "or only what is proven (%u of %u)", proven, tried);
	unsigned nothing = 0;
	for (size_t n = 0; n < whole.at[1]; n++) {
		read_in(whole.p, n, 0);
		nothing += out_n == 0 && (n ? only(V(NOT_A_SEGMENT)) : only(0));
	}
	ok(nothing == whole.at[1], "cut in its header it is not a segment");
}

/* A record that was cut short when its writer died, at each byte, with a whole segment behind it. */
static void torn_records(struct maker *m)
{
	unsigned right = 0, tried = 0;
	struct maker next;

	segment_make(m, 5);
	maker_start(&next, 1, 1, 2, 2);
	for (size_t fill = 3; fill < 12; fill++) { /* also where the torn record's length meets a border */
		size_t cut_at = whole.at[3];
		maker_clear(&other);
		next.next_segment = 5;
		next.last = (struct record_link){.previous = RECORD_CHECKPOINT};
		maker_segment(&next, &other, 2, 3, fill, NULL);
		for (size_t cut = 1; cut < whole.at[4] - cut_at; cut++, tried++) {
			memcpy(bent.p, whole.p, cut_at + cut);
			memcpy(bent.p + cut_at + cut, other.p, other.n);
			read_in(bent.p, cut_at + cut + other.n, 0);
			right += seen[READER_TRUNCATED] == 1 &&
			         seen[READER_NOT_A_SEGMENT] + seen[READER_UNKNOWN_VERSION] == 1 &&
			         strstr(out, "<5.0.0>") && strstr(out, "<5.1.2>") && strstr(out, "<0.0.1>");
		}
	}
	ok(right == tried, "a torn record costs itself, not the segment behind it (%u of %u)", right, tried);

	/* the worst place for it: a record border where the torn one would have ended */
	static uint8_t payload[3000];
	segment_make(m, 5);
	size_t header = whole.at[1];
	maker_clear(&other);
	maker_start(&next, 1, 1, 2, 2);
	maker_header(&next, &other);
	maker_data(&next, &other, RECORD_AU_STARTS | RECORD_AU_ENDS, "first", 5);
	maker_mark(&next, &other, RECORD_END);
	maker_clear(&whole);
	maker_start(m, 1, 1, 1, 1);
	maker_header(m, &whole);
	maker_data(m, &whole, RECORD_AU_STARTS, payload, other.n + 60 - RECORD_DATA_OVERHEAD_BYTES);
	memcpy(bent.p, whole.p, header + 60);
	memcpy(bent.p + header + 60, other.p, other.n);
	memcpy(bent.p + header + 60 + other.n, other.p, other.n);
	read_in(bent.p, header + 60 + 2 * other.n, 0);
	ok(strcmp(out, "first") == 0 && seen[READER_DUPLICATE] == 1 && seen[READER_NOT_A_SEGMENT] == 1,
	        "even where another record begins at its end");
}

/* What somebody makes who has all public keys, and a signing key of his own. */
static void forged(struct maker *m)
{
	struct maker thief, twin;

	maker_start(m, 1, 1, 1, 1);
	config_reset(m);
	maker_start(&thief, 2, 1, 9, 1);
	memcpy(thief.header.device_pk, m->device_pk, 32);
	for (int i = 0; i < 3; i++) {
		if (i == 0)
			record_certify(&thief.header, thief.device_sk);
		else if (i == 1)
			memcpy(thief.header.certificate, m->header.certificate,
			        64); /* of another stream key */
		else
			memcpy(thief.header.stream_pk, m->stream_pk, 32),
			        memcpy(thief.header.prefix.stream, m->header.prefix.stream, 8);
		maker_clear(&whole);
		maker_segment(&thief, &whole, 2, 2, 5, NULL);
		read_in(whole.p, whole.n, 0);
		ok(!out_n && seen[READER_BAD_SIGNATURE] == 1 && !seen[READER_BEGINS],
		        "a forged header of kind %d is refused", i);
	}

	/* one header, and from its second stretch on the records of another with its position */
	maker_clear(&whole);
	maker_clear(&other);
	twin = *m;
	maker_segment(m, &whole, 2, 1, 5, NULL);
	maker_segment(&twin, &other, 2, 1, 5, NULL);
	memcpy(whole.p + whole.at[3], other.p + other.at[3], other.n - other.at[3]);
	memmove(whole.p + whole.at[2], whole.p + whole.at[3],
	        whole.n - whole.at[3]); /* without the mark between */
	verify_only = 1;
	read_in(whole.p, whole.n - RECORD_MARK_BYTES, 0);
	verify_only = 0;
	ok(seen[READER_CONFLICT] == 1, "a mark of another header is a conflict");
}

static void joined(size_t *n, const void *p, size_t bytes)
{
	memcpy(bent.p + *n, p, bytes);
	*n += bytes;
}

static void strangers(struct maker *m)
{
	struct maker them;
	size_t n = 0;

	segment_make(m, 5);
	maker_clear(&other);
	maker_start(&them, 2, 2, 3, 1);
	maker_segment(&them, &other, 1, 2, 5, NULL);

	joined(&n, other.p, other.n), joined(&n, whole.p, whole.n), joined(&n, other.p, other.n);
	read_in(bent.p, n, 0);
	ok(all_but(0, 0) && only(V(UNKNOWN_CAMERA)) && seen[READER_UNKNOWN_CAMERA] == 2,
	        "another camera's segments are named and left out");
	config.devices = 0;
	read_in(bent.p, n, 0);
	ok(all_but(0, 0) && only(V(UNKNOWN_CAMERA) | V(NOT_FOR_KEY) | V(DUPLICATE)),
	        "without the camera's key each is unknown, and opened if it can be");
	config_reset(m);
	memcpy(config.device_pk[config.devices++], them.device_pk, 32);
	n = 0;
	joined(&n, other.p, other.n), joined(&n, whole.p, whole.n);
	read_in(bent.p, n, 0);
	ok(all_but(0, 0) && only(V(NOT_FOR_KEY)) && seen[READER_BEGINS] == 2,
	        "two known cameras, one of them not for this key");
	memcpy(config.pk[config.keys], them.recipient_pk, 32);
	config.sk[config.keys++] = them.recipient_sk;
	read_in(bent.p, n, 0);
	ok(only(0) && strstr(out, "<0.0.0>") && out_n > strlen(content), "with both keys both open");

	config_reset(m);
	segment_make(m, 5);
	memset(m->header.slot[0].sealed, 0, sizeof m->header.slot[0].sealed);
	crypto_box_seal(
	        m->header.slot[0].sealed, them.recipient_sk, 32, m->recipient_pk); /* some other key */
	size_t h = record_header_put(bent.p, &m->header);
	record_sign(bent.p, h, m->stream_sk);
	read_in(bent.p, h, 0);
	ok(seen[READER_WRONG_COMMITMENT] == 1 && !out_n, "a sealed key that is not the one committed to");
}

static void garbage(struct maker *m)
{
	uint8_t junk[5000];
	size_t n = 0;
	struct maker next;

	segment_make(m, 5);
	next = *m;
	maker_clear(&other);
	maker_segment(&next, &other, 1, 1, 5, NULL);
	for (unsigned kind = 0; kind < 3; kind++) {
		randombytes_buf(junk, sizeof junk);
		if (kind == 1)
			memset(junk, 0xc5, sizeof junk);
		for (size_t i = 0; kind == 2 && i + 4 <= sizeof junk; i += 4)
			memcpy(junk + i, (const uint8_t[]){0xc5, 0x43, 0x41, 0x4d}, 4);
		n = 0;
		joined(&n, junk, sizeof junk), joined(&n, whole.p, whole.n), joined(&n, junk, sizeof junk),
		        joined(&n, other.p, other.n), joined(&n, junk, 100);
		unsigned good = 0;
		for (size_t chunk = 0; chunk < 600; chunk += 599) {
			read_in(bent.p, n, chunk);
			good += (kind == 2 ? only(V(UNKNOWN_VERSION)) && seen[READER_UNKNOWN_VERSION] == 3
			                   : only(V(NOT_A_SEGMENT)) && seen[READER_NOT_A_SEGMENT] == 3) &&
			        strstr(out, "<1.0.0>") && strncmp(out, content, strlen(content)) == 0;
		}
		ok(good == 2, "garbage of kind %u before, between and behind", kind);
	}
	read_in(junk, sizeof junk, 0);
	ok(!out_n && !reader.segments, "and garbage alone");

	segment_make(m, 5);
	for (unsigned r = 0; r < whole.records; r++)
		whole.p[whole.at[r] + 4] = 2;
	n = 0;
	joined(&n, whole.p, whole.n), joined(&n, other.p, other.n);
	read_in(bent.p, n, 0);
	ok(only(V(UNKNOWN_VERSION)) && seen[READER_UNKNOWN_VERSION] == 1 && strstr(out, "<1.0.0>"),
	        "a segment of version 2 is named and passed over");
}

static void flags(struct maker *m)
{
	segment_make(m, 5);
	maker_start(m, 1, 1, 1, 1);
	maker_clear(&whole);
	for (int s = 0; s < 2; s++) {
		maker_header(m, &whole);
		maker_data(m, &whole, RECORD_REPEATED, "SETS", 4);
		maker_data(m, &whole, RECORD_AU_STARTS, "a", 1);
		maker_data(m, &whole, RECORD_AU_ENDS, "b", 1);
		maker_data(m, &whole, RECORD_PADDING, "padding", 7);
		maker_data(m, &whole, RECORD_AU_STARTS, "torn", 4);
		maker_data(m, &whole, RECORD_AU_ENDS | RECORD_TORN, "torn", 4);
		maker_data(m, &whole, RECORD_AU_STARTS | RECORD_AU_ENDS, "c", 1);
		maker_mark(m, &whole, RECORD_END);
	}
	read_in(whole.p, whole.n, 0);
	ok(only(0) && strcmp(out, "SETSabcabc") == 0,
	        "copies of parameter sets at the start only; padding and torn ones never: %s", out);
	read_in(whole.p + whole.at[8], whole.n - whole.at[8], 0);
	ok(strcmp(out, "SETSabc") == 0, "the second segment alone has its copies too: %s", out);
}

int main(void)
{
	struct maker m;
	if (sodium_init() < 0)
		return 1;
	undamaged(&m);
	bits(&m);
	bits_verified(&m);
	lost_records(&m);
	cut_short(&m);
	torn_records(&m);
	forged(&m);
	strangers(&m);
	garbage(&m);
	flags(&m);
	return tap_done();
}
