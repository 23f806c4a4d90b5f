/* "Authenticating Requests: Using the Authorization Header (AWS Signature Version 4)", Amazon S3 API
 * Reference. Sees the secret key and wipes what it derives from it. */
#define _GNU_SOURCE
#include "sigv4.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { CANONICAL_BYTES = 8192, SECRET_BYTES = 512 };

struct text {
	char *at;
	size_t left;
	int overflow;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *t, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(t->at, t->left, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= t->left) {
		t->overflow = 1;
		return;
	}
	t->at += n;
	t->left -= (size_t)n;
}

static void hmac(uint8_t out[32], const void *key, size_t key_bytes, const char *text)
{
	crypto_auth_hmacsha256_state s;
	crypto_auth_hmacsha256_init(&s, key, key_bytes);
	crypto_auth_hmacsha256_update(&s, (const unsigned char *)text, strlen(text));
	crypto_auth_hmacsha256_final(&s, out);
	sodium_memzero(&s, sizeof s);
}

static void signed_names(struct text *t, const struct sigv4_request *r)
{
	for (size_t i = 0; i < r->headers; i++)
		put(t, "%s%s", i ? ";" : "", r->header[i].name);
}

/* The hash of the canonical request. */
static int canonical(const struct sigv4_request *r, char hex[65])
{
	char buf[CANONICAL_BYTES];
	struct text t = {buf, sizeof buf, 0};
	uint8_t hash[32];

	put(&t, "%s\n%s\n\n", r->method, r->path);
	for (size_t i = 0; i < r->headers; i++) {
		if (i && strcmp(r->header[i - 1].name, r->header[i].name) >= 0)
			return -1;
		put(&t, "%s:%s\n", r->header[i].name, r->header[i].value);
	}
	put(&t, "\n");
	signed_names(&t, r);
	put(&t, "\n%s", r->sha256);
	if (t.overflow)
		return -1;
	crypto_hash_sha256(hash, (unsigned char *)buf, (unsigned long long)(t.at - buf));
	sodium_bin2hex(hex, 65, hash, sizeof hash);
	sodium_memzero(buf, sizeof buf); /* it may have held a session token */
	return 0;
}

static int signing_key(uint8_t key[32], const char *secret, const char *day, const char *region)
{
	char first[SECRET_BYTES];
	int n = snprintf(first, sizeof first, "AWS4%s", secret);
	int fits = n > 0 && (size_t)n < sizeof first;

	if (fits) {
		hmac(key, first, (size_t)n, day);
		hmac(key, key, 32, region);
		hmac(key, key, 32, "s3");
		hmac(key, key, 32, "aws4_request");
	}
	sodium_memzero(first, sizeof first);
	return fits ? 0 : -1;
}

void sigv4_date(char out[SIGV4_DATE_BYTES], int64_t at_s)
{
	time_t t = (time_t)at_s;
	struct tm tm;
	gmtime_r(&t, &tm);
	strftime(out, SIGV4_DATE_BYTES, "%Y%m%dT%H%M%SZ", &tm);
}

int sigv4_sign(
        char out[SIGV4_BYTES], const struct sigv4_request *r, const char *access_key, const char *secret_key)
{
	char date[SIGV4_DATE_BYTES], day[9], scope[96], hex[65], to_sign[256];
	uint8_t key[32];

	sigv4_date(date, r->at_s);
	snprintf(day, sizeof day, "%.8s", date);
	struct text s = {scope, sizeof scope, 0}, t = {to_sign, sizeof to_sign, 0}, a = {out, SIGV4_BYTES, 0};
	put(&s, "%s/%s/s3/aws4_request", day, r->region);
	if (s.overflow || canonical(r, hex) < 0 || signing_key(key, secret_key, day, r->region) < 0)
		return -1;
	put(&t, "AWS4-HMAC-SHA256\n%s\n%s\n%s", date, scope, hex);
	hmac(key, key, sizeof key, to_sign);
	sodium_bin2hex(hex, sizeof hex, key, sizeof key);
	sodium_memzero(key, sizeof key);
	put(&a, "AWS4-HMAC-SHA256 Credential=%s/%s,SignedHeaders=", access_key, scope);
	signed_names(&a, r);
	put(&a, ",Signature=%s", hex);
	return t.overflow || a.overflow ? -1 : 0;
}
