/* target: where segments go, as told by the URL and, for S3, by the environment. */
#ifndef TARGET_H
#define TARGET_H
#include "name.h"

#include <stddef.h>
#include <stdint.h>

enum {
	TARGET_URL_BYTES = 1024,    /* base, with NUL */
	TARGET_SECRET_BYTES = 4096, /* a session token; keys are far shorter */
	TARGET_KEY_BYTES = 160,     /* DATE/NAME-HASH.cam, with NUL */
	TARGET_HASH_BYTES = 32,
};

struct target {
	int s3;
	char text[TARGET_URL_BYTES]; /* as shown in messages */
	char base[TARGET_URL_BYTES]; /* scheme://host[:port]/[bucket/][prefix/] */
	size_t root_bytes;           /* of base, up to the slash behind the host */
	/* S3 only. Secrets: see target_environment. */
	char sigv4[80];
	char access_key[256];
	char secret_key[256];
	char session_token[TARGET_SECRET_BYTES];
	/* What was learnt about this server since the start. */
	int no_move; /* it has no usable MOVE */
	int no_head; /* these credentials may only write */
};

/* url: https://host[:port]/[prefix/] or s3://bucket/[prefix/]. endpoint: where S3 is, https://host[:port],
 * else NULL. http is accepted only when allowed and the host is a loopback literal or localhost. A missing
 * slash at the end is added. NULL, or why it is refused. */
const char *target_parse(struct target *t, const char *url, const char *endpoint, int http_allowed);

/* The region and credentials of S3 from the environment, from which the secret ones are then removed, also
 * out of the memory that /proc/PID/environ shows. NULL, or what is missing or malformed. */
const char *target_environment(struct target *t);

/* DATE/NAME-HASH.cam: the same bytes of the same segment always have the same key, and other bytes another.
 */
void target_key(char out[TARGET_KEY_BYTES], const struct name *n, const uint8_t sha256[TARGET_HASH_BYTES]);
#endif
