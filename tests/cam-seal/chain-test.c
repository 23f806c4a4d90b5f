/* chain: segments left out, twice, in another order, from two cards, after a lost epoch file, as stubs. */
#include "chain.h"
#include "maker.h"
#include "reader.h"
#include "tap.h"

enum { PARTS_MAX = 64 };

static struct reader reader;
static struct reader_config config;
static struct footage part[PARTS_MAX];
static struct maker camera;
static char out[1 << 16];
static char story[4096]; /* verdicts, in order, without those of the end */

static void on_verdict(void *ctx, enum reader_verdict v, const struct reader_segment *s, const char *text)
{
	(void)ctx, (void)s, (void)text;
	if (*story)
		strncat(story, ", ", sizeof story - strlen(story) - 1);
	strncat(story, reader_verdict_name(v), sizeof story - strlen(story) - 1);
}

static int on_content(void *ctx, const uint8_t *p, size_t n)
{
	(void)ctx;
	snprintf(out + strlen(out), sizeof out - strlen(out), "%.*s", (int)n, (const char *)p);
	return 0;
}

/* A segment into part[i], with the content "<SEGMENT.0.0><SEGMENT.1.0>". */
static void segment(struct maker *m, int i)
{
	maker_clear(&part[i]);
	maker_segment(m, &part[i], 2, 1, 0, NULL);
}

/* Reads the parts by their numbers, up to -1. */
static void read_parts(const int *i)
{
	*story = *out = '\0';
	memset(&config, 0, sizeof config);
	memcpy(config.device_pk[config.devices++], camera.device_pk, 32);
	memcpy(config.pk[config.keys], camera.recipient_pk, 32);
	config.sk[config.keys++] = camera.recipient_sk;
	reader_init(&reader, &config, &(struct reader_sink){.verdict = on_verdict, .content = on_content});
	for (; *i >= 0; i++)
		if (reader_push(&reader, part[*i].p, part[*i].n) < 0)
			abort();
	if (reader_flush(&reader) < 0)
		abort();
	reader_free(&reader);
}

static void expect(const char *what, const char *verdicts, const char *segments, const int *i)
{
	char want[256] = "";

	read_parts(i);
	for (const char *s = segments; *s; s++) {
		char text[32];
		snprintf(text, sizeof text, "<%c.0.0><%c.1.0>", *s, *s);
		strncat(want, text, sizeof want - strlen(want) - 1);
	}
	ok(strcmp(story, verdicts) == 0 && strcmp(out, want) == 0, "%s: %s", what, verdicts);
	if (strcmp(story, verdicts) != 0 || strcmp(out, want) != 0)
		printf("#   verdicts %s\n#   content %s\n", story, out);
}

#define PARTS(...)                                                                                           \
	(const int[])                                                                                        \
	{                                                                                                    \
		__VA_ARGS__, -1                                                                              \
	}
#define BEGINS "history starts here"

static void one_start(void)
{
	maker_start(&camera, 1, 1, 1, 1);
	for (int i = 0; i < 6; i++)
		segment(&camera, i);
	expect("in order", BEGINS, "012345", PARTS(0, 1, 2, 3, 4, 5));
	expect("from the middle on", BEGINS, "345", PARTS(3, 4, 5));
	expect("two of them left out", BEGINS ", gap, gap", "0135", PARTS(0, 1, 3, 5));
	expect("two left out", BEGINS ", gap", "05", PARTS(0, 5));
	expect("the last one first", BEGINS ", reordered", "10", PARTS(1, 0));
	expect("two swapped", BEGINS ", gap, reordered", "0213", PARTS(0, 2, 1, 3));
	expect("one twice", BEGINS ", duplicate", "012", PARTS(0, 1, 1, 2));
	expect("one again later", BEGINS ", duplicate", "0123", PARTS(0, 1, 2, 1, 3));
	expect("all twice", BEGINS ", duplicate, duplicate", "01", PARTS(0, 1, 0, 1));
}

