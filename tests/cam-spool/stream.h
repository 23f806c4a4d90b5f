/* stream: valid records for the tests of cam-spool, the same for the same seed; the keys are nobody's. */
#ifndef STREAM_H
#define STREAM_H
#include "name.h"
#include "record.h"

struct stream {
	uint8_t device_pk[32], device_sk[64], stream_pk[32], stream_sk[64], seed[32];
	uint64_t epoch;
	int64_t utc_ns;
	uint32_t segment, record, first_record; /* the next ones */
	uint8_t header_hash[32], previous_hash[32], data_key[32];
	struct record_link previous;
	uint8_t *stretch; /* data records since the last mark */
	size_t stretch_bytes, stretch_size;
	uint64_t payload_bytes;
};

void stream_init(struct stream *s, uint32_t seed, uint64_t epoch, int64_t utc_ns);
void stream_free(struct stream *s);
/* Each writes the next record into p and returns its length. */
size_t stream_header(struct stream *s, uint8_t p[RECORD_BYTES_MAX], int recipients);
size_t stream_data(struct stream *s, uint8_t p[RECORD_BYTES_MAX], const uint8_t *payload, size_t n);
size_t stream_checkpoint(struct stream *s, uint8_t p[RECORD_BYTES_MAX]);
size_t stream_end(struct stream *s, uint8_t p[RECORD_BYTES_MAX]);
/* Of the segment begun last; state NAME_CAM. */
void stream_name(const struct stream *s, struct name *n);
#endif
