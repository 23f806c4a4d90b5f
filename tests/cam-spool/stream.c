#include "stream.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

void stream_init(struct stream *s, uint32_t seed, uint64_t epoch, int64_t utc_ns)
{
	memset(s, 0, sizeof *s);
	memcpy(s->seed, &seed, sizeof seed);
	s->seed[31] = 1;
	crypto_sign_seed_keypair(s->device_pk, s->device_sk, s->seed);
	memcpy(s->seed + 8, &epoch, sizeof epoch);
	s->seed[31] = 2;
	crypto_sign_seed_keypair(s->stream_pk, s->stream_sk, s->seed);
	s->epoch = epoch;
	s->utc_ns = utc_ns;
}

void stream_free(struct stream *s)
{
	free(s->stretch);
}

static void prefix_next(struct stream *s, struct record_prefix *x)
{
	memset(x, 0, sizeof *x);
	record_stream_id(x->stream, s->stream_pk);
	x->segment = s->segment;
	x->record = s->record++;
}

size_t stream_header(struct stream *s, uint8_t p[RECORD_BYTES_MAX], int recipients)
{
	struct record_header h = {
	        .epoch = s->epoch, .channel = 1, .kind = RECORD_KIND_VIDEO, .utc_ns = s->utc_ns};

	h.recipients = (uint16_t)recipients;
	h.previous = s->previous;
	s->segment += s->record != 0;
	s->record = 0;
	prefix_next(s, &h.prefix);
	memcpy(h.device_pk, s->device_pk, 32);
	memcpy(h.stream_pk, s->stream_pk, 32);
	memcpy(h.slot, s->seed, sizeof s->seed);
	record_certify(&h, s->device_sk);
	size_t n = record_header_put(p, &h);
	record_sign(p, n, s->stream_sk);
	record_hash(s->header_hash, p, n);
	memcpy(s->previous_hash, s->header_hash, 32);
	record_data_key(s->data_key, s->seed, s->header_hash);
	s->first_record = 1;
	s->stretch_bytes = 0;
	return n;
}

size_t stream_data(struct stream *s, uint8_t p[RECORD_BYTES_MAX], const uint8_t *payload, size_t n)
{
	struct record_prefix x;

	prefix_next(s, &x);
	size_t bytes = record_data_seal(p, &x, RECORD_AU_STARTS | RECORD_AU_ENDS, payload, n, s->data_key);
	if (s->stretch_bytes + bytes > s->stretch_size) {
		s->stretch_size = 2 * (s->stretch_bytes + bytes);
		s->stretch = realloc(s->stretch, s->stretch_size);
		if (!s->stretch)
			abort();
	}
	memcpy(s->stretch + s->stretch_bytes, p, bytes);
	s->stretch_bytes += bytes;
	s->payload_bytes += n;
	return bytes;
}

static size_t mark(struct stream *s, uint8_t p[RECORD_BYTES_MAX], uint8_t type, uint8_t reason)
{
	struct record_mark m = {.first_record = s->first_record, .reason = reason, .utc_ns = s->utc_ns};

	prefix_next(s, &m.prefix);
	m.prefix.type = type;
	m.payload_bytes = s->payload_bytes;
	memcpy(m.header_hash, s->header_hash, 32);
	memcpy(m.previous_hash, s->previous_hash, 32);
	record_hash(m.stretch_hash, s->stretch ? s->stretch : p, s->stretch_bytes);
	record_mark_put(p, &m);
	record_sign(p, RECORD_MARK_BYTES, s->stream_sk);
	record_hash(s->previous_hash, p, RECORD_MARK_BYTES);
	s->previous = (struct record_link){.previous = RECORD_PREVIOUS_ENDED,
	        .epoch = s->epoch,
	        .segment = s->segment,
	        .record = m.prefix.record};
	memcpy(s->previous.stream, m.prefix.stream, sizeof m.prefix.stream);
	memcpy(s->previous.hash, s->previous_hash, 32);
	s->first_record = s->record;
	s->stretch_bytes = 0;
	return RECORD_MARK_BYTES;
}

size_t stream_checkpoint(struct stream *s, uint8_t p[RECORD_BYTES_MAX])
{
	return mark(s, p, RECORD_CHECKPOINT, RECORD_REASON_TIMER);
}

size_t stream_end(struct stream *s, uint8_t p[RECORD_BYTES_MAX])
{
	return mark(s, p, RECORD_END, RECORD_REASON_FULL);
}

void stream_name(const struct stream *s, struct name *n)
{
	memset(n, 0, sizeof *n);
	n->epoch = s->epoch;
	n->segment = s->segment;
	n->utc_s = s->utc_ns < 0 ? 0 : (uint64_t)s->utc_ns / 1000000000;
	record_stream_id(n->stream, s->stream_pk);
	n->state = NAME_CAM;
}
