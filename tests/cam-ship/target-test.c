#define _GNU_SOURCE
#include "tap.h"
#include "target.h"

#include <sodium.h>
#include <string.h>

static struct target t;

static int is(const char *url, const char *endpoint, int http, const char *base, const char *text)
{
	const struct target_options o = {.endpoint = endpoint, .http_allowed = http};
	const char *why = target_parse(&t, url, &o);
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
	        {"https://", 0, 0}, {"https://cloud.example:99999/", 0, 0}, {"s3://", "https://e", 0},
	        {"s3://ab/", "https://e", 0}, {"s3:///door/", "https://e", 0},
	        {"s3://cams//x", "https://e", 0}, {"s3://cams/a+b/", "https://e", 0},
	        {"s3://cams/", "http://e", 0}, {"s3://cams/", "http://e", 1},
	        {"s3://cams/", "https://e/path", 0}, {"s3://cams/", "https://u:p@e", 0},
	        {"s3://../x/", "https://e", 0}, {"s3://.../../x/", "https://e", 0}};
	char url[3000] = "https://cloud.example/";

	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
		const struct target_options o = {.endpoint = bad[i].endpoint, .http_allowed = bad[i].http};
		ok(target_parse(&t, bad[i].url, &o) != NULL, "refused %u", i);
	}
	const struct target_options none = {0};
	memset(url + strlen(url), 'a', 800);
	ok(target_parse(&t, url, &none) != NULL, "refused: so long that no room for keys is left");
	memset(url + 500, 'a', 2400);
	ok(target_parse(&t, url, &none) != NULL, "refused: very long");
}

static int goes_to(const char *url, const struct target_options *o, const char *base, const char *host,
        const char *port, const char *authority)
{
	const char *why = target_parse(&t, url, o);
	printf("# %s %s %s %s %s\n", why ? why : "-", t.base, t.host, t.port, t.authority);
	return !why && strcmp(t.base, base) == 0 && strcmp(t.host, host) == 0 && strcmp(t.port, port) == 0 &&
	       strcmp(t.authority, authority) == 0;
}

/* What is connected to, and what is signed as host. */
static void hosts(void)
{
	const struct target_options none = {0}, frankfurt = {.region = "eu-central-1"},
	                            in_host = {.virtual_host = 1},
	                            own = {.endpoint = "https://s3.example:7443/", .virtual_host = 1},
	                            v6 = {.endpoint = "https://[2001:db8::1]"}, odd = {.region = "eu:x"},
	                            port = {.endpoint = "https://s3.example:443"};

	ok(goes_to("https://cloud.example/a/", &none, "https://cloud.example/a/", "cloud.example", "443",
	           "cloud.example"),
	        "https");
	ok(goes_to("https://cloud.example:8443/a/", &none, "https://cloud.example:8443/a/", "cloud.example",
	           "8443", "cloud.example:8443"),
	        "https with a port");
	ok(goes_to("s3://cams/door/", &none, "https://cams.s3.us-east-1.amazonaws.com/door/",
	           "cams.s3.us-east-1.amazonaws.com", "443", "cams.s3.us-east-1.amazonaws.com") &&
	                strcmp(t.base + t.root_bytes, "/door/") == 0 && strcmp(t.region, "us-east-1") == 0 &&
	                strcmp(t.text, "s3://cams/door/") == 0,
	        "no endpoint: Amazon's, the bucket in the host's name");
	ok(goes_to("s3://cams", &frankfurt, "https://cams.s3.eu-central-1.amazonaws.com/",
	           "cams.s3.eu-central-1.amazonaws.com", "443", "cams.s3.eu-central-1.amazonaws.com") &&
	                strcmp(t.region, "eu-central-1") == 0,
	        "of that region");
	ok(goes_to("s3://my.cams/", &none, "https://s3.us-east-1.amazonaws.com/my.cams/",
	           "s3.us-east-1.amazonaws.com", "443", "s3.us-east-1.amazonaws.com") &&
	                strcmp(t.base + t.root_bytes, "/my.cams/") == 0,
	        "a bucket with dots: in the path");
	ok(goes_to("s3://cams/door/", &own, "https://cams.s3.example:7443/door/", "cams.s3.example", "7443",
	           "cams.s3.example:7443") &&
	                strcmp(t.base + t.root_bytes, "/door/") == 0,
	        "-V with an endpoint");
	ok(goes_to("s3://cams/", &v6, "https://[2001:db8::1]/cams/", "2001:db8::1", "443", "[2001:db8::1]"),
	        "IPv6");
	ok(goes_to("s3://cams/", &port, "https://s3.example:443/cams/", "s3.example", "443", "s3.example"),
	        "the usual port is not part of the header Host");
	ok(target_parse(&t, "s3://my.cams/", &in_host) != NULL, "-V and dots are refused");
	const char *const numbers[] = {
	        "http://127.0.0.1:80", "https://127.1", "https://[::1]", "https://0x7f000001"};
	for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		const struct target_options o = {
		        .endpoint = numbers[i], .virtual_host = 1, .http_allowed = 1};
		ok(target_parse(&t, "s3://cams/", &o) != NULL, "-V and an address are refused: %s",
		        numbers[i]);
	}
	ok(target_parse(&t, "https://cloud.example/", &in_host) != NULL, "-V without S3 is refused");
	ok(target_parse(&t, "s3://cams/", &odd) != NULL, "an odd region is refused");
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
	hosts();
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
