/* name: the names of segments in a spool directory, on pipes and in a bucket.
 *
 *     EPOCH-SEGMENT-UTC-STREAM.SUFFIX
 *     0000000042-0000000007-20260131T235959Z-0123456789abcdef.cam
 *
 * EPOCH has 10 to 20 digits, SEGMENT 10, UTC is the first access unit's time to the second by the camera's
 * clock, STREAM the stream id in hexadecimal. Nothing but [0-9A-Za-z.-] occurs, so a name needs no quoting
 * anywhere. Order is epoch, then segment, then stream: never the clock. */
#ifndef NAME_H
#define NAME_H
#include <stdint.h>

enum { NAME_STREAM_BYTES = 8, NAME_BYTES_MAX = 96 }; /* text with suffix and NUL */

/* part: being written. cam: durable, to be shipped. sent: stored remotely. gone: stub of an evicted one. */
enum name_state { NAME_PART, NAME_CAM, NAME_SENT, NAME_GONE };

struct name {
	uint64_t epoch;
	uint32_t segment;
	uint64_t utc_s; /* seconds since 1970, at most 253402300799 (year 9999); before 1970 is written as
	                   1970 */
	uint8_t stream[NAME_STREAM_BYTES];
	enum name_state state;
};

void name_put(char out[NAME_BYTES_MAX], const struct name *n);
/* The whole of s. 0, or -1 when s is no such name (also when name_put would write it differently). */
int name_parse(const char *s, struct name *out);
/* <0, 0, >0 in the order of recording; the state does not count. */
int name_compare(const struct name *a, const struct name *b);
/* YYYY-MM-DD of the name, UTC. */
void name_date(char out[11], const struct name *n);
#endif
