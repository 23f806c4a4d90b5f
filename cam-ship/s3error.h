/* s3error: what an error answer of an S3 server means. Pure: bytes in, a verdict out. */
#ifndef S3ERROR_H
#define S3ERROR_H
#include <stddef.h>

enum { S3ERROR_CODE_BYTES = 64 };

enum s3error {
	S3ERROR_EXISTS,    /* the key is taken */
	S3ERROR_RACE,      /* another writer is at this key: try again */
	S3ERROR_BUSY,      /* asked to slow down, or not able just now */
	S3ERROR_CLOCK,     /* our clock and the server's differ too much */
	S3ERROR_DENIED,    /* these credentials do not work here at all */
	S3ERROR_FORBIDDEN, /* refused: perhaps all requests, perhaps this key */
	S3ERROR_BUCKET,    /* no such bucket, or it lies elsewhere */
	S3ERROR_FULL,      /* quota */
	S3ERROR_DIGEST,    /* other bytes arrived than were signed */
	S3ERROR_SEGMENT,   /* this object cannot be stored: too large, bad name */
	S3ERROR_OTHER,
};

/* The first <Code> of the n bytes of an answer's body. 0, or -1 when there is none that is letters, digits
 * and dots and fits. out is always terminated. */
int s3error_code(const char *body, size_t n, char out[S3ERROR_CODE_BYTES]);

/* code may be empty; then the status alone decides. */
enum s3error s3error_kind(long status, const char *code);

/* What the owner can do about it; empty when there is nothing to add. */
const char *s3error_advice(const char *code);
#endif
