/* The examples of "Signature Calculations for the Authorization Header", Amazon S3 API Reference. */
#define _GNU_SOURCE
#include "sigv4.h"
#include "tap.h"

#include <sodium.h>
#include <string.h>

#define NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static const char id[] = "AKIAIOSFODNN7EXAMPLE", secret[] = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
static char out[SIGV4_BYTES], longest[9000];

static int sign(
        const char *method, const char *path, const char *sha256, const struct sigv4_header *h, size_t n)
{
	const struct sigv4_request r = {.method = method,
	        .path = path,
	        .region = "us-east-1",
	        .sha256 = sha256,
	        .at_s = 1369353600, /* 2013-05-24 */
	        .header = h,
	        .headers = n};
	return sigv4_sign(out, &r, id, secret);
}

int main(void)
{
	static const char body[] = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
	const struct sigv4_header get[] = {{"host", "examplebucket.s3.amazonaws.com"}, {"range", "bytes=0-9"},
	        {"x-amz-content-sha256", NOTHING}, {"x-amz-date", "20130524T000000Z"}};
	const struct sigv4_header put[] = {{"date", "Fri, 24 May 2013 00:00:00 GMT"},
	        {"host", "examplebucket.s3.amazonaws.com"}, {"x-amz-content-sha256", body},
	        {"x-amz-date", "20130524T000000Z"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}};
	const struct sigv4_header disorder[] = {{"range", "bytes=0-9"}, {"host", "h"}},
	                          twice[] = {{"host", "h"}, {"host", "h"}};

	if (sodium_init() < 0)
		return 1;
	ok(sign("GET", "/test.txt", NOTHING, get, 4) == 0 &&
	                strcmp(out, "AWS4-HMAC-SHA256 "
	                            "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
	                            "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
	                            "Signature="
	                            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41") == 0,
	        "GET: %s", out);
	ok(sign("PUT", "/test%24file.text", body, put, 5) == 0 &&
	                strstr(out,
	                        "Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
	        "PUT: %s", out);
	ok(sign("GET", "/", NOTHING, disorder, 2) < 0, "headers out of order are refused");
	ok(sign("GET", "/", NOTHING, twice, 2) < 0, "a header twice is refused");
	memset(longest, 'a', sizeof longest - 1);
	const struct sigv4_header large[] = {{"host", longest}};
	ok(sign("GET", "/", NOTHING, large, 1) < 0, "too much is refused, not cut");
	const struct sigv4_request r = {.method = "GET",
	        .path = "/",
	        .region = "us-east-1",
	        .sha256 = NOTHING,
	        .header = get,
	        .headers = 4};
	longest[600] = 0;
	ok(sigv4_sign(out, &r, id, longest) < 0, "a secret that is too long, too");
	return tap_done();
}
