/* target: where segments go, as told by the URL and, for S3, by endpoint and region. */
#ifndef TARGET_H
#define TARGET_H
#include "name.h"

#include <stddef.h>
#include <stdint.h>

enum {
	TARGET_URL_BYTES = 1024, /* base, with NUL */
	TARGET_KEY_BYTES = 160,  /* DATE/NAME-HASH.cam, with NUL */
	TARGET_HASH_BYTES = 32,
	TARGET_HOST_BYTES = 256,
};

struct target {
	int s3;
	char text[TARGET_URL_BYTES]; /* as shown in messages */
	char base[TARGET_URL_BYTES]; /* scheme://host[:port]/[bucket/][prefix/] */
	size_t root_bytes;           /* of base, up to the slash behind the host */
	/* The only host and port that are ever connected to. */
	char host[TARGET_HOST_BYTES]; /* a name or an address, IPv6 without brackets */
	char port[6];
	char authority[TARGET_HOST_BYTES + 8]; /* as in the header Host */
	char region[48];                       /* S3 only */
	/* What was learnt about this server since the start. */
	int no_move;               /* it has no usable MOVE */
	unsigned moved_to_gateway; /* MOVEs in a row that ended with 502 */
	int no_head;               /* these credentials may only write */
	int no_condition;          /* it does not know If-None-Match */
	int redated;               /* that the server's clock is used was said */
	int unseen;                /* that locks cannot be seen was said */
};

struct target_options {
	const char *endpoint; /* where S3 is, https://host[:port]; NULL: Amazon's, by region */
	const char *region;   /* NULL: us-east-1 */
	int virtual_host;     /* the bucket is part of the host's name also with an endpoint */
	int http_allowed;     /* if the host is a loopback literal or localhost */
};

/* url: https://host[:port]/[prefix/] or s3://bucket/[prefix/]. A missing slash at the end is added. NULL, or
 * why it is refused. */
const char *target_parse(struct target *t, const char *url, const struct target_options *o);

/* DATE/NAME-HASH.cam: the same bytes of the same segment always have the same key, and other bytes another.
 */
void target_key(char out[TARGET_KEY_BYTES], const struct name *n, const uint8_t sha256[TARGET_HASH_BYTES]);
#endif
