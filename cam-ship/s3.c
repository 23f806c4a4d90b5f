/* PUT with If-None-Match: *, then HEAD where that is allowed.
 *
 * What makes a 200 to the PUT a confirmation of these bytes: their SHA-256 is part of what is signed, and the
 * server refuses a body that does not have it. What makes it an answer of such a server: an ETag of the form
 * that S3 gives and no body; a captive portal's page has a body. (Whether the ETag is the MD5 of the bytes
 * depends on the bucket's encryption, and proves less than that signature.) HEAD then catches stores that
 * answer 200 to half an object. With credentials that may only write it is forbidden, and the PUT must do.
 *
 * The key names the content, so 412 should mean that it is there already; but what is there was not put in
 * this attempt, perhaps by a store that has lost its end since: HEAD compares the length, then GET every
 * byte. Where reading is forbidden, whoever else may put objects under this prefix is trusted not to have put
 * others under this key; the hash in the key tells the owner. A timeout means nothing: the next attempt's PUT
 * finds out.
 *
 * A server that does not know If-None-Match (501) is looked at with HEAD first. One that dates by another
 * clock (RequestTimeTooSkewed) is asked again at once, by its own. An object that has to be locked and is not
 * is sent again without condition: a bucket with Object Lock keeps every version. */
#define _GNU_SOURCE
#include "s3.h"

#include "fdio.h"
#include "msg.h"
#include "s3error.h"
#include "sigv4.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SHA256_OF_NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* To be signed, in the order of their names. */
struct headers {
	struct sigv4_header list[SIGV4_HEADERS_MAX];
	size_t n;
};

static void add(struct headers *h, const char *name, const char *value)
{
	if (h->n == SIGV4_HEADERS_MAX)
		die(EXIT_BUG, "too many headers");
	h->list[h->n++] = (struct sigv4_header){name, value};
}

static void sign_and_prepare(
        struct upload *u, struct headers *h, const char *method, const char *sha256, int64_t at_s)
{
	const struct target *t = u->target;
	const struct credentials *c = &u->transfer.setup->credentials;
	struct request *r = &u->transfer.req;
	char authorization[SIGV4_BYTES];

	request_set(r, method, "%s%s", t->base, u->key);
	const struct sigv4_request s = {.method = method,
	        .path = r->url + t->root_bytes,
	        .region = t->region,
	        .sha256 = sha256,
	        .at_s = at_s,
	        .header = h->list,
	        .headers = h->n};
	if (sigv4_sign(authorization, &s, c->access_key, c->secret_key) < 0)
		die(EXIT_BUG, "a request cannot be signed");
	for (size_t i = 0; i < h->n; i++)
		request_header(r, "%s: %s", h->list[i].name, h->list[i].value);
	request_header(r, "Authorization: %s", authorization);
}

/* Amazon and others ask for it with every object that is to be locked. 0, or -1. */
static int content_md5(const struct transfer_file *f, char out[32])
{
	unsigned char buf[16384], digest[EVP_MAX_MD_SIZE];
	unsigned bytes = 0;
	uint64_t at = 0;
	ssize_t n = 0;
	EVP_MD_CTX *md5 = EVP_MD_CTX_new();
	int good = md5 && EVP_DigestInit_ex(md5, EVP_md5(), NULL) == 1;

	while (good && at < f->bytes) {
		size_t want = f->bytes - at < sizeof buf ? (size_t)(f->bytes - at) : sizeof buf;
		n = fd_pread(f->fd, buf, want, (off_t)at);
		good = n > 0 && EVP_DigestUpdate(md5, buf, (size_t)n) == 1;
		at += good ? (uint64_t)n : 0;
	}
	good = good && EVP_DigestFinal_ex(md5, digest, &bytes) == 1 && bytes == 16;
	EVP_MD_CTX_free(md5);
	if (good)
		sodium_bin2base64(out, 32, digest, bytes, sodium_base64_VARIANT_ORIGINAL);
	return good ? 0 : -1;
}

static enum verdict put(struct upload *u)
{
	const struct transfer_setup *setup = u->transfer.setup;
	const struct objectlock *lock = &setup->lock;
	const int64_t at_s = truetime_requests_s(&setup->time);
	char hex[2 * DIGEST_BYTES + 1], date[SIGV4_DATE_BYTES], md5[32];
	struct headers h = {.n = 0};

	if (lock->mode && content_md5(&u->file, md5) < 0)
		return upload_say(u, UPLOAD_ASIDE, "cannot compute its MD5, which -L needs");
	sodium_bin2hex(hex, sizeof hex, u->file.sha256, sizeof u->file.sha256);
	sigv4_date(date, at_s);
	if (lock->mode)
		add(&h, "content-md5", md5);
	add(&h, "host", u->target->authority);
	if (!u->s3.unconditional)
		add(&h, "if-none-match", "*");
	add(&h, "x-amz-content-sha256", hex);
	add(&h, "x-amz-date", date);
	if (lock->mode) {
		objectlock_until(u->s3.until, lock, at_s);
		add(&h, "x-amz-object-lock-mode", lock->mode);
		add(&h, "x-amz-object-lock-retain-until-date", u->s3.until);
	}
	if (setup->credentials.session_token[0])
		add(&h, "x-amz-security-token", setup->credentials.session_token);
	u->s3.step = S3_PUT;
	sign_and_prepare(u, &h, "PUT", hex, at_s);
	return UPLOAD_GOES_ON;
}

