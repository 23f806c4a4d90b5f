/* The mechanics of libcurl and nothing of any protocol. Reads the segment's open descriptor; talks through
 * the sockets that the dialer hands over only, and never looks up a name: no redirect is followed, no proxy
 * or .netrc is looked for. */
#define _GNU_SOURCE
#include "transfer.h"

#include "backoff.h"
#include "clocks.h"
#include "fdio.h"
#include "msg.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	SLOW_BYTES_PER_S = 2048, /* an uplink slower than this, all in all, can never keep up with a camera */
	DIAL_GRACE_MS = 5000,
	BUFFER_BYTES = 64 * 1024, /* for what comes, one a transfer; more is not faster */
};

/* Any address will do: connect() does nothing any more. A number needs no resolver. */
static const char stand_in[] = "::127.0.0.1:";
static struct curl_slist *connect_to;

int transfers_init(CURLM *multi, const struct transfer_setup *setup)
{
	connect_to = curl_slist_append(NULL, stand_in);
	if (!connect_to)
		return -1;
	return curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)setup->jobs + 1) ||
	                       curl_multi_setopt(multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX)
	               ? -1
	               : 0;
}

int transfer_init(struct transfer *t, CURLM *multi, struct transfer_setup *setup, unsigned place)
{
	memset(t, 0, sizeof *t);
	t->multi = multi;
	t->setup = setup;
	t->dial_id = place;
	t->fd = -1;
	t->easy = curl_easy_init();
	return t->easy && digest_open(&t->hash) == 0 ? 0 : -1;
}

unsigned transfer_place(uint32_t dial_id)
{
	return dial_id % TRANSFER_PLACES;
}

void request_set(struct request *r, const char *method, const char *fmt, ...)
{
	va_list ap;

	r->method = method;
	r->http1 = 0;
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
	if (want && !(want = cap_take(t->setup->cap, want))) {
		t->paused = 1;
		return CURL_READFUNC_PAUSE;
	}
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
	char own[16384];

	if (n > t->file->bytes - t->got)
		return -1;
	digest_update(&t->hash, in, n);
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

static curl_socket_t hand_over(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct transfer *t = arg;
	curl_socket_t fd = t->fd;

	(void)purpose;
	(void)address; /* is stand_in */
	t->fd = -1;
	t->starved = fd < 0;
	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static int is_connected(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	(void)arg;
	(void)fd;
	(void)purpose;
	return CURL_SOCKOPT_ALREADY_CONNECTED; /* 7.88 calls connect() in spite of it */
}

static void set_safety(CURL *e, const struct transfer_setup *s)
{
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, s->plain_http ? "https,http" : "https");
	curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(e, CURLOPT_PROXY, "");
	curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(e, CURLOPT_PIPEWAIT, 1L);
	if (trust_apply(&s->trust, e) < 0)
		die(EXIT_BUG, "libcurl: not made with OpenSSL");
}

/* Every wait ends: to connect, without progress, and, for a server that drips, all in all. The slowest speed
 * that passes is a share, since others may be sending, and well below the cap. */
static void set_limits(CURL *e, const struct transfer_setup *s, const struct transfer_file *file)
{
	uint64_t slow = SLOW_BYTES_PER_S;
	if (s->cap->rate && s->cap->rate / 4 < slow)
		slow = s->cap->rate / 4;
	slow = slow / s->jobs ? slow / s->jobs : 1;
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT, s->patience_s);
	curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, (long)slow);
	curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, s->patience_s);
	curl_easy_setopt(e, CURLOPT_TIMEOUT, 2 * s->patience_s + (long)(file->bytes / slow));
	curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
}

static void set_connection(struct transfer *t)
{
	CURL *e = t->easy;

	curl_easy_setopt(e, CURLOPT_CONNECT_TO, connect_to);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, hand_over);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, t);
	curl_easy_setopt(e, CURLOPT_SOCKOPTFUNCTION, is_connected);
	if (!t->req.http1)
		return;
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(e, CURLOPT_PIPEWAIT, 0L);
	curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(e, CURLOPT_FORBID_REUSE, 1L);
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
	t->stopped = t->paused = t->starved = 0;
	memset(&t->res, 0, sizeof t->res);
	digest_begin(&t->hash);

	curl_easy_reset(e);
	set_safety(e, s);
	set_limits(e, s, file);
	set_connection(t);
	curl_easy_setopt(e, CURLOPT_PRIVATE, t);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t->res.why);
	curl_easy_setopt(e, CURLOPT_USERAGENT, "cam-ship");
	curl_easy_setopt(e, CURLOPT_BUFFERSIZE, (long)BUFFER_BYTES);
	curl_easy_setopt(e, CURLOPT_READFUNCTION, give);
	curl_easy_setopt(e, CURLOPT_READDATA, t);
	curl_easy_setopt(e, CURLOPT_SEEKFUNCTION, rewind_file);
	curl_easy_setopt(e, CURLOPT_SEEKDATA, t);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, t);
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
	uint8_t sha256[DIGEST_BYTES];
	struct response *res = &t->res;

	if (t->stopped || res->result != CURLE_OK || res->status != 200)
		return;
	digest_end(&t->hash, sha256);
	if (t->got < t->file->bytes)
		res->same = SAME_PREFIX;
	else if (sodium_memcmp(sha256, t->file->sha256, sizeof sha256) == 0)
		res->same = SAME_ALL;
}

