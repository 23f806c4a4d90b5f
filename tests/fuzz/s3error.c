/* Fuzz: what a server sends and cam-ship parses itself: the body of an S3 error, and Retry-After. */
#define _GNU_SOURCE
#include "s3error.h"
#include "backoff.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char code[S3ERROR_CODE_BYTES];

	int r = s3error_code((const char *)data, size, code);
	size_t n = strnlen(code, sizeof code);
	if (n == sizeof code || (r == 0) != (n > 0) ||
	        strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.") != n)
		abort();
	for (long status = 0; status < 600; status += 100)
		if (s3error_kind(status, code) > S3ERROR_OTHER)
			abort();

	char *value = malloc(size + 1);
	if (!value)
		return 0;
	memcpy(value, data, size);
	value[size] = 0;
	if (backoff_retry_after_s(value, 1795467600) < -1)
		abort();
	free(value);
	return 0;
}
