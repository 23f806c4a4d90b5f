#define _GNU_SOURCE
#include "record.h"

#include "le.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

static const uint8_t sync_bytes[4] = {0xc5, 0x43, 0x41, 0x4d};

static int bad(int err)
{
	errno = err;
	return -1;
}

void record_ctx(uint8_t out[RECORD_CTX_BYTES], const char *name)
{
	char text[RECORD_CTX_BYTES + 1] = {0};
	snprintf(text, sizeof text, "cam1 %s", name);
	memcpy(out, text, RECORD_CTX_BYTES);
}

void record_hash(uint8_t out[RECORD_HASH_BYTES], const uint8_t *p, size_t n)
{
	crypto_generichash(out, RECORD_HASH_BYTES, p, n, NULL, 0);
}

void record_hash_ctx(
        uint8_t out[RECORD_HASH_BYTES], const uint8_t *key, const char *name, const uint8_t *p, size_t n)
{
	crypto_generichash_state st;
	uint8_t ctx[RECORD_CTX_BYTES];

	record_ctx(ctx, name);
	crypto_generichash_init(&st, key, key ? 32 : 0, RECORD_HASH_BYTES);
	crypto_generichash_update(&st, ctx, sizeof ctx);
	crypto_generichash_update(&st, p, n);
	crypto_generichash_final(&st, out, RECORD_HASH_BYTES);
	sodium_memzero(&st, sizeof st);
}

void record_stream_id(uint8_t out[RECORD_STREAM_BYTES], const uint8_t stream_pk[RECORD_PK_BYTES])
{
	uint8_t h[RECORD_HASH_BYTES];
	record_hash(h, stream_pk, RECORD_PK_BYTES);
	memcpy(out, h, RECORD_STREAM_BYTES);
}

void record_keyid(uint8_t out[RECORD_KEYID_BYTES], const uint8_t stream[RECORD_STREAM_BYTES],
        const uint8_t pk[RECORD_PK_BYTES])
{
	uint8_t m[RECORD_STREAM_BYTES + RECORD_PK_BYTES], h[RECORD_HASH_BYTES];
	memcpy(m, stream, RECORD_STREAM_BYTES);
	memcpy(m + RECORD_STREAM_BYTES, pk, RECORD_PK_BYTES);
	record_hash_ctx(h, NULL, "keyid", m, sizeof m);
	memcpy(out, h, RECORD_KEYID_BYTES);
}

void record_commitment(uint8_t out[RECORD_HASH_BYTES], const uint8_t fk[32],
        const uint8_t stream[RECORD_STREAM_BYTES], uint32_t segment)
{
	uint8_t m[RECORD_STREAM_BYTES + 4];
	memcpy(m, stream, RECORD_STREAM_BYTES);
	le_put32(m + RECORD_STREAM_BYTES, segment);
	record_hash_ctx(out, fk, "commit", m, sizeof m);
}

void record_data_key(uint8_t out[32], const uint8_t fk[32], const uint8_t header_hash[RECORD_HASH_BYTES])
{
	record_hash_ctx(out, fk, "data", header_hash, RECORD_HASH_BYTES);
}

void record_fingerprint(const uint8_t pk[RECORD_PK_BYTES], char out[RECORD_FINGERPRINT_BYTES])
{
	uint8_t h[RECORD_HASH_BYTES];

	record_hash_ctx(h, NULL, "fingerprint", pk, RECORD_PK_BYTES);
	for (int group = 0; group < 8; group++)
		snprintf(out + group * 6, 7, "%05lu%s", (unsigned long)(le_get32(h + group * 4) % 100000),
		        group < 7 ? " " : "");
}

/* --- prefix --- */

static int length_fits(uint8_t type, uint16_t length, uint32_t record)
{
	switch (type) {
	case RECORD_HEADER:
		return record == 0 && length >= RECORD_HEADER_BYTES(1) &&
		       length <= RECORD_HEADER_BYTES(RECORD_RECIPIENTS_MAX) &&
		       (length - RECORD_HEADER_BYTES(0)) % RECORD_SLOT_BYTES == 0;
	case RECORD_DATA:
		return record > 0 && length > RECORD_DATA_OVERHEAD_BYTES && length <= RECORD_BYTES_MAX;
	case RECORD_CHECKPOINT:
	case RECORD_END: return record > 0 && length == RECORD_MARK_BYTES;
	default: return 0;
	}
}

