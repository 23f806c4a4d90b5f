/* The mechanics of libcurl and nothing of any protocol. Reads the segment's open descriptor and the CA file;
 * talks to the host of the request's URL only: no redirect is followed, no proxy or .netrc is looked for. */
#define _GNU_SOURCE
#include "transfer.h"

#include "backoff.h"
#include "fdio.h"
#include "msg.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	SLOW_BYTES_PER_S = 2048, /* an uplink slower than this can never keep up with a camera */
	MULTI_CONNECTIONS = 2,
};

int transfer_init(struct transfer *t, CURLM *multi, const struct transfer_setup *setup)
{
	memset(t, 0, sizeof *t);
	t->multi = multi;
	t->setup = setup;
	t->easy = curl_easy_init();
	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)MULTI_CONNECTIONS);
	return t->easy ? 0 : -1;
}

void request_set(struct request *r, const char *method, const char *fmt, ...)
{
	va_list ap;

	r->method = method;
	curl_slist_free_all(r->header);
	r->header = NULL;
	va_start(ap, fmt);
	int n = vsnprintf(r->url, sizeof r->url, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof r->url)
		die(EXIT_BUG, "a URL is too long: %s", r->url);
}

void request_header(struct request *r, const char *fmt, ...)
{
	char *line = NULL;
	va_list ap;

	va_start(ap, fmt);
	int n = vasprintf(&line, fmt, ap);
	va_end(ap);
	struct curl_slist *longer = n < 0 ? NULL : curl_slist_append(r->header, line);
	if (n >= 0)
		free(line);
	if (!longer)
		die(EXIT_TEMPORARY, "out of memory");
	r->header = longer;
}

static size_t give(char *out, size_t size, size_t count, void *arg)
{
	struct transfer *t = arg;
	uint64_t room = (uint64_t)size * count, left = t->file->bytes - t->sent;
	size_t want = (size_t)(room < left ? room : left);
	ssize_t n = want ? fd_pread(t->file->fd, out, want, (off_t)t->sent) : 0;

	if (n < 0 || (size_t)n < want) {
		t->res.changed = 1;
		return CURL_READFUNC_ABORT;
	}
	t->sent += (uint64_t)n;
	return (size_t)n;
}

/* A kept connection that turns out dead makes libcurl send again on a new one. */
static int rewind_file(void *arg, curl_off_t offset, int origin)
{
	struct transfer *t = arg;
	if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > t->file->bytes)
		return CURL_SEEKFUNC_CANTSEEK;
	t->sent = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

/* 0 when the n bytes that came are those of the file at this place, else -1. */
static int compare(struct transfer *t, const char *in, size_t n)
{
	char own[4096];

	if (n > t->file->bytes - t->got)
		return -1;
	crypto_hash_sha256_update(&t->hash, (const unsigned char *)in, n);
	for (size_t done = 0; done < n;) {
		size_t want = n - done < sizeof own ? n - done : sizeof own;
		ssize_t r = fd_pread(t->file->fd, own, want, (off_t)(t->got + done));
		if (r < 0 || (size_t)r < want) {
			t->res.changed = 1;
			return -1;
		}
		if (memcmp(own, in + done, want) != 0)
			return -1;
		done += want;
	}
	t->got += n;
	return 0;
}

static size_t take(char *in, size_t size, size_t count, void *arg)
{
	struct transfer *t = arg;
	struct response *res = &t->res;
	size_t n = size * count;
	long status = 0;

	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	if (strcmp(t->req.method, "GET") == 0 && status == 200) {
		t->stopped = compare(t, in, n) < 0;
	} else {
		size_t keep =
		        res->body_bytes < sizeof res->body ? sizeof res->body - (size_t)res->body_bytes : 0;
		memcpy(res->body + res->body_bytes * (keep > 0), in, n < keep ? n : keep);
		t->stopped = n > RESPONSE_BODY_BYTES_MAX - res->body_bytes;
	}
	res->body_bytes += n;
	return t->stopped ? 0 : n;
}

static void set_safety(CURL *e, const struct transfer_setup *s)
{
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, s->plain_http ? "https,http" : "https");
	curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(e, CURLOPT_PROXY, "");
	curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	/* Asked for each new connection, of which there are few: the name of a server that is away may stand
	 * for another address already. */
	curl_easy_setopt(e, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
	/* One request at a time on a connection needs none of HTTP/2's machinery. */
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
	if (s->ca_file) {
		curl_easy_setopt(e, CURLOPT_CAINFO, s->ca_file);
		curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
	}
}