static enum verdict look(struct upload *u, enum s3_step step, const char *method)
{
	const struct transfer_setup *setup = u->transfer.setup;
	const int64_t at_s = truetime_requests_s(&setup->time);
	char date[SIGV4_DATE_BYTES];
	struct headers h = {.n = 0};

	sigv4_date(date, at_s);
	add(&h, "host", u->target->authority);
	add(&h, "x-amz-content-sha256", SHA256_OF_NOTHING);
	add(&h, "x-amz-date", date);
	if (setup->credentials.session_token[0])
		add(&h, "x-amz-security-token", setup->credentials.session_token);
	u->s3.step = step;
	sign_and_prepare(u, &h, method, SHA256_OF_NOTHING, at_s);
	return UPLOAD_GOES_ON;
}

enum verdict s3_start(struct upload *u)
{
	struct target *t = u->target;

	/* Other credentials may be allowed to do other things. */
	if (credentials_refresh(&u->transfer.setup->credentials))
		t->no_head = 0;
	u->s3 = (struct s3){.unconditional = t->no_condition};
	return t->no_condition && !t->no_head ? look(u, S3_LOOK, "HEAD") : put(u);
}

/* "0123456789abcdef0123456789abcdef", or the same with -N; quotes are usual, not certain. */
static int etag_of_s3(const char *etag)
{
	static const char hex[] = "0123456789abcdef";
	etag += *etag == '"';
	size_t n = strspn(etag, hex);
	return n >= 32 && (etag[n] == 0 || etag[n] == '"' || etag[n] == '-');
}

static const char *error_code(const struct response *res, char code[S3ERROR_CODE_BYTES])
{
	size_t kept = res->body_bytes < sizeof res->body ? (size_t)res->body_bytes : sizeof res->body;
	s3error_code(res->body, kept, code);
	return code;
}

static enum verdict skewed(struct upload *u, const char *code)
{
	const struct response *res = &u->transfer.res;
	const struct truetime *time_ = &u->transfer.setup->time;

	if (res->date_s < 0)
		return upload_say(u, UPLOAD_AWAY, "%ld %s: this clock is wrong", res->status, code);
	long long off_s = llabs((long long)(time(NULL) - res->date_s));
	if (!time_->learnt || u->s3.redated)
		return upload_say(u, UPLOAD_AWAY, "%ld %s: this clock is %lld s off the server's",
		        res->status, code, off_s);
	u->s3.redated = 1;
	if (!u->target->redated)
		msg("%s: %ld %s: this clock is %lld s off the server's, by which requests are dated from now "
		    "on",
		        u->target->text, res->status, code, off_s);
	u->target->redated = 1;
	return put(u);
}

static enum verdict unlockable(struct upload *u, const char *code)
{
	return upload_say(u, UPLOAD_AWAY, "%ld %s: is Object Lock enabled for the bucket (-L)?",
	        u->transfer.res.status, code);
}

static enum verdict failed(struct upload *u)
{
	const struct response *res = &u->transfer.res;
	char code[S3ERROR_CODE_BYTES];

	error_code(res, code);
	const char *shown = code[0] ? code : "no <Code>", *advice = s3error_advice(code);
	const char *colon = *advice ? ": " : "";
	if (u->transfer.setup->lock.mode && strcmp(code, "InvalidRequest") == 0)
		return unlockable(u, code);
	switch (s3error_kind(res->status, code)) {
	case S3ERROR_CLOCK: return skewed(u, shown);
	case S3ERROR_BUSY:
	case S3ERROR_DENIED:
	case S3ERROR_BUCKET:
	case S3ERROR_FULL: return upload_say(u, UPLOAD_AWAY, "%ld %s%s%s", res->status, shown, colon, advice);
	case S3ERROR_SEGMENT:
		return upload_say(u, UPLOAD_ASIDE, "%ld %s%s%s", res->status, shown, colon, advice);
	case S3ERROR_EXISTS:
	case S3ERROR_RACE:
	case S3ERROR_DIGEST:
	case S3ERROR_FORBIDDEN:
		return upload_say(u, UPLOAD_TROUBLE, "%ld %s%s%s", res->status, shown, colon, advice);
	case S3ERROR_OTHER: break;
	}
	return code[0] && res->status >= 400
	               ? upload_say(u, UPLOAD_TROUBLE, "%ld %s%s%s", res->status, code, colon, advice)
	               : upload_unexpected(u, "PUT");
}