int record_prefix_parse(const uint8_t *p, size_t n, struct record_prefix *out)
{
	if (memcmp(p, sync_bytes, n < sizeof sync_bytes ? n : sizeof sync_bytes) != 0)
		return bad(EBADMSG);
	if (n > 4 && p[4] != RECORD_VERSION)
		return bad(EPROTONOSUPPORT);
	if (n < RECORD_PREFIX_BYTES)
		return bad(ENODATA);
	struct record_prefix r = {.type = p[5],
	        .length = le_get16(p + 6),
	        .segment = le_get32(p + 16),
	        .record = le_get32(p + 20)};
	memcpy(r.stream, p + 8, sizeof r.stream);
	if (!length_fits(r.type, r.length, r.record))
		return bad(EBADMSG);
	*out = r;
	return 0;
}

void record_prefix_put(uint8_t *p, const struct record_prefix *in)
{
	memcpy(p, sync_bytes, sizeof sync_bytes);
	p[4] = RECORD_VERSION;
	p[5] = in->type;
	le_put16(p + 6, in->length);
	memcpy(p + 8, in->stream, sizeof in->stream);
	le_put32(p + 16, in->segment);
	le_put32(p + 20, in->record);
}

/* --- header --- */

int record_header_parse(const uint8_t *p, size_t n, struct record_header *out)
{
	struct record_header *h = out;

	if (record_prefix_parse(p, n, &h->prefix) < 0)
		return errno == ENODATA ? bad(EBADMSG) : -1;
	if (h->prefix.type != RECORD_HEADER || h->prefix.length != n)
		return bad(EBADMSG);
	memcpy(h->device_pk, p + 24, RECORD_PK_BYTES);
	memcpy(h->stream_pk, p + 56, RECORD_PK_BYTES);
	h->epoch = le_get64(p + 88);
	h->channel = le_get16(p + 96);
	h->kind = p[98];
	memcpy(h->certificate, p + 104, RECORD_SIG_BYTES);
	h->clock_state = p[168];
	h->flags = p[169];
	h->recipients = le_get16(p + 170);
	h->utc_ns = (int64_t)le_get64(p + 176);
	h->boot_ns = le_get64(p + 184);
	memcpy(h->boot_id, p + 192, RECORD_BOOTID_BYTES);
	h->previous.previous = p[208];
	h->previous.epoch = le_get64(p + 216);
	memcpy(h->previous.stream, p + 224, RECORD_STREAM_BYTES);
	h->previous.segment = le_get32(p + 232);
	h->previous.record = le_get32(p + 236);
	memcpy(h->previous.hash, p + 240, RECORD_HASH_BYTES);
	memcpy(h->commitment, p + 272, RECORD_HASH_BYTES);
	if (h->recipients < 1 || h->recipients > RECORD_RECIPIENTS_MAX ||
	        n != (size_t)RECORD_HEADER_BYTES(h->recipients) || h->kind < RECORD_KIND_VIDEO ||
	        h->kind > RECORD_KIND_REPORT || h->clock_state > 2 ||
	        (h->flags & ~(RECORD_EPOCH_LOST | RECORD_RECIPIENTS_CHANGED)) ||
	        h->previous.previous > RECORD_PREVIOUS_CUT || !sodium_is_zero(p + 99, 5) ||
	        !sodium_is_zero(p + 172, 4) || !sodium_is_zero(p + 209, 7) ||
	        (h->previous.previous == RECORD_PREVIOUS_NONE && !sodium_is_zero(p + 216, 56)))
		return bad(EBADMSG);
	for (int i = 0; i < h->recipients; i++) {
		memcpy(h->slot[i].keyid, p + 304 + i * RECORD_SLOT_BYTES, RECORD_KEYID_BYTES);
		memcpy(h->slot[i].sealed, p + 312 + i * RECORD_SLOT_BYTES, RECORD_SEALED_BYTES);
	}
	return 0;
}

