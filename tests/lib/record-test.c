#include "le.h"
#include "record.h"
#include "tap.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

static uint8_t device_pk[32], device_sk[64], stream_pk[32], stream_sk[64];

static size_t header_make(uint8_t p[RECORD_BYTES_MAX], int recipients)
{
	struct record_header h = {.epoch = 3,
	        .channel = 1,
	        .kind = RECORD_KIND_VIDEO,
	        .recipients = (uint16_t)recipients,
	        .utc_ns = 5,
	        .boot_ns = 6};
	memcpy(h.device_pk, device_pk, 32);
	memcpy(h.stream_pk, stream_pk, 32);
	record_stream_id(h.prefix.stream, stream_pk);
	h.prefix.segment = 9;
	randombytes_buf(h.slot, sizeof h.slot);
	record_certify(&h, device_sk);
	size_t n = record_header_put(p, &h);
	record_sign(p, n, stream_sk);
	return n;
}

static int header_good(const uint8_t *p, size_t n)
{
	struct record_header h;
	return record_header_parse(p, n, &h) == 0 && record_header_verify(p, n, &h) == 0;
}

static void headers(void)
{
	uint8_t p[RECORD_BYTES_MAX], q[RECORD_BYTES_MAX];
	struct record_header h;
	for (int k = 1; k <= RECORD_RECIPIENTS_MAX; k += 31) {
		size_t n = header_make(p, k), accepted = 0;
		ok(n == (size_t)(368 + 88 * k) && header_good(p, n),
		        "header for %d recipients: %zu bytes, verifies", k, n);
		ok(record_header_parse(p, n, &h) == 0 && record_header_put(q, &h) == n &&
		                memcmp(p, q, n - 64) == 0,
		        "parsed and written again the same");
		for (size_t bit = 0; bit < n * 8; bit++) {
			p[bit / 8] ^= (uint8_t)(1 << bit % 8);
			accepted += header_good(p, n);
			p[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		ok(!accepted, "none of %zu flipped bits is accepted", n * 8);
		ok(!header_good(p, n - 1) && !header_good(p, 24) && !header_good(p, 0), "nor a shorter one");
	}
	size_t n = header_make(p, 1);
	p[172] = 1;
	record_sign(p, n, stream_sk);
	ok(record_header_parse(p, n, &h) < 0 && errno == EBADMSG,
	        "a reserved byte that is set is refused, signed or not");
	n = header_make(p, 1);
	memset(p + 208, 0, 64);
	ok(record_header_parse(p, n, &h) == 0, "a header that follows nothing");
	p[216] = 1;
	ok(record_header_parse(p, n, &h) < 0 && errno == EBADMSG,
	        "that says what it follows all the same is refused");
}

static void marks(void)
{
	uint8_t p[RECORD_MARK_BYTES];
	struct record_mark m = {.prefix = {.type = RECORD_CHECKPOINT, .segment = 9, .record = 12},
	        .first_record = 1,
	        .access_units = 30,
	        .payload_bytes = 4000};
	record_mark_put(p, &m);
	record_sign(p, sizeof p, stream_sk);
	struct record_mark r;
	ok(record_mark_parse(p, sizeof p, &r) == 0 && r.first_record == 1 && r.access_units == 30 &&
	                r.payload_bytes == 4000,
	        "mark fields");
	ok(record_mark_verify(p, sizeof p, stream_pk) == 0, "mark verifies");
	ok(record_mark_verify(p, sizeof p, device_pk) < 0 && errno == EKEYREJECTED, "not with another key");
	p[5] = RECORD_END;
	ok(record_mark_verify(p, sizeof p, stream_pk) < 0, "a checkpoint cannot be passed off as an end");
}

static void data(void)
{
	uint8_t p[RECORD_BYTES_MAX], key[32], in[RECORD_PAYLOAD_BYTES_MAX], out[RECORD_PAYLOAD_BYTES_MAX],
	        flags;
	struct record_prefix prefix = {.segment = 1, .record = 2};
	randombytes_buf(key, sizeof key);
	randombytes_buf(in, sizeof in);
	size_t n = record_data_seal(p, &prefix, RECORD_AU_STARTS, in, sizeof in, key);
	ok(n == RECORD_BYTES_MAX, "a full record has %zu bytes", n);
	ok(record_data_open(p, n, &flags, out, key) == (long)sizeof in && flags == RECORD_AU_STARTS &&
	                memcmp(in, out, sizeof in) == 0,
	        "opens");
	size_t accepted = 0;
	for (size_t bit = 0; bit < n * 8; bit += 7) {
		p[bit / 8] ^= (uint8_t)(1 << bit % 8);
		accepted += record_data_open(p, n, &flags, out, key) >= 0;
		p[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	ok(!accepted, "no flipped bit opens");
	n = record_data_seal(p, &prefix, 0, in, 1, key);
	ok(n == RECORD_DATA_OVERHEAD_BYTES + 1, "one byte costs %d more", RECORD_DATA_OVERHEAD_BYTES);
}

static void prefixes(void)
{
	uint8_t p[RECORD_PREFIX_BYTES] = {0xc5, 0x43, 0x41, 0x4d, 1, RECORD_DATA, 0, 16};
	struct record_prefix r;
	le_put32(p + 20, 1);
	ok(record_prefix_parse(p, sizeof p, &r) == 0 && r.length == 4096, "data of 4096 bytes");
	ok(record_prefix_parse(p, 23, &r) < 0 && errno == ENODATA, "23 bytes are not enough to tell");
	ok(record_prefix_parse(p, 0, &r) < 0 && errno == ENODATA, "nor is nothing");
	le_put16(p + 6, 4097);
	ok(record_prefix_parse(p, sizeof p, &r) < 0 && errno == EBADMSG, "4097 bytes are too many");
	le_put16(p + 6, 41);
	ok(record_prefix_parse(p, sizeof p, &r) < 0 && errno == EBADMSG, "41 bytes hold no content");
	le_put16(p + 6, 42);
	le_put32(p + 20, 0);
	ok(record_prefix_parse(p, sizeof p, &r) < 0 && errno == EBADMSG, "record 0 is a header");
	p[4] = 2;
	ok(record_prefix_parse(p, sizeof p, &r) < 0 && errno == EPROTONOSUPPORT,
	        "version 2 is named as such");
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	crypto_sign_keypair(device_pk, device_sk);
	crypto_sign_keypair(stream_pk, stream_sk);
	prefixes();
	headers();
	marks();
	data();
	return tap_done();
}