/* These credentials may not read. */
static enum verdict unseen(struct upload *u)
{
	if (u->transfer.setup->lock.mode && !u->target->unseen) {
		u->target->unseen = 1;
		msg("%s: -L: these credentials cannot read: that the server locks objects is not checked",
		        u->target->text);
	}
	return UPLOAD_STORED;
}

static enum verdict judge_put(struct upload *u)
{
	const struct response *res = &u->transfer.res;
	char code[S3ERROR_CODE_BYTES];

	if (res->status == 200) {
		if (res->body_bytes || !etag_of_s3(res->etag))
			return upload_say(u, UPLOAD_TROUBLE,
			        "PUT: answers 200, but not as an S3 server does (captive portal?)");
		u->s3.existed = 0;
	} else if (res->status == 501 && !u->s3.unconditional) {
		if (!u->target->no_condition)
			msg("%s: If-None-Match is not supported: looks before each PUT instead",
			        u->target->text);
		u->target->no_condition = u->s3.unconditional = 1;
		return u->target->no_head ? put(u) : look(u, S3_LOOK, "HEAD");
	} else {
		error_code(res, code);
		/* A bare 412 could be anyone's; the code is the gateway's. */
		if (res->status != 412 || s3error_kind(res->status, code) != S3ERROR_EXISTS || !code[0])
			return failed(u);
		u->s3.existed = 1;
	}
	return u->target->no_head ? unseen(u) : look(u, S3_HEAD, "HEAD");
}

/* All the bytes are there. Are they locked? */
static enum verdict judge_lock(struct upload *u)
{
	const struct response *res = &u->transfer.res;
	const struct objectlock *lock = &u->transfer.setup->lock;

	if (!lock->mode)
		return UPLOAD_STORED;
	const char *why =
	        objectlock_judge(lock, u->s3.existed ? NULL : u->s3.until, res->lock_mode, res->lock_until);
	if (!why)
		return UPLOAD_STORED;
	if (u->s3.existed && !u->s3.relocked) {
		u->s3.relocked = u->s3.unconditional = 1;
		return put(u);
	}
	return upload_say(u, UPLOAD_AWAY,
	        "-L: stored, but %s: the server does not do Object Lock, or these credentials may not see it",
	        why);
}

static enum verdict judge_there(struct upload *u)
{
	const struct response *res = &u->transfer.res;

	if (res->bytes >= 0 && (uint64_t)res->bytes == u->file.bytes)
		return u->s3.existed ? look(u, S3_COMPARE, "GET") : judge_lock(u);
	if (u->s3.existed)
		return upload_say(u, UPLOAD_ASIDE, "conflict: %s%s has %lld bytes instead of %llu",
		        u->target->text, u->key, (long long)res->bytes, (unsigned long long)u->file.bytes);
	return upload_say(u, UPLOAD_TROUBLE, "PUT: answers 200, but %lld of %llu bytes are there",
	        (long long)res->bytes, (unsigned long long)u->file.bytes);
}

static enum verdict judge_head(struct upload *u)
{
	const struct response *res = &u->transfer.res;

	switch (res->status) {
	case 200: return judge_there(u);
	case 403:
		/* The PUT just before was let through, so only reading is forbidden. */
		u->target->no_head = 1;
		return unseen(u);
	case 404:
		return upload_say(u, UPLOAD_TROUBLE, "PUT: answers %d, but HEAD finds nothing",
		        u->s3.existed ? 412 : 200);
	default: return upload_unexpected(u, "HEAD");
	}
}

static enum verdict judge_compare(struct upload *u)
{
	const struct response *res = &u->transfer.res;

	switch (res->status) {
	case 200:
		if (res->same == SAME_ALL)
			return judge_lock(u);
		return upload_say(u, UPLOAD_ASIDE, "conflict: %s%s has other bytes", u->target->text, u->key);
	case 403: u->target->no_head = 1; return unseen(u);
	case 404: return upload_say(u, UPLOAD_TROUBLE, "PUT: answers 412, but GET finds nothing");
	default: return upload_unexpected(u, "GET");
	}
}

static enum verdict judge_look(struct upload *u)
{
	const long status = u->transfer.res.status;

	u->s3.existed = status == 200;
	if (status == 200)
		return judge_there(u);
	/* 403: may not read, or may do nothing at all; the PUT's answer says which. */
	return status == 404 || status == 403 ? put(u) : upload_unexpected(u, "HEAD");
}

enum verdict s3_next(struct upload *u)
{
	if (u->transfer.res.result != CURLE_OK)
		return upload_unexpected(u, u->transfer.req.method);
	switch (u->s3.step) {
	case S3_LOOK: return judge_look(u);
	case S3_PUT: return judge_put(u);
	case S3_COMPARE: return judge_compare(u);
	case S3_HEAD: break;
	}
	return judge_head(u);
}
