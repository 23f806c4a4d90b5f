#include "s3error.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>

static int code_is(const char *body, const char *wanted)
{
	char code[S3ERROR_CODE_BYTES];
	/* An exact copy on the heap, so that a sanitizer sees every byte too far. */
	size_t n = strlen(body);
	char *copy = malloc(n ? n : 1);
	if (!copy)
		return 0;
	memcpy(copy, body, n); /* NOLINT(bugprone-not-null-terminated-result): the point of it */
	int r = s3error_code(copy, n, code);
	free(copy);
	return wanted ? r == 0 && strcmp(code, wanted) == 0 : r == -1 && !code[0];
}

int main(void)
{
	char body[256], longest[S3ERROR_CODE_BYTES + 1];

	ok(code_is("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>x</Message></Error>",
	           "AccessDenied"),
	        "code");
	ok(code_is("<Code>a</Code><Code>b</Code>", "a"), "the first one");
	ok(code_is("<Code>InvalidTag.Name9</Code>", "InvalidTag.Name9"), "letters, digits and dots");
	const char *const none[] = {"", "<", "<Code>", "<Code></Code>", "<Code>a", "<Code>a<",
	        "<Code>a</Code", "<Code>a b</Code>", "<Code>a\n</Code>", "<code>a</code>",
	        "<html>Welcome</html>"};
	for (unsigned i = 0; i < sizeof none / sizeof *none; i++)
		ok(code_is(none[i], NULL), "none in %u", i);
	memset(longest, 'a', sizeof longest);
	longest[S3ERROR_CODE_BYTES - 1] = 0;
	snprintf(body, sizeof body, "<Code>%s</Code>", longest);
	ok(code_is(body, longest), "the longest that fits");
	longest[S3ERROR_CODE_BYTES - 1] = 'a';
	longest[S3ERROR_CODE_BYTES] = 0;
	snprintf(body, sizeof body, "<Code>%s</Code>", longest);
	ok(code_is(body, NULL), "one more does not");

	ok(s3error_kind(403, "RequestTimeTooSkewed") == S3ERROR_CLOCK, "403: clock");
	ok(s3error_kind(403, "QuotaExceeded") == S3ERROR_FULL, "403: quota");
	ok(s3error_kind(403, "UserSuspended") == S3ERROR_DENIED, "403: suspended");
	ok(s3error_kind(403, "SignatureDoesNotMatch") == S3ERROR_DENIED, "403: secret");
	ok(s3error_kind(403, "") == S3ERROR_FORBIDDEN, "403 alone");
	ok(s3error_kind(404, "NoSuchBucket") == S3ERROR_BUCKET, "404: bucket");
	ok(s3error_kind(412, "PreconditionFailed") == S3ERROR_EXISTS &&
	                s3error_kind(412, "") == S3ERROR_EXISTS,
	        "412: exists");
	ok(s3error_kind(409, "ConditionalRequestConflict") == S3ERROR_RACE &&
	                s3error_kind(409, "") == S3ERROR_RACE,
	        "409: race");
	ok(s3error_kind(503, "SlowDown") == S3ERROR_BUSY && s3error_kind(503, "") == S3ERROR_BUSY,
	        "503: busy");
	ok(s3error_kind(400, "XAmzContentSHA256Mismatch") == S3ERROR_DIGEST, "400: digest");
	ok(s3error_kind(400, "EntityTooLarge") == S3ERROR_SEGMENT, "400: too large");
	ok(s3error_kind(500, "InternalError") == S3ERROR_OTHER && s3error_kind(418, "x") == S3ERROR_OTHER,
	        "others");
	return tap_done();
}
