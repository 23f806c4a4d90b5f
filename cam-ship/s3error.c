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
	const char *advice;
} known[] = {
        {"PreconditionFailed", S3ERROR_EXISTS, ""},
        {"ConditionalRequestConflict", S3ERROR_RACE, ""},
        {"OperationAborted", S3ERROR_RACE, ""},
        {"ConcurrentModification", S3ERROR_RACE, ""},
        {"SlowDown", S3ERROR_BUSY, ""},
        {"ServiceUnavailable", S3ERROR_BUSY, ""},
        {"Busy", S3ERROR_BUSY, ""},
        {"RequestTimeTooSkewed", S3ERROR_CLOCK, ""},
        {"RequestExpired", S3ERROR_CLOCK, ""},
        {"InvalidAccessKeyId", S3ERROR_DENIED, "the server does not know this access key"},
        {"SignatureDoesNotMatch", S3ERROR_DENIED,
                "the secret key is not that of the access key, or something on the way alters requests"},
        {"InvalidToken", S3ERROR_DENIED, "the session token is not that of the keys"},
        {"ExpiredToken", S3ERROR_DENIED, "the temporary credentials have expired: put new ones there"},
        {"TokenRefreshRequired", S3ERROR_DENIED, ""},
        {"InvalidSecurity", S3ERROR_DENIED, ""},
        {"AccountProblem", S3ERROR_DENIED, "the account needs its owner, see the provider"},
        {"AuthorizationHeaderMalformed", S3ERROR_DENIED, "the bucket is in another region: set AWS_REGION"},
        {"UserSuspended", S3ERROR_DENIED, "the server's administrator has suspended this user"},
        {"NotSignedUp", S3ERROR_DENIED, "the account has no S3"},
        {"AccessDenied", S3ERROR_FORBIDDEN,
                "these credentials may not do that here: the policy has to allow s3:PutObject for this "
                "prefix"},
        {"AllAccessDisabled", S3ERROR_DENIED, "the provider has disabled the bucket"},
        {"NoSuchBucket", S3ERROR_BUCKET, "make the bucket, or correct the URL"},
        {"InvalidBucketName", S3ERROR_BUCKET, "correct the URL"},
        {"PermanentRedirect", S3ERROR_BUCKET,
                "the bucket is elsewhere: correct AWS_ENDPOINT_URL or AWS_REGION"},
        {"TemporaryRedirect", S3ERROR_BUCKET, "the bucket is moving: try AWS_ENDPOINT_URL of its region"},
        {"IllegalLocationConstraintException", S3ERROR_BUCKET,
                "the bucket is in another region: set AWS_REGION"},
        {"InsufficientStorage", S3ERROR_FULL, "there is no room left on the server"},
        {"XMinioStorageFull", S3ERROR_FULL, "there is no room left on the server"},
        {"QuotaExceeded", S3ERROR_FULL, "the quota is used up: raise it, or let old objects expire"},
        {"BadDigest", S3ERROR_DIGEST, "other bytes arrived than were sent"},
        {"XAmzContentSHA256Mismatch", S3ERROR_DIGEST, "other bytes arrived than were sent"},
        {"InvalidDigest", S3ERROR_DIGEST, ""},
        {"IncompleteBody", S3ERROR_DIGEST, ""},
        {"EntityTooLarge", S3ERROR_SEGMENT, "larger than the server allows"},
        {"EntityTooSmall", S3ERROR_SEGMENT, ""},
        {"KeyTooLongError", S3ERROR_SEGMENT, ""},
        {"InvalidObjectName", S3ERROR_SEGMENT, ""},
};

const char *s3error_advice(const char *code)
{
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(code, known[i].code) == 0)
			return known[i].advice;
	return "";
}

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
