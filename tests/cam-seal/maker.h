/* maker: segments with keys that are known, for the reader's tests: from lib/record alone, so that also what
 * cam-seal never writes can be made. */
#ifndef MAKER_H
#define MAKER_H
#include "record.h"

#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAKER_BYTES_MAX = 1 << 20, MAKER_RECORDS_MAX = 2048 };

/* Records one behind the other. */
struct footage {
	uint8_t p[MAKER_BYTES_MAX];
	size_t n;
	size_t at[MAKER_RECORDS_MAX + 1]; /* where each record begins; at[records] == n */
	unsigned records;
};

struct maker {
	uint8_t device_pk[32], device_sk[64], stream_pk[32], stream_sk[64];
	uint8_t recipient_pk[32], recipient_sk[32];
	struct record_header header;
	struct record_link last; /* the mark before; previous: the type of its record, 0: none */
	uint32_t next_segment, record, first;
	uint8_t header_hash[32], file_key[32], data_key[32];
	crypto_generichash_state stretch;
};

__attribute__((unused)) static void maker_clear(struct footage *f)
{
	f->n = 0;
	f->records = 0;
}

/* A start of the camera number `device` for the recipient number `recipient`; number `stream` makes the
 * stream's key. */
__attribute__((unused)) static void maker_start(
        struct maker *m, int device, int recipient, int stream, uint64_t epoch)
{
	uint8_t seed[32];

	memset(m, 0, sizeof *m);
	memset(seed, device, sizeof seed);
	crypto_sign_seed_keypair(m->device_pk, m->device_sk, seed);
	memset(seed, 100 + stream, sizeof seed);
	crypto_sign_seed_keypair(m->stream_pk, m->stream_sk, seed);
	memset(m->recipient_sk, 50 + recipient, sizeof m->recipient_sk);
	crypto_scalarmult_base(m->recipient_pk, m->recipient_sk);
	m->header = (struct record_header){.epoch = epoch,
	        .kind = RECORD_KIND_VIDEO,
	        .recipients = 1,
	        .utc_ns = 1700000000000000000,
	        .boot_ns = 5000000000};
	memcpy(m->header.device_pk, m->device_pk, 32);
	memcpy(m->header.stream_pk, m->stream_pk, 32);
	record_stream_id(m->header.prefix.stream, m->stream_pk);
	record_certify(&m->header, m->device_sk);
}

__attribute__((unused)) static void maker_put(struct footage *f, const uint8_t *p, size_t n)
{
	if (f->n + n > MAKER_BYTES_MAX || f->records == MAKER_RECORDS_MAX)
		abort();
	f->at[f->records++] = f->n;
	memcpy(f->p + f->n, p, n);
	f->n += n;
	f->at[f->records] = f->n;
}

static void maker_remember(struct maker *m, const struct record_prefix *prefix, const uint8_t *p)
{
	m->last.previous = prefix->type;
	m->last.epoch = m->header.epoch;
	memcpy(m->last.stream, prefix->stream, sizeof m->last.stream);
	m->last.segment = prefix->segment;
	m->last.record = prefix->record;
	record_hash(m->last.hash, p, prefix->length);
	m->first = m->record + 1;
	crypto_generichash_init(&m->stretch, NULL, 0, RECORD_HASH_BYTES);
}

__attribute__((unused)) static void maker_header(struct maker *m, struct footage *f)
{
	uint8_t p[RECORD_BYTES_MAX];
	struct record_header *h = &m->header;

	h->prefix.segment = m->next_segment++;
	h->previous = m->last;
	if (m->last.previous)
		h->previous.previous =
		        m->last.previous == RECORD_END ? RECORD_PREVIOUS_ENDED : RECORD_PREVIOUS_CUT;
	memset(m->file_key, 1, sizeof m->file_key);
	m->file_key[0] = (uint8_t)h->prefix.segment;
	record_commitment(h->commitment, m->file_key, h->prefix.stream, h->prefix.segment);
	record_keyid(h->slot[0].keyid, h->prefix.stream, m->recipient_pk);
	crypto_box_seal(h->slot[0].sealed, m->file_key, sizeof m->file_key, m->recipient_pk);
	size_t n = record_header_put(p, h);
	record_sign(p, n, m->stream_sk);
	record_hash(m->header_hash, p, n);
	record_data_key(m->data_key, m->file_key, m->header_hash);
	m->record = 0;
	maker_put(f, p, n);
	maker_remember(m, &h->prefix, p);
}

__attribute__((unused)) static void maker_data(
        struct maker *m, struct footage *f, uint8_t flags, const void *payload, size_t payload_bytes)
{
	uint8_t p[RECORD_BYTES_MAX];
	struct record_prefix prefix = m->header.prefix;

	prefix.record = ++m->record;
	size_t n = record_data_seal(p, &prefix, flags, payload, payload_bytes, m->data_key);
	crypto_generichash_update(&m->stretch, p, n);
	maker_put(f, p, n);
}

__attribute__((unused)) static void maker_mark(struct maker *m, struct footage *f, uint8_t type)
{
	uint8_t p[RECORD_MARK_BYTES];
	struct record_mark k = {.prefix = m->header.prefix,
	        .first_record = m->first,
	        .reason = type == RECORD_END ? RECORD_REASON_FULL : RECORD_REASON_TIMER};

	k.prefix.type = type;
	k.prefix.record = ++m->record;
	memcpy(k.header_hash, m->header_hash, sizeof k.header_hash);
	memcpy(k.previous_hash, m->last.hash, sizeof k.previous_hash);
	crypto_generichash_final(&m->stretch, k.stretch_hash, sizeof k.stretch_hash);
	record_mark_put(p, &k);
	record_sign(p, sizeof p, m->stream_sk);
	maker_put(f, p, sizeof p);
	maker_remember(m, &k.prefix, p);
}

/* A segment of `stretches` stretches, each of `records` data records. The content of each record tells where
 * it is from, like
 * "<0.2.5>": segment, stretch, record; it is appended to content when that is not NULL. */
__attribute__((unused)) static void maker_segment(
        struct maker *m, struct footage *f, int stretches, int records, size_t fill, char *content)
{
	maker_header(m, f);
	for (int s = 0; s < stretches; s++) {
		for (int i = 0; i < records; i++) {
			char text[4096];
			memset(text, '.', sizeof text);
			int n = snprintf(text, 64, "<%u.%d.%d>", (unsigned)m->header.prefix.segment, s, i);
			text[n] = '.';
			maker_data(m, f, RECORD_AU_STARTS | RECORD_AU_ENDS, text, (size_t)n + fill);
			if (content)
				strncat(content, text, (size_t)n + fill);
		}
		maker_mark(m, f, s == stretches - 1 ? RECORD_END : RECORD_CHECKPOINT);
	}
}
#endif
