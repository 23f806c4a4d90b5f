/* segment: what the records of a segment say, once they have been found: opens it at a verified header, takes
 * its data, closes a stretch at a verified mark and gives out its content, closes the segment. The half of
 * reader.h that knows no bytes; used by reader.c only. */
#ifndef SEGMENT_H
#define SEGMENT_H
#include "reader.h"

void segment_verdict(struct reader *r, enum reader_verdict v, int about_segment, const char *fmt, ...)
        __attribute__((format(printf, 4, 5)));
/* 1 when this camera is one of those asked for. */
int segment_camera_asked_for(const struct reader *r, const uint8_t pk[RECORD_PK_BYTES]);
/* 1 when the record is of the open segment. */
int segment_belongs(const struct reader *r, const struct record_prefix *p);

/* Opens the key of the open segment, or says why not. */
void segment_key_open(struct reader *r);

/* Each returns 0, or -1 with errno: content() stopped it, or memory ran out. */
/* A header whose signatures verify; closes the segment before it. */
int segment_open(struct reader *r, const uint8_t *p, size_t n, const struct record_header *h);
/* A data record of the open segment, nothing of it proven yet. */
int segment_data(struct reader *r, const uint8_t *p, const struct record_prefix *prefix);
/* A mark of the open segment whose signature verifies. */
int segment_mark(struct reader *r, const uint8_t *p, const struct record_mark *m);
/* Nothing more of it comes. Does nothing when none is open. */
int segment_close(struct reader *r);
#endif