static void restarts(void)
{
	struct maker next;

	maker_start(&camera, 1, 1, 1, 1);
	segment(&camera, 0);
	maker_start(&next, 1, 1, 2, 2);
	next.last = camera.last;
	next.next_segment = 1;
	segment(&next, 1);
	segment(&next, 2);
	expect("a restart", BEGINS ", camera restarted", "012", PARTS(0, 1, 2));
	expect("the last segment before it left out", BEGINS, "12", PARTS(1, 2));

	/* killed in a segment: the header behind it links to its last mark, and is found out when that is cut
	 * off */
	maker_start(&camera, 1, 1, 1, 1);
	maker_clear(&part[3]);
	maker_header(&camera, &part[3]);
	for (int i = 0; i < 2; i++) {
		maker_data(
		        &camera, &part[3], RECORD_AU_STARTS | RECORD_AU_ENDS, i ? "<0.1.0>" : "<0.0.0>", 7);
		maker_mark(&camera, &part[3], RECORD_CHECKPOINT);
	}
	maker_start(&next, 1, 1, 2, 2);
	next.last = camera.last;
	next.next_segment = 1;
	segment(&next, 4);
	expect("killed in a segment", BEGINS ", truncated, camera restarted", "01", PARTS(3, 4));
	part[3].n = part[3].at[4];
	expect("and its last mark cut off", BEGINS ", truncated, unproven tail, gap", "01", PARTS(3, 4));
}

/* Two starts that both take the state of one epoch file. */
static void clones(void)
{
	struct maker a, b;

	maker_start(&camera, 1, 1, 1, 4);
	segment(&camera, 0);
	maker_start(&a, 1, 1, 2, 5);
	maker_start(&b, 1, 1, 3, 5);
	a.last = b.last = camera.last;
	a.next_segment = 1;
	b.next_segment = 2;
	segment(&a, 1);
	segment(&b, 2);
	expect("a copied card", BEGINS ", camera restarted, cloned or restored card", "012", PARTS(0, 1, 2));

	/* restored later: another start and much footage in between */
	maker_start(&camera, 1, 1, 4, 6);
	camera.last = a.last;
	camera.next_segment = 3;
	segment(&camera, 3);
	expect("a card restored after further starts",
	        BEGINS ", camera restarted, camera restarted, cloned or restored card", "0132",
	        PARTS(0, 1, 3, 2));
	expect("which is another thing than another order", BEGINS ", gap, reordered", "031", PARTS(0, 3, 1));
}

static void lost_epoch(void)
{
	struct maker next;

	maker_start(&camera, 1, 1, 1, 1);
	segment(&camera, 0);
	maker_start(&next, 1, 1, 2, 2);
	next.last = camera.last;
	next.next_segment = 1;
	segment(&next, 1);

	/* removed: the new start knows nothing */
	maker_start(&next, 1, 1, 3, 3);
	next.next_segment = 2;
	segment(&next, 2);
	expect("nothing before it, by its own account", BEGINS ", camera restarted, chain broken", "012",
	        PARTS(0, 1, 2));
	maker_start(&next, 1, 1, 4, 1);
	next.next_segment = 3;
	segment(&next, 3);
	expect("counts from 1 again", BEGINS ", camera restarted, cloned or restored card", "013",
	        PARTS(0, 1, 3));
	next.header.flags = RECORD_EPOCH_LOST;
	segment(&next, 4);
	expect("and says that it lost its count", BEGINS ", cloned or restored card, epoch lost", "04",
	        PARTS(0, 4));
}