static void socket_drop(struct transfer *t)
{
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
}

/* Nothing was sent yet. */
static void dial(struct transfer *t)
{
	curl_multi_remove_handle(t->multi, t->easy);
	t->dialing = 1;
	t->dial_id += TRANSFER_PLACES;
	t->dial_due_ms = (int64_t)(clocks_boot_ns() / 1000000) + t->setup->patience_s * 1000 + DIAL_GRACE_MS;
	if (dialer_ask(t->setup->dialer, t->dial_id) < 0)
		die(EXIT_TEMPORARY, "the dialer is gone");
}

int transfer_dialed(struct transfer *t, const struct dialed *d)
{
	if (!t->dialing || d->id != t->dial_id) {
		if (d->fd >= 0)
			close(d->fd);
		return 0;
	}
	t->dialing = 0;
	t->fd = d->fd;
	if (d->fd >= 0) {
		transfer_start(t, t->file);
		return 0;
	}
	t->res = (struct response){
	        .result = CURLE_COULDNT_CONNECT, .bytes = -1, .retry_after_s = -1, .date_s = -1};
	snprintf(t->res.why, sizeof t->res.why, "%s", d->why);
	return 1;
}

void transfer_resume(struct transfer *t)
{
	t->paused = 0;
	curl_easy_pause(t->easy, CURLPAUSE_CONT);
}

static void header_copy(CURL *e, const char *name, char *out, size_t bytes)
{
	const char *value = header(e, name);
	snprintf(out, bytes, "%s", value ? value : "");
}

/* What a server says of the time is believed when TLS has shown who says it. */
static void headers_read(struct transfer *t)
{
	struct response *res = &t->res;
	const char *again = header(t->easy, "Retry-After"), *date = header(t->easy, "Date");

	header_copy(t->easy, "ETag", res->etag, sizeof res->etag);
	header_copy(t->easy, "x-amz-object-lock-mode", res->lock_mode, sizeof res->lock_mode);
	header_copy(t->easy, "x-amz-object-lock-retain-until-date", res->lock_until, sizeof res->lock_until);
	res->date_s = date ? truetime_http_date_s(date) : -1;
	res->retry_after_s =
	        again ? backoff_retry_after_s(again, res->date_s >= 0 ? res->date_s : time(NULL)) : -1;
	if (res->date_s >= 0 && res->result == CURLE_OK && strncmp(t->req.url, "https:", 6) == 0)
		truetime_learn(&t->setup->time, res->date_s);
}

/* A server may refuse a PUT before its body has come (no such collection, too large) and close the stream
 * behind its answer (RFC 9113, 8.1). libcurl 7.88 then reports the close and not the answer. With HTTP/1.1 it
 * can be heard: the server is asked with the head alone. */
static int ask_again(struct transfer *t, CURLcode result)
{
	if (result != CURLE_HTTP2_STREAM || t->req.http1 || strcmp(t->req.method, "PUT") != 0)
		return 0;
	t->req.http1 = 1;
	request_header(&t->req, "Expect: 100-continue");
	curl_multi_remove_handle(t->multi, t->easy);
	transfer_start(t, t->file);
	return 1;
}

int transfer_finish(struct transfer *t, CURLcode result)
{
	struct response *res = &t->res;
	curl_off_t length = -1, ready_us = 0;
	long version = 0;

	if (t->starved && result != CURLE_OK) {
		dial(t);
		return 0;
	}
	/* It was dialed for this request, which went over another connection in the end. */
	socket_drop(t);
	if (ask_again(t, result))
		return 0;
	curl_easy_getinfo(t->easy, CURLINFO_HTTP_VERSION, &version);
	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &res->status);
	curl_easy_getinfo(t->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	curl_easy_getinfo(t->easy, CURLINFO_PRETRANSFER_TIME_T, &ready_us);
	res->bytes = length;
	res->reached = ready_us > 0;
	/* A timeout is one stream's own; what else goes wrong may have taken the connection with it. */
	res->shared =
	        version == CURL_HTTP_VERSION_2_0 && result != CURLE_OK && result != CURLE_OPERATION_TIMEDOUT;
	/* An answer that we cut off ourselves is an answer. */
	res->result = t->stopped && result == CURLE_WRITE_ERROR ? CURLE_OK : result;
	if (res->result != CURLE_OK && !res->why[0])
		snprintf(res->why, sizeof res->why, "%s", curl_easy_strerror(result));
	if (strcmp(t->req.method, "GET") == 0)
		judge_body(t);
	if (res->result != CURLE_OK && t->setup->trust.authorities)
		trust_explain(&t->setup->trust, res->result, res->why, sizeof res->why);
	headers_read(t);
	curl_multi_remove_handle(t->multi, t->easy);
	return 1;
}
