/* Commit on a server that promises little (measured: none checks a digest, some ignore If-None-Match, some
 * keep half an upload under its final name). Therefore:
 *
 *     HEAD key                 there already (a lost answer, a restart): GET, the same bytes: stored
 *     PUT key.RANDOM.tmp       missing collections are made with MKCOL, then once more
 *     GET key.RANDOM.tmp       every byte compared with the file: the server has them, whatever stands
 * between us MOVE, Overwrite: F       201 or 204; 412: GET key, the same bytes: stored, others: conflict,
 * left as they are HEAD key                 it is there with this length: stored
 *
 * Why the last step: that the bytes are on the server is known from the GET, but that they are under this
 * name is so far only an answer to MOVE, and one who cannot do MOVE (a gateway, a cache) may still say 201,
 * or copy and run full half-way. One that has the right length under the right name, having shown all bytes
 * under the other one a moment ago, could only be a server that means to cheat, and such a one can also
 * forget them a moment later.
 *
 * A server without MOVE gets the PUT under the key itself with If-None-Match: *, after HEAD found nothing
 * there, and a GET afterwards. A torn copy of the segment (its first bytes and no other) left there by a
 * broken connection is the only thing that is ever overwritten. A timeout means nothing: every attempt begins
 * by looking. */
#define _GNU_SOURCE
#include "webdav.h"

#include "msg.h"

#include <stdio.h>
#include <string.h>

static void ask(struct upload *u, enum webdav_step step, const char *method, const char *key)
{
	struct request *r = &u->transfer.req;

	u->webdav.step = step;
	request_set(r, method, "%s%s", u->target->base, key);
	if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)
		request_header(r, "Cache-Control: no-cache");
}

static enum verdict go(struct upload *u, enum webdav_step step, const char *method, const char *key)
{
	ask(u, step, method, key);
	return UPLOAD_GOES_ON;
}

void webdav_start(struct upload *u)
{
	struct webdav *w = &u->webdav;

	w->torn = w->collections = 0;
	w->depth = 0;
	/* An attempt that broke off may have left something. One name is remembered, and removed first. */
	if (w->tmp[0])
		ask(u, WEBDAV_ORPHAN, "DELETE", w->tmp);
	else
		ask(u, WEBDAV_LOOK, "HEAD", u->key);
}

/* For some steps only what comes after them shows whether they worked. A server that asks to be left alone is
 * left alone all the same. */
static int asks_to_wait(const struct response *res)
{
	return res->status == 429 || res->status == 503 || res->retry_after_s > 0;
}

static enum verdict put(struct upload *u)
{
	struct webdav *w = &u->webdav;
	uint8_t random[8];
	char hex[2 * sizeof random + 1];

	w->direct = u->target->no_move;
	if (w->direct) {
		ask(u, WEBDAV_PUT, "PUT", u->key);
		if (!w->torn)
			request_header(&u->transfer.req, "If-None-Match: *");
		return UPLOAD_GOES_ON;
	}
	/* A new name each time: a server may still be busy with the bytes of an attempt that timed out. */
	randombytes_buf(random, sizeof random);
	sodium_bin2hex(hex, sizeof hex, random, sizeof random);
	snprintf(w->tmp, sizeof w->tmp, "%s.%s.tmp", u->key, hex);
	return go(u, WEBDAV_PUT, "PUT", w->tmp);
}

/* The verdict v comes out once the temporary object has been removed, or that was tried. A server that is
 * away, or asks to be left alone, is: the next attempt removes it. */
static enum verdict clean(struct upload *u, enum verdict v)
{
	if (v == UPLOAD_AWAY)
		return v;
	u->webdav.after = v;
	return go(u, WEBDAV_CLEAN, "DELETE", u->webdav.tmp);
}

/* The collection that lies depth parts above the key: 0 is the date's. 0, or -1 when there is none so high.
 */
static int ask_mkcol(struct upload *u)
{
	char url[REQUEST_URL_BYTES];
	const char *key = u->key;
	int n = snprintf(url, sizeof url, "%s%.*s", u->target->base, (int)strcspn(key, "/"), key);

	if (n < 0 || (size_t)n >= sizeof url)
		return -1;
	for (unsigned i = 0; i < u->webdav.depth; i++)
		*strrchr(url, '/') = 0;
	if (strlen(url) <= u->target->root_bytes)
		return -1;
	u->webdav.step = WEBDAV_MKCOL;
	u->webdav.collections++;
	request_set(&u->transfer.req, "MKCOL", "%s/", url);
	return 0;
}