static void conflicts(void)
{
	struct maker twin;

	maker_start(&camera, 1, 1, 1, 1);
	segment(&camera, 0);
	twin = camera;
	segment(&camera, 1);
	segment(&twin, 2); /* the same position, another sealing */
	segment(&camera, 3);
	expect("two headers of one position, both signed", BEGINS ", conflict", "012", PARTS(0, 1, 2, 3));

	/* one header, two ends of it */
	maker_start(&camera, 1, 1, 1, 1);
	maker_clear(&part[4]);
	maker_clear(&part[5]);
	maker_clear(&part[5]);
	maker_header(&camera, &part[4]);
	twin = camera;
	maker_data(&camera, &part[4], RECORD_AU_STARTS | RECORD_AU_ENDS, "<0.0.0><0.1.0>", 14);
	maker_mark(&camera, &part[4], RECORD_CHECKPOINT);
	maker_data(&twin, &part[5], RECORD_AU_STARTS | RECORD_AU_ENDS, "<9>", 3);
	maker_mark(&twin, &part[5], RECORD_CHECKPOINT);
	read_parts(PARTS(4, 5));
	ok(strstr(story, "conflict") && strcmp(out, "<0.0.0><0.1.0>") == 0,
	        "two marks of one position, both signed: %s", story);

	/* a mark that follows another one than was given */
	maker_data(&twin, &part[5], RECORD_AU_STARTS | RECORD_AU_ENDS, "<8>", 3);
	maker_mark(&twin, &part[5], RECORD_END);
	memmove(part[5].p, part[5].p + part[5].at[2], part[5].n - part[5].at[2]);
	part[5].n -= part[5].at[2];
	read_parts(PARTS(4, 5));
	ok(strcmp(story, BEGINS ", conflict") == 0 && strcmp(out, "<0.0.0><0.1.0>") == 0,
	        "a mark that follows another one: %s", story);
}

static void stubs(void)
{
	maker_start(&camera, 1, 1, 1, 1);
	for (int i = 0; i < 4; i++)
		segment(&camera, i);
	/* header and last mark */
	maker_clear(&part[5]);
	maker_put(&part[5], part[1].p, part[1].at[1]);
	maker_put(&part[5], part[1].p + part[1].at[4], part[1].n - part[1].at[4]);
	ok(part[5].n < 700, "a stub has %zu bytes", part[5].n);
	expect("a stub in its place", BEGINS ", stub", "023", PARTS(0, 5, 2, 3));
	expect("a stub alone", "stub", "", PARTS(5));
	expect("a stub and then the segment itself, which comes out", BEGINS ", duplicate", "012",
	        PARTS(0, 5, 1, 2));
	expect("a stub in front of everything hides nothing", "stub, " BEGINS ", duplicate", "012",
	        PARTS(5, 0, 1, 2));
	/* header only */
	maker_clear(&part[6]);
	maker_put(&part[6], part[1].p, part[1].at[1]);
	expect("a header alone is a truncated segment", BEGINS ", truncated, gap", "02", PARTS(0, 6, 2));
	/* one whose first stretch was removed */
	maker_clear(&part[7]);
	maker_put(&part[7], part[1].p, part[1].at[1]);
	maker_put(&part[7], part[1].p + part[1].at[2], part[1].n - part[1].at[2]);
	read_parts(PARTS(0, 7, 2));
	ok(strcmp(story, BEGINS ", damaged stretch") == 0 && strstr(out, "<1.1.0>") &&
	                !strstr(out, "<1.0.0>"),
	        "the first stretch removed: %s", story);
	read_parts(PARTS(0, 7, 1, 2));
	ok(strstr(out, "<1.0.0><1.1.0><2.0.0>") != NULL, "such a copy just in front does not hide it: %s",
	        story);
	read_parts(PARTS(7, 0, 1, 2));
	ok(strstr(out, "<0.1.0><1.0.0><1.1.0><2.0.0>") != NULL, "nor one far in front: %s", story);
	read_parts(PARTS(6, 0, 1, 1, 2, 1));
	ok(strstr(out, "<0.0.0><0.1.0><1.0.0><1.1.0><2.0.0><2.1.0>") == out,
	        "nor a header; and what came out whole comes out once: %s", story);
}

static unsigned counted(const char *verdict)
{
	unsigned n = 0;
	for (const char *at = story; (at = strstr(at, verdict)); at++)
		n++;
	return n;
}

enum { MANY = 3000, KEPT_FROM = 2000, LEFT_OUT = 1234 };

static struct {
	uint8_t *p;
	size_t n, header;
} long_run[MANY];

/* Stubs of these segments, or the segments; adds up what is said. */
static void many_read(int from, int to, int stub, int without, unsigned *stubs_told, unsigned *others)
{
	for (int i = from; i < to; i++) {
		*story = *out = '\0';
		if (i == without)
			continue;
		const uint8_t *p = long_run[i].p;
		size_t mark = long_run[i].n - RECORD_MARK_BYTES;
		if (stub ? reader_push(&reader, p, long_run[i].header) < 0 ||
		                        reader_push(&reader, p + mark, RECORD_MARK_BYTES) < 0
		         : reader_push(&reader, p, long_run[i].n) < 0)
			abort();
		if (i == to - 1 && reader_flush(&reader) < 0)
			abort();
		*stubs_told += counted("stub");
		*others += *story && !counted("stub") && !counted(BEGINS);
	}
}

