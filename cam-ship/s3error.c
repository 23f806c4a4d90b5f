/* The <Code> decides before the status does: 403 is a wrong secret, a full quota, a suspended user or a clock
 * that is off, and each needs something else from its owner. Parses what a server sent: bounded, no state. */
#define _GNU_SOURCE
#include "s3error.h"

#include <string.h>

int s3error_code(const char *body, size_t n, char out[S3ERROR_CODE_BYTES])
{
	static const char open[] = "<Code>", close[] = "</Code>";

	out[0] = 0;
	const char *at = n ? memmem(body, n, open, sizeof open - 1) : NULL;
	if (!at)
		return -1;
	at += sizeof open - 1;
	size_t left = n - (size_t)(at - body), len = 0;
	while (len < left && ((at[len] >= 'A' && at[len] <= 'Z') || (at[len] >= 'a' && at[len] <= 'z') ||
	                             (at[len] >= '0' && at[len] <= '9') || at[len] == '.'))
		len++;
	if (!len || len >= S3ERROR_CODE_BYTES || left - len < sizeof close - 1 ||
	        memcmp(at + len, close, sizeof close - 1) != 0)
		return -1;
	memcpy(out, at, len);
	out[len] = 0;
	return 0;
}

/* Names from "Error responses", Amazon S3 API Reference, and from Ceph's rgw_common.cc. */
static const struct {
	const char *code;
	enum s3error kind;
} known[] = {
        {"PreconditionFailed", S3ERROR_EXISTS},
        {"ConditionalRequestConflict", S3ERROR_RACE},
        {"OperationAborted", S3ERROR_RACE},
        {"ConcurrentModification", S3ERROR_RACE},
        {"SlowDown", S3ERROR_BUSY},
        {"ServiceUnavailable", S3ERROR_BUSY},
        {"Busy", S3ERROR_BUSY},
        {"RequestTimeTooSkewed", S3ERROR_CLOCK},
        {"RequestExpired", S3ERROR_CLOCK},
        {"InvalidAccessKeyId", S3ERROR_DENIED},
        {"SignatureDoesNotMatch", S3ERROR_DENIED},
        {"InvalidToken", S3ERROR_DENIED},
        {"ExpiredToken", S3ERROR_DENIED},
        {"TokenRefreshRequired", S3ERROR_DENIED},
        {"InvalidSecurity", S3ERROR_DENIED},
        {"AccountProblem", S3ERROR_DENIED},
        {"AuthorizationHeaderMalformed", S3ERROR_DENIED},
        {"UserSuspended", S3ERROR_DENIED},
        {"NotSignedUp", S3ERROR_DENIED},
        {"AccessDenied", S3ERROR_FORBIDDEN},
        {"AllAccessDisabled", S3ERROR_DENIED},
        {"NoSuchBucket", S3ERROR_BUCKET},
        {"InvalidBucketName", S3ERROR_BUCKET},
        {"PermanentRedirect", S3ERROR_BUCKET},
        {"TemporaryRedirect", S3ERROR_BUCKET},
        {"IllegalLocationConstraintException", S3ERROR_BUCKET},
        {"QuotaExceeded", S3ERROR_FULL},
        {"BadDigest", S3ERROR_DIGEST},
        {"XAmzContentSHA256Mismatch", S3ERROR_DIGEST},
        {"InvalidDigest", S3ERROR_DIGEST},
        {"IncompleteBody", S3ERROR_DIGEST},
        {"EntityTooLarge", S3ERROR_SEGMENT},
        {"EntityTooSmall", S3ERROR_SEGMENT},
        {"KeyTooLongError", S3ERROR_SEGMENT},
        {"InvalidObjectName", S3ERROR_SEGMENT},
};

enum s3error s3error_kind(long status, const char *code)
{
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(code, known[i].code) == 0)
			return known[i].kind;
	switch (status) {
	case 412: return S3ERROR_EXISTS;
	case 409: return S3ERROR_RACE;
	case 401: return S3ERROR_DENIED;
	case 403: return S3ERROR_FORBIDDEN;
	case 413: return S3ERROR_SEGMENT;
	case 429:
	case 503: return S3ERROR_BUSY;
	default: return S3ERROR_OTHER;
	}
}