/* From the date's collection upwards until one can be made, then down again. What else is answered (it
 * exists, it may not be made) does not matter: the PUT shows. */
static enum verdict judge_mkcol(struct upload *u, long status)
{
	struct webdav *w = &u->webdav;
	const int most = 64;

	if (asks_to_wait(&u->transfer.res))
		return upload_unexpected(u, "MKCOL");
	if (status == 404 || status == 409) {
		w->depth++;
		if (w->collections < most && ask_mkcol(u) == 0)
			return UPLOAD_GOES_ON;
		return upload_unexpected(u, "MKCOL");
	}
	if (w->depth) {
		w->depth--;
		if (w->collections < most && ask_mkcol(u) == 0)
			return UPLOAD_GOES_ON;
	}
	return put(u);
}

static enum verdict judge_look(struct upload *u, long status)
{
	if (status == 200)
		return go(u, WEBDAV_LOOK_COMPARE, "GET", u->key);
	/* Not there, or not to be asked: the rest of the way shows. */
	if (status == 404 || status == 410 || status == 403 || status == 405 || status == 501)
		return put(u);
	return upload_unexpected(u, "HEAD");
}

/* Something lies at the key. With MOVE the server decides whether it is in the way; without, this is what
 * keeps other bytes from being overwritten where If-None-Match is ignored. */
static enum verdict judge_look_compare(struct upload *u, long status)
{
	const struct response *res = &u->transfer.res;

	if (status == 404 || status == 410)
		return put(u);
	if (status != 200)
		return upload_unexpected(u, "GET");
	if (res->same == SAME_ALL)
		return UPLOAD_STORED;
	u->webdav.torn = res->same == SAME_PREFIX;
	if (u->target->no_move && !u->webdav.torn)
		return upload_say(u, UPLOAD_TROUBLE, "conflict (or a captive portal): %s%s has other bytes",
		        u->target->text, u->key);
	return put(u);
}

static enum verdict judge_put(struct upload *u, long status)
{
	struct webdav *w = &u->webdav;

	if (status == 200 || status == 201 || status == 204)
		return go(u, WEBDAV_READ_BACK, "GET", w->direct ? u->key : w->tmp);
	/* The collection is missing: 409 by RFC 4918, 404 from some, 500 from nginx. */
	if ((status == 404 || status == 409 || status == 500) && !w->collections && ask_mkcol(u) == 0)
		return UPLOAD_GOES_ON;
	if (status == 412 && w->direct)
		return go(u, WEBDAV_TAKEN, "GET", u->key);
	return upload_unexpected(u, "PUT");
}

static enum verdict move(struct upload *u)
{
	ask(u, WEBDAV_MOVE, "MOVE", u->webdav.tmp);
	request_header(&u->transfer.req, "Destination: %s%s", u->target->base, u->key);
	request_header(&u->transfer.req, "Overwrite: %s", u->webdav.torn ? "T" : "F");
	return UPLOAD_GOES_ON;
}

static enum verdict judge_read_back(struct upload *u, long status)
{
	const struct response *res = &u->transfer.res;

	if (status == 200 && res->same == SAME_ALL)
		return u->webdav.direct ? UPLOAD_STORED : move(u);
	enum verdict v;
	if (status == 200)
		v = upload_say(u, UPLOAD_TROUBLE,
		        "PUT: accepted, but reading back gives other bytes (captive portal?)");
	else if (status == 404 || status == 410)
		v = upload_say(u, UPLOAD_TROUBLE, "PUT: accepted, but reading back finds nothing");
	else
		v = upload_unexpected(u, "GET");
	return u->webdav.direct ? v : clean(u, v);
}

/* No MOVE here, or not for us. Begin again without: what is at the key was not looked at with that in mind.
 */
static enum verdict without_move(struct upload *u, long status)
{
	if (!u->target->no_move)
		msg("%s: MOVE: answers %ld: goes on without", u->target->text, status);
	u->target->no_move = 1;
	return go(u, WEBDAV_ORPHAN, "DELETE", u->webdav.tmp);
}

