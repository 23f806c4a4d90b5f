#define _GNU_SOURCE
#include "newest.h"

#include "fdio.h"

#include <string.h>
#include <sys/types.h>

int newest_read(struct newest *out, int fd)
{
	uint8_t p[RECORD_BYTES_MAX];
	struct record_prefix x;
	struct record_mark m;
	off_t at;
	ssize_t n = fd_pread(fd, p, sizeof p, 0);

	memset(out, 0, sizeof *out);
	if (n < 0 || record_prefix_parse(p, (size_t)n, &x) < 0 || x.type != RECORD_HEADER ||
	        n < (ssize_t)x.length || record_header_parse(p, x.length, &out->header) < 0)
		return -1;
	record_hash(out->mark_hash, p, x.length);
	for (at = x.length; at < RECORD_SEGMENT_BYTES_MAX; at += x.length) {
		n = fd_pread(fd, p, RECORD_MARK_BYTES, at);
		if (n < 0 || record_prefix_parse(p, (size_t)n, &x) < 0)
			break; /* the end, or damage: what is known so far */
		if (x.type == RECORD_DATA || n < RECORD_MARK_BYTES ||
		        record_mark_parse(p, RECORD_MARK_BYTES, &m) < 0)
			continue;
		record_hash(out->mark_hash, p, RECORD_MARK_BYTES);
		out->record = x.record;
		out->frames = m.access_units;
		out->drops = m.drops;
	}
	return 0;
}
