/* PUT with If-None-Match: *, then HEAD where that is allowed.
 *
 * What makes a 200 to the PUT a confirmation of these bytes: their SHA-256 is part of what is signed, and the
 * server refuses a body that does not have it. What makes it an answer of such a server: an ETag of the form
 * that S3 gives and no body; a captive portal's page has a body. HEAD then catches stores that answer 200 to
 * half an object. With credentials that may only write it is forbidden, and the PUT must do.
 *
 * The key names the content, so 412 should mean that it is there already; but what is there was not put in
 * this attempt, perhaps by somebody else, perhaps by a store that has lost its end since: GET compares every
 * byte. A timeout means nothing: the next attempt's PUT finds out. */
#define _GNU_SOURCE
#include "s3.h"

#include "s3error.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SHA256_OF_NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void request(struct upload *u, enum s3_step step, const char *method, const char *sha256)
{
	struct request *r = &u->transfer.req;

	u->s3.step = step;
	request_set(r, method, "%s%s", u->target->base, u->key);
	request_header(r, "x-amz-content-sha256: %s", sha256);
	if (u->target->session_token[0])
		request_header(r, "x-amz-security-token: %s", u->target->session_token);
}

void s3_start(struct upload *u)
{
	char hex[2 * crypto_hash_sha256_BYTES + 1];

	sodium_bin2hex(hex, sizeof hex, u->file.sha256, sizeof u->file.sha256);
	u->s3.existed = 0;
	request(u, S3_PUT, "PUT", hex);
	request_header(&u->transfer.req, "If-None-Match: *");
}

/* "0123456789abcdef0123456789abcdef", or the same with -N; quotes are usual, not certain. */
static int etag_of_s3(const char *etag)
{
	static const char hex[] = "0123456789abcdef";
	etag += *etag == '"';
	size_t n = strspn(etag, hex);
	return n >= 32 && (etag[n] == 0 || etag[n] == '"' || etag[n] == '-');
}

static enum verdict failed(struct upload *u)
{
	const struct response *res = &u->transfer.res;
	char code[S3ERROR_CODE_BYTES];

	if (res->result != CURLE_OK)
		return upload_unexpected(u, "PUT");
	size_t kept = res->body_bytes < sizeof res->body ? (size_t)res->body_bytes : sizeof res->body;
	s3error_code(res->body, kept, code);
	const char *shown = code[0] ? code : "no <Code>";
	switch (s3error_kind(res->status, code)) {
	case S3ERROR_CLOCK:
		if (res->date_s < 0)
			return upload_say(u, UPLOAD_AWAY, "%ld %s: this clock is wrong", res->status, shown);
		return upload_say(u, UPLOAD_AWAY, "%ld %s: this clock is %lld s off the server's",
		        res->status, shown, (long long)llabs((long long)(time(NULL) - res->date_s)));
	case S3ERROR_BUSY:
	case S3ERROR_DENIED:
	case S3ERROR_BUCKET:
	case S3ERROR_FULL: return upload_say(u, UPLOAD_AWAY, "%ld %s", res->status, shown);
	case S3ERROR_SEGMENT: return upload_say(u, UPLOAD_ASIDE, "%ld %s", res->status, shown);
	case S3ERROR_EXISTS:
	case S3ERROR_RACE:
	case S3ERROR_DIGEST:
	case S3ERROR_FORBIDDEN: return upload_say(u, UPLOAD_TROUBLE, "%ld %s", res->status, shown);
	case S3ERROR_OTHER: break;
	}
	return code[0] && res->status >= 400 ? upload_say(u, UPLOAD_TROUBLE, "%ld %s", res->status, code)
	                                     : upload_unexpected(u, "PUT");
}

static enum verdict judge_put(struct upload *u)
{
	const struct response *res = &u->transfer.res;
	char code[S3ERROR_CODE_BYTES] = "";

	if (res->result != CURLE_OK)
		return failed(u);
	if (res->status == 200) {
		if (res->body_bytes || !etag_of_s3(res->etag))
			return upload_say(u, UPLOAD_TROUBLE,
			        "PUT: answers 200, but not as an S3 server does (captive portal?)");
	} else {
		size_t kept = res->body_bytes < sizeof res->body ? (size_t)res->body_bytes : sizeof res->body;
		s3error_code(res->body, kept, code);
		/* A bare 412 could be anyone's; the code is the gateway's. */
		if (res->status != 412 || s3error_kind(res->status, code) != S3ERROR_EXISTS || !code[0])
			return failed(u);
		u->s3.existed = 1;
	}
	if (u->target->no_head)
		return UPLOAD_STORED;
	if (u->s3.existed)
		request(u, S3_COMPARE, "GET", SHA256_OF_NOTHING);
	else
		request(u, S3_HEAD, "HEAD", SHA256_OF_NOTHING);
	return UPLOAD_GOES_ON;
}

/* The PUT just before was let through, so only reading is forbidden. */
static enum verdict unreadable(struct upload *u)
{
	u->target->no_head = 1;
	return UPLOAD_STORED;
}

static enum verdict judge_head(struct upload *u)
{
	const struct response *res = &u->transfer.res;

	if (res->status == 403)
		return unreadable(u);
	if (res->status == 404)
		return upload_say(u, UPLOAD_TROUBLE, "PUT: answers 200, but HEAD finds nothing");
	if (res->status != 200)
		return upload_unexpected(u, "HEAD");
	if (res->bytes >= 0 && (uint64_t)res->bytes == u->file.bytes)
		return UPLOAD_STORED;
	return upload_say(u, UPLOAD_TROUBLE, "PUT: answers 200, but %lld of %llu bytes are there",
	        (long long)res->bytes, (unsigned long long)u->file.bytes);
}

static enum verdict judge_compare(struct upload *u)
{
	const struct response *res = &u->transfer.res;

	if (res->status == 403)
		return unreadable(u);
	if (res->status == 404)
		return upload_say(u, UPLOAD_TROUBLE, "PUT: answers 412, but GET finds nothing");
	if (res->status != 200)
		return upload_unexpected(u, "GET");
	if (res->same == SAME_ALL)
		return UPLOAD_STORED;
	if (res->bytes >= 0 && (uint64_t)res->bytes != u->file.bytes)
		return upload_say(u, UPLOAD_ASIDE, "conflict: %s%s has %lld bytes instead of %llu",
		        u->target->text, u->key, (long long)res->bytes, (unsigned long long)u->file.bytes);
	return upload_say(u, UPLOAD_ASIDE, "conflict: %s%s has other bytes", u->target->text, u->key);
}

enum verdict s3_next(struct upload *u)
{
	if (u->s3.step == S3_PUT)
		return judge_put(u);
	if (u->transfer.res.result != CURLE_OK)
		return upload_unexpected(u, u->transfer.req.method);
	return u->s3.step == S3_HEAD ? judge_head(u) : judge_compare(u);
}