size_t record_header_put(uint8_t p[RECORD_BYTES_MAX], struct record_header *in)
{
	size_t n = (size_t)RECORD_HEADER_BYTES(in->recipients);

	in->prefix.type = RECORD_HEADER;
	in->prefix.length = (uint16_t)n;
	in->prefix.record = 0;
	memset(p, 0, n);
	record_prefix_put(p, &in->prefix);
	memcpy(p + 24, in->device_pk, RECORD_PK_BYTES);
	memcpy(p + 56, in->stream_pk, RECORD_PK_BYTES);
	le_put64(p + 88, in->epoch);
	le_put16(p + 96, in->channel);
	p[98] = in->kind;
	memcpy(p + 104, in->certificate, RECORD_SIG_BYTES);
	p[168] = in->clock_state;
	p[169] = in->flags;
	le_put16(p + 170, in->recipients);
	le_put64(p + 176, (uint64_t)in->utc_ns);
	le_put64(p + 184, in->boot_ns);
	memcpy(p + 192, in->boot_id, RECORD_BOOTID_BYTES);
	p[208] = in->previous.previous;
	le_put64(p + 216, in->previous.epoch);
	memcpy(p + 224, in->previous.stream, RECORD_STREAM_BYTES);
	le_put32(p + 232, in->previous.segment);
	le_put32(p + 236, in->previous.record);
	memcpy(p + 240, in->previous.hash, RECORD_HASH_BYTES);
	memcpy(p + 272, in->commitment, RECORD_HASH_BYTES);
	for (int i = 0; i < in->recipients; i++) {
		memcpy(p + 304 + i * RECORD_SLOT_BYTES, in->slot[i].keyid, RECORD_KEYID_BYTES);
		memcpy(p + 312 + i * RECORD_SLOT_BYTES, in->slot[i].sealed, RECORD_SEALED_BYTES);
	}
	return n;
}

/* ctx("stream") + bytes 24..103 of the header */
enum { CERTIFIED_BYTES = RECORD_CTX_BYTES + 80 };

static void certified(uint8_t m[CERTIFIED_BYTES], const struct record_header *h)
{
	memset(m, 0, CERTIFIED_BYTES);
	record_ctx(m, "stream");
	memcpy(m + 16, h->device_pk, RECORD_PK_BYTES);
	memcpy(m + 48, h->stream_pk, RECORD_PK_BYTES);
	le_put64(m + 80, h->epoch);
	le_put16(m + 88, h->channel);
	m[90] = h->kind;
}

void record_certify(struct record_header *in, const uint8_t device_sk[64])
{
	uint8_t m[CERTIFIED_BYTES];
	certified(m, in);
	crypto_sign_detached(in->certificate, NULL, m, sizeof m, device_sk);
}

/* --- signatures of headers and marks --- */

static const char *const sign_ctx[] = {
        [RECORD_HEADER] = "header", [RECORD_CHECKPOINT] = "checkpoint", [RECORD_END] = "end"};

/* ctx + H(all bytes before the signature) */
enum { SIGNED_BYTES = RECORD_CTX_BYTES + RECORD_HASH_BYTES };

static void signed_message(uint8_t m[SIGNED_BYTES], const uint8_t *p, size_t n)
{
	record_ctx(m, sign_ctx[p[5]]);
	record_hash(m + RECORD_CTX_BYTES, p, n - RECORD_SIG_BYTES);
}

void record_sign(uint8_t *p, size_t n, const uint8_t stream_sk[64])
{
	uint8_t m[SIGNED_BYTES];
	signed_message(m, p, n);
	crypto_sign_detached(p + n - RECORD_SIG_BYTES, NULL, m, sizeof m, stream_sk);
}

static int signature_verify(const uint8_t *p, size_t n, const uint8_t pk[RECORD_PK_BYTES])
{
	uint8_t m[SIGNED_BYTES];
	signed_message(m, p, n);
	return crypto_sign_verify_detached(p + n - RECORD_SIG_BYTES, m, sizeof m, pk);
}

int record_header_verify(const uint8_t *p, size_t n, const struct record_header *h)
{
	uint8_t m[CERTIFIED_BYTES], id[RECORD_STREAM_BYTES];

	certified(m, h);
	if (crypto_sign_verify_detached(h->certificate, m, sizeof m, h->device_pk) != 0)
		return bad(EKEYREJECTED);
	record_stream_id(id, h->stream_pk);
	if (memcmp(id, h->prefix.stream, sizeof id) != 0)
		return bad(EKEYREJECTED);
	if (signature_verify(p, n, h->stream_pk) != 0)
		return bad(EKEYREJECTED);
	return 0;
}

/* --- marks --- */

