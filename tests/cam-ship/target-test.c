#define _GNU_SOURCE
#include "tap.h"
#include "target.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static struct target t;

static int is(const char *url, const char *endpoint, int http, const char *base, const char *text)
{
	const char *why = target_parse(&t, url, endpoint, http);
	if (why)
		printf("# %s\n", why);
	return !why && strcmp(t.base, base) == 0 && strcmp(t.text, text) == 0;
}

static void accepted(void)
{
	const char *e = "https://s3.example:7443";
	ok(is("https://cloud.example/cams/door/", NULL, 0, "https://cloud.example/cams/door/",
	           "https://cloud.example/cams/door/"),
	        "https");
	ok(!t.s3 && strcmp(t.base + t.root_bytes, "/cams/door/") == 0, "where the path begins");
	ok(is("https://cloud.example", NULL, 0, "https://cloud.example/", "https://cloud.example/"),
	        "no path");
	ok(is("https://cloud.example/a", NULL, 0, "https://cloud.example/a/", "https://cloud.example/a/"),
	        "a slash is added");
	ok(is("https://[::1]:8443/a%20b/", NULL, 0, "https://[::1]:8443/a%20b/", "https://[::1]:8443/a%20b/"),
	        "IPv6, port, escapes");
	ok(is("s3://cams/door/", e, 0, "https://s3.example:7443/cams/door/", "s3://cams/door/") && t.s3,
	        "s3");
	ok(is("s3://cams", "https://s3.example/", 0, "https://s3.example/cams/", "s3://cams/"),
	        "s3: a bucket alone");
	ok(is("http://127.9.8.7:80/", NULL, 1, "http://127.9.8.7:80/", "http://127.9.8.7:80/"),
	        "http to 127.0.0.0/8 when allowed");
	ok(is("http://localhost/", NULL, 1, "http://localhost/", "http://localhost/"),
	        "http to localhost when allowed");
	ok(is("http://[::1]/", NULL, 1, "http://[::1]/", "http://[::1]/"), "http to ::1 when allowed");
	ok(is("s3://cams/", "http://127.0.0.1:7480", 1, "http://127.0.0.1:7480/cams/", "s3://cams/"),
	        "s3 over http when allowed");
}

static void refused(void)
{
	const struct {
		const char *url, *endpoint;
		int http;
	} bad[] = {{"", 0, 0}, {"cloud.example/", 0, 0}, {"ftp://cloud.example/", 0, 1},
	        {"file:///etc/passwd", 0, 1}, {"http://cloud.example/", 0, 0},
	        {"http://cloud.example/", 0, 1}, {"http://127.0.0.1/", 0, 0},
	        {"http://localhost.example/", 0, 1}, {"http://127.0.0.1.example/", 0, 1},
	        {"http://128.0.0.1/", 0, 1}, {"https://user@cloud.example/", 0, 0},
	        {"https://user:secret@cloud.example/", 0, 0}, {"https://cloud.example/?a=b", 0, 0},
	        {"https://cloud.example/#a", 0, 0}, {"https://cloud.example/a/../b/", 0, 0},
	        {"https://cloud.example/a/./b/", 0, 0}, {"https://cloud.example//a/", 0, 0},
	        {"https://cloud.example/a b/", 0, 0}, {"https://cloud.example/a\r\nHost:x/", 0, 0},
	        {"https://", 0, 0}, {"https://cloud.example:99999/", 0, 0}, {"s3://cams/", 0, 0},
	        {"s3://cams/", "", 0}, {"s3://", "https://e", 0}, {"s3://ab/", "https://e", 0},
	        {"s3:///door/", "https://e", 0}, {"s3://cams//x", "https://e", 0},
	        {"s3://cams/a+b/", "https://e", 0}, {"s3://cams/", "http://e", 0},
	        {"s3://cams/", "http://e", 1}, {"s3://cams/", "https://e/path", 0},
	        {"s3://cams/", "https://u:p@e", 0}, {"s3://../x/", "https://e", 0},
	        {"s3://.../../x/", "https://e", 0}};
	char url[3000] = "https://cloud.example/";

	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
		ok(target_parse(&t, bad[i].url, bad[i].endpoint, bad[i].http) != NULL, "refused %u", i);
	memset(url + strlen(url), 'a', 800);
	ok(target_parse(&t, url, NULL, 0) != NULL, "refused: so long that no room for keys is left");
	memset(url + 500, 'a', 2400);
	ok(target_parse(&t, url, NULL, 0) != NULL, "refused: very long");
}

static void environment(void)
{
	unsetenv("AWS_REGION");
	unsetenv("AWS_ACCESS_KEY_ID");
	unsetenv("AWS_SECRET_ACCESS_KEY");
	unsetenv("AWS_SESSION_TOKEN");
	const char *why = target_environment(&t);
	ok(why && strcmp(why, "AWS_ACCESS_KEY_ID is not set") == 0, "what is missing is named");
	setenv("AWS_ACCESS_KEY_ID", "id", 1);
	why = target_environment(&t);
	ok(why && strcmp(why, "AWS_SECRET_ACCESS_KEY is not set") == 0, "the secret, too");
	setenv("AWS_ACCESS_KEY_ID", "id", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "se:cret", 1);
	char *place = getenv("AWS_SECRET_ACCESS_KEY");
	ok(!target_environment(&t) && strcmp(t.access_key, "id") == 0 && strcmp(t.secret_key, "se:cret") == 0,
	        "credentials");
	ok(strcmp(t.sigv4, "aws:amz:us-east-1:s3") == 0 && !t.session_token[0],
	        "region by default, no token");
	ok(!getenv("AWS_SECRET_ACCESS_KEY") && !getenv("AWS_ACCESS_KEY_ID") && place && !place[0],
	        "removed, and overwritten");
	setenv("AWS_ACCESS_KEY_ID", "id", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
	setenv("AWS_SESSION_TOKEN", "a\r\nHost: x", 1);
	ok(target_environment(&t) != NULL, "a token that would end a header line is refused");
	setenv("AWS_REGION", "eu:x", 1);
	ok(target_environment(&t) != NULL, "an odd region is refused");
}

int main(void)
{
	char key[TARGET_KEY_BYTES];
	struct name n;
	const uint8_t sha256[TARGET_HASH_BYTES] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0xff};

	if (sodium_init() < 0)
		return 1;
	accepted();
	refused();
	environment();
	name_parse("0000000042-0000000007-20261123T235959Z-0123456789abcdef.cam", &n);
	target_key(key, &n, sha256);
	ok(strcmp(key, "2026-11-23/"
	               "0000000042-0000000007-20261123T235959Z-0123456789abcdef-0123456789abcdef.cam") == 0,
	        "key: %s", key);
	n.epoch = UINT64_MAX;
	target_key(key, &n, sha256);
	ok(strcmp(key + strlen(key) - 4, ".cam") == 0, "the longest key fits");
	return tap_done();
}