/* Far more stubs and segments than the chain remembers marks. */
static void many_stubs(void)
{
	unsigned stubs_told = 0, others = 0;

	maker_start(&camera, 1, 1, 1, 1);
	for (int i = 0; i < MANY; i++) {
		segment(&camera, 0);
		long_run[i].p = malloc(part[0].n);
		if (!long_run[i].p)
			abort();
		memcpy(long_run[i].p, part[0].p, part[0].n);
		long_run[i].n = part[0].n;
		long_run[i].header = part[0].at[1];
	}
	read_parts(PARTS(0)); /* sets config */
	const struct reader_sink sink = {.verdict = on_verdict, .content = on_content};
	config.packs_follow = 1;
	reader_init(&reader, &config, &sink);
	many_read(0, KEPT_FROM, 1, -1, &stubs_told, &others);
	many_read(KEPT_FROM, MANY, 0, -1, &stubs_told, &others);
	*story = '\0';
	reader_end(&reader);
	reader_free(&reader);
	ok(stubs_told == KEPT_FROM && !others && !*story,
	        "%d stubs and then %d segments: no gap (%u, %u, %s)", KEPT_FROM, MANY - KEPT_FROM, stubs_told,
	        others, story);

	stubs_told = others = 0;
	reader_init(&reader, &config, &sink);
	many_read(KEPT_FROM, MANY, 0, -1, &stubs_told, &others);
	many_read(0, KEPT_FROM, 1, LEFT_OUT, &stubs_told, &others);
	*story = '\0';
	reader_end(&reader);
	ok(stubs_told == KEPT_FROM - 1 && !others && strcmp(story, "gap") == 0,
	        "the pack behind them, one stub left out: one gap (%u, %u, %s)", stubs_told, others, story);
	stubs_told = others = 0;
	many_read(KEPT_FROM, KEPT_FROM + 1, 1, -1, &stubs_told, &others);
	ok(strcmp(story, "duplicate") == 0 && !*out, "a stub of a segment long ago: %s", story);
	reader_free(&reader);
	for (int i = 0; i < MANY; i++)
		free(long_run[i].p);
}

/* As many cameras as are remembered, a segment of each in turn; then more, one after the other. */
static void many_cameras(void)
{
	static struct maker many[CHAIN_CAMERAS_MAX];
	unsigned failed = 0, opened = 0, begins = 0, more = 2 * CHAIN_CAMERAS_MAX;

	memset(&config, 0, sizeof config);
	maker_start(&camera, 1, 1, 1, 1);
	memcpy(config.pk[config.keys], camera.recipient_pk, 32);
	config.sk[config.keys++] = camera.recipient_sk;
	reader_init(&reader, &config, &(struct reader_sink){.verdict = on_verdict, .content = on_content});
	for (unsigned i = 0; i < 2 * CHAIN_CAMERAS_MAX + more; i++) {
		struct maker *m = &many[i % CHAIN_CAMERAS_MAX];
		if (i < CHAIN_CAMERAS_MAX || i >= 2 * CHAIN_CAMERAS_MAX)
			maker_start(m, (int)i % 200, 1, (int)i % 150, 1);
		segment(m, 0);
		*story = *out = '\0';
		failed += reader_push(&reader, part[0].p, part[0].n) < 0 || reader_flush(&reader) < 0;
		opened += strstr(out, ".1.0>") != NULL;
		if (i < 2 * CHAIN_CAMERAS_MAX)
			begins += strstr(story, BEGINS) != NULL;
	}
	reader_free(&reader);
	ok(!failed && opened == 2 * CHAIN_CAMERAS_MAX + more && begins == CHAIN_CAMERAS_MAX,
	        "%d cameras, and then %u more: all open", CHAIN_CAMERAS_MAX, more);
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	one_start();
	restarts();
	clones();
	lost_epoch();
	conflicts();
	stubs();
	many_stubs();
	many_cameras();
	return tap_done();
}