static enum verdict judge_move(struct upload *u, long status)
{
	struct webdav *w = &u->webdav;

	switch (status) {
	case 201:
	case 204:
		w->tmp[0] = 0;
		u->target->moved_to_gateway = 0;
		return go(u, WEBDAV_CONFIRM, "HEAD", u->key);
	case 412: return go(u, WEBDAV_TAKEN, "GET", u->key);
	case 502:
		/* RFC 4918, 9.9.4: the destination is on another server. So says one behind a proxy that ends
		 * TLS, since it was asked as http and the destination is https. Once, it may be that proxy's
		 * own trouble. */
		if (++u->target->moved_to_gateway < 2)
			return clean(u, upload_unexpected(u, "MOVE"));
		return without_move(u, status);
	case 400:
	case 403:
	case 405:
	case 501: return without_move(u, status);
	default: return clean(u, upload_unexpected(u, "MOVE"));
	}
}

static enum verdict judge_confirm(struct upload *u, long status)
{
	const struct response *res = &u->transfer.res;

	if (status == 200 && res->bytes >= 0 && (uint64_t)res->bytes == u->file.bytes)
		return UPLOAD_STORED;
	if ((status == 200 && res->bytes < 0) || status == 403 || status == 405 || status == 501)
		return go(u, WEBDAV_TAKEN, "GET", u->key);
	if (status == 200 || status == 404 || status == 410)
		return upload_say(u, UPLOAD_TROUBLE, "MOVE: accepted, but %s",
		        status == 200 ? "the length is another" : "nothing is there");
	return upload_unexpected(u, "HEAD");
}

/* The key is taken: by these bytes, by a torn copy of them, or by something else. */
static enum verdict judge_taken(struct upload *u, long status)
{
	struct webdav *w = &u->webdav;
	const struct response *res = &u->transfer.res;

	if (status == 200 && res->same == SAME_ALL)
		return w->tmp[0] ? clean(u, UPLOAD_STORED) : UPLOAD_STORED;
	if (status == 200 && res->same == SAME_PREFIX && w->tmp[0] && !w->torn) {
		w->torn = 1;
		return move(u);
	}
	enum verdict v = status == 200 ? upload_say(u, UPLOAD_ASIDE, "conflict: %s%s has other bytes",
	                                         u->target->text, u->key)
	                               : upload_unexpected(u, "GET");
	return w->tmp[0] ? clean(u, v) : v;
}

static enum verdict judge_orphan(struct upload *u)
{
	if (asks_to_wait(&u->transfer.res))
		return upload_unexpected(u, "DELETE");
	u->webdav.tmp[0] = 0;
	return go(u, WEBDAV_LOOK, "HEAD", u->key);
}

enum verdict webdav_next(struct upload *u)
{
	struct webdav *w = &u->webdav;
	const struct response *res = &u->transfer.res;

	/* Removing a temporary object is best effort: when it got no answer, its name is kept for the next
	 * attempt. */
	if (w->step == WEBDAV_CLEAN) {
		if (res->result == CURLE_OK && !asks_to_wait(res))
			w->tmp[0] = 0;
		return w->after;
	}
	if (res->result != CURLE_OK)
		return upload_unexpected(u, u->transfer.req.method);
	switch (w->step) {
	case WEBDAV_ORPHAN: return judge_orphan(u);
	case WEBDAV_LOOK: return judge_look(u, res->status);
	case WEBDAV_LOOK_COMPARE: return judge_look_compare(u, res->status);
	case WEBDAV_PUT: return judge_put(u, res->status);
	case WEBDAV_MKCOL: return judge_mkcol(u, res->status);
	case WEBDAV_READ_BACK: return judge_read_back(u, res->status);
	case WEBDAV_MOVE: return judge_move(u, res->status);
	case WEBDAV_CONFIRM: return judge_confirm(u, res->status);
	case WEBDAV_TAKEN: return judge_taken(u, res->status);
	case WEBDAV_CLEAN: break;
	}
	return upload_say(u, UPLOAD_TROUBLE, "lost the thread"); /* not reached */
}
