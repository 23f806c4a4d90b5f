/* sigv4: AWS Signature Version 4 for single requests to S3. Pure: no clock, no state.
 *
 * libcurl can sign, too, but 7.88 dates its signatures with time(2), and when a header X-Amz-Date says
 * otherwise sends that header twice. */
#ifndef SIGV4_H
#define SIGV4_H
#include <stddef.h>
#include <stdint.h>

enum { SIGV4_HEADERS_MAX = 12, SIGV4_DATE_BYTES = 17, SIGV4_BYTES = 768 };

/* Name in lower case; the value without spaces around it or double ones inside. */
struct sigv4_header {
	const char *name, *value;
};

/* Every field is plain text that needs no escaping in a URL; the query is empty. */
struct sigv4_request {
	const char *method, *path, *region, *sha256; /* of the payload, in hexadecimal */
	int64_t at_s;
	const struct sigv4_header *header; /* those to be signed, in the order of their names, with host and
	                                      x-amz-date */
	size_t headers;
};

/* 20260131T235959Z: the value of x-amz-date. */
void sigv4_date(char out[SIGV4_DATE_BYTES], int64_t at_s);
/* The value of the header Authorization. 0, or -1 when the headers are out of order or something is too
 * long. */
int sigv4_sign(
        char out[SIGV4_BYTES], const struct sigv4_request *r, const char *access_key, const char *secret_key);
#endif