/* Every wait ends: to connect, without progress, and, for a server that drips, all in all. */
static void set_limits(CURL *e, const struct transfer_setup *s, const struct transfer_file *file)
{
	long most_s = 2 * s->patience_s + (long)(file->bytes / SLOW_BYTES_PER_S);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT, s->patience_s);
	curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, (long)SLOW_BYTES_PER_S);
	curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, s->patience_s);
	curl_easy_setopt(e, CURLOPT_TIMEOUT, most_s);
	curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
}

static void set_method(struct transfer *t)
{
	CURL *e = t->easy;

	if (strcmp(t->req.method, "PUT") == 0) {
		curl_easy_setopt(e, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(e, CURLOPT_INFILESIZE_LARGE, (curl_off_t)t->file->bytes);
	} else if (strcmp(t->req.method, "HEAD") == 0) {
		curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
	} else if (strcmp(t->req.method, "GET") != 0) {
		curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, t->req.method);
	}
}

void transfer_start(struct transfer *t, const struct transfer_file *file)
{
	CURL *e = t->easy;
	const struct transfer_setup *s = t->setup;

	t->file = file;
	t->sent = t->got = 0;
	t->stopped = 0;
	memset(&t->res, 0, sizeof t->res);
	crypto_hash_sha256_init(&t->hash);

	curl_easy_reset(e);
	set_safety(e, s);
	set_limits(e, s, file);
	curl_easy_setopt(e, CURLOPT_PRIVATE, t);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t->res.why);
	curl_easy_setopt(e, CURLOPT_USERAGENT, "cam-ship");
	curl_easy_setopt(e, CURLOPT_READFUNCTION, give);
	curl_easy_setopt(e, CURLOPT_READDATA, t);
	curl_easy_setopt(e, CURLOPT_SEEKFUNCTION, rewind_file);
	curl_easy_setopt(e, CURLOPT_SEEKDATA, t);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, t);
	if (s->sigv4) {
		curl_easy_setopt(e, CURLOPT_AWS_SIGV4, s->sigv4);
		curl_easy_setopt(e, CURLOPT_USERNAME, s->user);
		curl_easy_setopt(e, CURLOPT_PASSWORD, s->secret);
	}
	set_method(t);
	/* The options that copy can only fail for want of memory; without its URL no request goes anywhere.
	 */
	if (curl_easy_setopt(e, CURLOPT_HTTPHEADER, t->req.header) ||
	        curl_easy_setopt(e, CURLOPT_URL, t->req.url) || curl_multi_add_handle(t->multi, e))
		die(EXIT_TEMPORARY, "out of memory");
}

static const char *header(CURL *e, const char *name)
{
	struct curl_header *h;
	return curl_easy_header(e, name, 0, CURLH_HEADER, -1, &h) == CURLHE_OK ? h->value : NULL;
}

static void judge_body(struct transfer *t)
{
	uint8_t sha256[crypto_hash_sha256_BYTES];
	struct response *res = &t->res;

	if (t->stopped || res->result != CURLE_OK || res->status != 200)
		return;
	crypto_hash_sha256_final(&t->hash, sha256);
	if (t->got < t->file->bytes)
		res->same = SAME_PREFIX;
	else if (sodium_memcmp(sha256, t->file->sha256, sizeof sha256) == 0)
		res->same = SAME_ALL;
}

void transfer_finish(struct transfer *t, CURLcode result)
{
	struct response *res = &t->res;
	curl_off_t length = -1, ready_us = 0;

	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &res->status);
	curl_easy_getinfo(t->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	curl_easy_getinfo(t->easy, CURLINFO_PRETRANSFER_TIME_T, &ready_us);
	res->bytes = length;
	res->reached = ready_us > 0;
	/* An answer that we cut off ourselves is an answer. */
	res->result = t->stopped && result == CURLE_WRITE_ERROR ? CURLE_OK : result;
	if (res->result != CURLE_OK && !res->why[0])
		snprintf(res->why, sizeof res->why, "%s", curl_easy_strerror(result));
	if (strcmp(t->req.method, "GET") == 0)
		judge_body(t);

	const char *etag = header(t->easy, "ETag"), *again = header(t->easy, "Retry-After"),
	           *date = header(t->easy, "Date");
	snprintf(res->etag, sizeof res->etag, "%s", etag ? etag : "");
	res->retry_after_s = again ? backoff_retry_after_s(again, time(NULL)) : -1;
	res->date_s = date ? curl_getdate(date, NULL) : -1;
	curl_multi_remove_handle(t->multi, t->easy);
}
