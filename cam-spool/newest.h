/* newest: how far a segment in the spool has come. */
#ifndef NEWEST_H
#define NEWEST_H
#include "record.h"

struct newest {
	struct record_header header;
	uint8_t mark_hash[RECORD_HASH_BYTES]; /* of the last mark; of the header when there is none yet */
	uint32_t record;                      /* of that mark; 0 is the header */
	uint32_t frames, drops;               /* as that mark says */
};

/* Reads the segment in fd from its beginning. Nothing is verified: who wrote the spool can say anything here.
 * 0, or -1 when it does not begin with a header. */
int newest_read(struct newest *out, int fd);
#endif
