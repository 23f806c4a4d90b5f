/* truetime: what time it is, on a device that may not know. */
#ifndef TRUETIME_H
#define TRUETIME_H
#include <stdint.h>

#define TRUETIME_HEARSAY_S (10 * 31556952ll) /* how far beyond the build date unsure clocks are believed */

struct truetime {
	int64_t built_s; /* when this program was made: it cannot be earlier */
	int64_t least_s; /* it is at least this late: built_s, or what a segment's name says */
	int learnt;
	int64_t ahead_s; /* the server's clock minus the boot-time clock */
};

void truetime_init(struct truetime *t);
/* A segment was recorded at this time, says its name. */
void truetime_name(struct truetime *t, uint64_t utc_s);
/* All names in a directory. 0, or -1 with errno. */
int truetime_spool(struct truetime *t, int dir_fd);
/* A server that was verified by TLS says that it is this late now. */
void truetime_learn(struct truetime *t, int64_t server_s);

/* The time at which certificates are judged. *sure: by a synchronised clock; else it is only known that it
 * is not earlier than this. */
int64_t truetime_certificates_s(const struct truetime *t, int *sure);
/* The time to date requests with: the server's own once it is known. */
int64_t truetime_requests_s(const struct truetime *t);

/* An HTTP-date as IMF-fixdate (RFC 9110, 5.6.7), the only form that may still be generated: seconds since
 * 1970, or -1. */
int64_t truetime_http_date_s(const char *value);
#endif