int record_mark_parse(const uint8_t *p, size_t n, struct record_mark *out)
{
	struct record_mark *m = out;

	if (record_prefix_parse(p, n, &m->prefix) < 0)
		return errno == ENODATA ? bad(EBADMSG) : -1;
	if ((m->prefix.type != RECORD_CHECKPOINT && m->prefix.type != RECORD_END) || n != RECORD_MARK_BYTES)
		return bad(EBADMSG);
	m->first_record = le_get32(p + 24);
	m->clock_state = p[28];
	m->reason = p[29];
	m->utc_ns = (int64_t)le_get64(p + 32);
	m->boot_ns = le_get64(p + 40);
	m->access_units = le_get32(p + 48);
	m->drops = le_get32(p + 52);
	m->payload_bytes = le_get64(p + 56);
	memcpy(m->header_hash, p + 64, RECORD_HASH_BYTES);
	memcpy(m->previous_hash, p + 96, RECORD_HASH_BYTES);
	memcpy(m->stretch_hash, p + 128, RECORD_HASH_BYTES);
	if (m->clock_state > 2 || m->first_record < 1 || m->first_record > m->prefix.record ||
	        !sodium_is_zero(p + 30, 2))
		return bad(EBADMSG);
	return 0;
}

int record_mark_verify(const uint8_t *p, size_t n, const uint8_t stream_pk[RECORD_PK_BYTES])
{
	return signature_verify(p, n, stream_pk) == 0 ? 0 : bad(EKEYREJECTED);
}

void record_mark_put(uint8_t p[RECORD_MARK_BYTES], struct record_mark *in)
{
	in->prefix.length = RECORD_MARK_BYTES;
	memset(p, 0, RECORD_MARK_BYTES);
	record_prefix_put(p, &in->prefix);
	le_put32(p + 24, in->first_record);
	p[28] = in->clock_state;
	p[29] = in->reason;
	le_put64(p + 32, (uint64_t)in->utc_ns);
	le_put64(p + 40, in->boot_ns);
	le_put32(p + 48, in->access_units);
	le_put32(p + 52, in->drops);
	le_put64(p + 56, in->payload_bytes);
	memcpy(p + 64, in->header_hash, RECORD_HASH_BYTES);
	memcpy(p + 96, in->previous_hash, RECORD_HASH_BYTES);
	memcpy(p + 128, in->stretch_hash, RECORD_HASH_BYTES);
}

/* --- data --- */

/* stream id + segment + record + zero 8: bytes 8..23 of the prefix, then zeros */
static void nonce_of(uint8_t nonce[24], const uint8_t *prefix)
{
	memset(nonce, 0, 24);
	memcpy(nonce, prefix + 8, 16);
}

size_t record_data_seal(uint8_t p[RECORD_BYTES_MAX], struct record_prefix *prefix, uint8_t flags,
        const uint8_t *payload, size_t payload_bytes, const uint8_t data_key[32])
{
	uint8_t nonce[24];
	size_t n = RECORD_DATA_OVERHEAD_BYTES + payload_bytes;

	prefix->type = RECORD_DATA;
	prefix->length = (uint16_t)n;
	record_prefix_put(p, prefix);
	p[RECORD_PREFIX_BYTES] = flags;
	memcpy(p + RECORD_PREFIX_BYTES + 1, payload, payload_bytes);
	nonce_of(nonce, p);
	crypto_aead_xchacha20poly1305_ietf_encrypt(p + RECORD_PREFIX_BYTES, NULL, p + RECORD_PREFIX_BYTES,
	        1 + payload_bytes, p, RECORD_PREFIX_BYTES, NULL, nonce, data_key);
	return n;
}

long record_data_open(
        const uint8_t *p, size_t n, uint8_t *flags, uint8_t *payload, const uint8_t data_key[32])
{
	uint8_t nonce[24], plain[1 + RECORD_PAYLOAD_BYTES_MAX];
	unsigned long long plain_bytes;

	if (n <= RECORD_DATA_OVERHEAD_BYTES || n > RECORD_BYTES_MAX)
		return bad(EBADMSG);
	nonce_of(nonce, p);
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(plain, &plain_bytes, NULL, p + RECORD_PREFIX_BYTES,
	            n - RECORD_PREFIX_BYTES, p, RECORD_PREFIX_BYTES, nonce, data_key) != 0)
		return bad(EBADMSG);
	if (plain[0] & ~RECORD_DATA_FLAGS)
		return bad(EBADMSG);
	*flags = plain[0];
	memcpy(payload, plain + 1, plain_bytes - 1);
	sodium_memzero(plain, sizeof plain);
	return (long)plain_bytes - 1;
}
