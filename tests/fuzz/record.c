/* The reader, with the keys of tests/cam-seal/maker.h known to it, so that footage made with them gets all
 * the way. Whatever the input: content that leaves is text that the maker signed or sealed. With
 * FUZZ_CORPUS=FOLDER in the environment, writes its corpus there instead. */
#include "../cam-seal/maker.h"
#include "reader.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static struct maker maker;
static struct reader_config config;

static void on_verdict(void *ctx, enum reader_verdict v, const struct reader_segment *s, const char *text)
{
	(void)ctx, (void)s;
	if (!reader_verdict_name(v) || !*text)
		abort();
}

static int on_content(void *ctx, const uint8_t *p, size_t n)
{
	(void)ctx;
	for (size_t i = 0; i < n; i++)
		if (p[i] < 0x20 || p[i] > 0x7e)
			abort();
	return 0;
}

static void on_closed(void *ctx, const struct reader_segment *s)
{
	(void)ctx;
	if (s->header.recipients > RECORD_RECIPIENTS_MAX)
		abort();
}

static void corpus_write(const char *folder)
{
	static struct footage f;
	char path[4096];

	for (int kind = 0; kind < 8; kind++) {
		maker_start(&maker, kind == 4 ? 2 : 1, 1, kind, (uint64_t)kind + 1);
		maker_clear(&f);
		maker_segment(&maker, &f, 1 + kind % 3, 1 + kind % 2, 0, NULL);
		if (kind == 5 || kind == 6)
			maker_segment(&maker, &f, 1, 1, 0, NULL);
		if (kind == 6) { /* a stub between */
			f.n = f.at[1];
			maker_segment(&maker, &f, 1, 1, 0, NULL);
		}
		if (kind == 7) {
			maker_header(&maker, &f);
			maker_data(&maker, &f, RECORD_REPEATED, "SETS", 4);
			maker_data(&maker, &f, RECORD_AU_STARTS | RECORD_AU_ENDS | RECORD_TORN, "torn", 4);
			maker_data(&maker, &f, RECORD_PADDING, "pad", 3);
			maker_mark(&maker, &f, RECORD_CHECKPOINT);
			maker_data(&maker, &f, RECORD_AU_STARTS, "tail", 4);
		}
		snprintf(path, sizeof path, "%s/%d", folder, kind);
		FILE *out = fopen(path, "wb");
		if (!out || fwrite(f.p, 1, f.n, out) != f.n || fclose(out) != 0)
			abort();
	}
	exit(0);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	if (sodium_init() < 0)
		abort();
	if (getenv("FUZZ_CORPUS"))
		corpus_write(getenv("FUZZ_CORPUS"));
	maker_start(&maker, 1, 1, 1, 1);
	memcpy(config.pk[config.keys], maker.recipient_pk, 32);
	config.sk[config.keys++] = maker.recipient_sk;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct reader r;
	size_t half = n / 2;

	/* with the camera known, and with any */
	for (config.devices = 0; config.devices < 2; config.devices++) {
		memcpy(config.device_pk[0], maker.device_pk, 32);
		reader_init(&r, &config,
		        &(struct reader_sink){
		                .verdict = on_verdict, .content = on_content, .closed = on_closed});
		if (reader_push(&r, p, half) < 0 || reader_push(&r, p + half, n - half) < 0 ||
		        reader_flush(&r) < 0)
			abort();
		reader_free(&r);
	}
	return 0;
}
