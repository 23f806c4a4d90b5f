/* Opens one file, read-only, and hashes it; what is then said to the server is webdav.c's or s3.c's matter.
 * The file may be evicted at any time (normal), and must not change (then nothing is acknowledged). */
#define _GNU_SOURCE
#include "upload.h"

#include "fdio.h"
#include "s3.h"
#include "webdav.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int upload_init(struct upload *u, struct target *target, int dir_fd, CURLM *multi,
        struct transfer_setup *setup, unsigned place)
{
	memset(u, 0, sizeof *u);
	u->target = target;
	u->dir_fd = dir_fd;
	u->file.fd = -1;
	if (digest_open(&u->hash) < 0)
		return -1;
	return transfer_init(&u->transfer, multi, setup, place);
}

enum verdict upload_say(struct upload *u, enum verdict v, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(u->why, sizeof u->why, fmt, ap);
	va_end(ap);
	return v;
}

static size_t body_kept(const struct response *res)
{
	return res->body_bytes < sizeof res->body ? (size_t)res->body_bytes : sizeof res->body;
}

enum verdict upload_unexpected(struct upload *u, const char *doing)
{
	const struct response *res = &u->transfer.res;

	if (res->result != CURLE_OK && trust_refused(res->why))
		return upload_say(
		        u, UPLOAD_AWAY, "the server wants another client certificate (-E): %s", res->why);
	if (res->result != CURLE_OK)
		return upload_say(u, res->reached ? UPLOAD_TROUBLE : UPLOAD_AWAY, "%s", res->why);
	long s = res->status;
	if (s >= 300 && s < 400)
		return upload_say(u, UPLOAD_AWAY, "%s: answers %ld: redirects are refused", doing, s);
	/* nginx's way to refuse a client certificate, or to miss it; to HEAD without saying so. */
	if (s == 400 &&
	        (strcmp(doing, "HEAD") == 0 || memmem(res->body, body_kept(res), "SSL certificate", 15)))
		return upload_say(u, UPLOAD_AWAY,
		        "%s: answers 400: does it want another client certificate (-E)?", doing);
	if (s == 401)
		return upload_say(u, UPLOAD_AWAY,
		        "%s: answers 401: it wants a password, which is not supported", doing);
	if (s == 507)
		return upload_say(
		        u, UPLOAD_AWAY, "%s: answers 507: there is no room left on the server", doing);
	if (s == 407 || s == 408 || s == 429 || s == 503)
		return upload_say(u, UPLOAD_AWAY, "%s: answers %ld", doing, s);
	if (s == 413)
		return upload_say(u, UPLOAD_ASIDE, "%s: answers 413: larger than the server allows", doing);
	if (s == 414 || s == 415 || s == 422)
		return upload_say(u, UPLOAD_ASIDE, "%s: answers %ld", doing, s);
	return upload_say(u, UPLOAD_TROUBLE, "%s: answers %ld", doing, s);
}

static enum verdict own_fault(struct upload *u, const char *doing)
{
	return upload_say(u, errno == ENOENT ? UPLOAD_GONE : UPLOAD_ASIDE, "%s: %s", doing, strerror(errno));
}

static enum verdict prepare(struct upload *u)
{
	/* Not through a symbolic link, which could point at anything that this user may read, nor into a
	 * FIFO. */
	u->hashing = 0;
	u->file.fd = openat(u->dir_fd, u->file_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (u->file.fd < 0)
		return own_fault(u, "open");
	if (fstat(u->file.fd, &u->st) < 0)
		return own_fault(u, "fstat");
	if (!S_ISREG(u->st.st_mode))
		return upload_say(u, UPLOAD_ASIDE, "not a regular file");
	digest_begin(&u->hash);
	u->file.bytes = 0;
	u->hashing = 1;
	return UPLOAD_GOES_ON;
}

/* What is acknowledged is the name, so the name must still stand for the bytes that were sent. One that was
 * evicted meanwhile is stored all the same. */
static enum verdict still_the_same(struct upload *u)
{
	struct stat now;

	if (fstatat(u->dir_fd, u->file_name, &now, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? UPLOAD_STORED : own_fault(u, "stat");
	if (now.st_dev == u->st.st_dev && now.st_ino == u->st.st_ino && now.st_size == u->st.st_size &&
	        now.st_mtim.tv_sec == u->st.st_mtim.tv_sec && now.st_mtim.tv_nsec == u->st.st_mtim.tv_nsec)
		return UPLOAD_STORED;
	return upload_say(u, UPLOAD_ASIDE, "changed while it was sent");
}

/* The verdict v is the last word, unless it goes on. */
static enum verdict settle(struct upload *u, enum verdict v)
{
	if (v == UPLOAD_GOES_ON)
		return v;
	if (v == UPLOAD_STORED)
		v = still_the_same(u);
	if (u->file.fd >= 0)
		close(u->file.fd);
	u->file.fd = -1;
	u->hashing = 0;
	return v;
}

enum verdict upload_start(struct upload *u, const struct name *n)
{
	u->name = *n;
	truetime_name(&u->transfer.setup->time, n->utc_s);
	u->retry_after_s = -1;
	memset(&u->transfer.res, 0, sizeof u->transfer.res);
	name_put(u->file_name, n);
	return settle(u, prepare(u));
}

static enum verdict request_first(struct upload *u)
{
	enum verdict v = UPLOAD_GOES_ON;

	u->hashing = 0;
	digest_end(&u->hash, u->file.sha256);
	target_key(u->key, &u->name, u->file.sha256);
	if (u->target->s3)
		v = s3_start(u);
	else
		webdav_start(u);
	if (v == UPLOAD_GOES_ON)
		transfer_start(&u->transfer, &u->file);
	return settle(u, v);
}

enum verdict upload_hash(struct upload *u)
{
	unsigned char buf[16384];

	for (unsigned done = 0; done < UPLOAD_SLICE_BYTES; done += sizeof buf) {
		ssize_t n = fd_pread(u->file.fd, buf, sizeof buf, (off_t)u->file.bytes);
		if (n < 0)
			return settle(u, own_fault(u, "read"));
		digest_update(&u->hash, buf, (size_t)n);
		u->file.bytes += (uint64_t)n;
		/* One that grows would never end. */
		if (u->file.bytes > (uint64_t)u->st.st_size ||
		        (!n && u->file.bytes < (uint64_t)u->st.st_size))
			return settle(u, upload_say(u, UPLOAD_ASIDE, "changes while it is read"));
		if (!n)
			return request_first(u);
	}
	return UPLOAD_GOES_ON;
}

/* An answer, or that none came, lies in u->transfer.res. */
static enum verdict answered(struct upload *u)
{
	enum verdict v;

	u->retry_after_s = u->transfer.res.retry_after_s;
	if (u->transfer.res.changed)
		v = upload_say(u, UPLOAD_ASIDE, "changed while it was sent");
	else
		v = u->target->s3 ? s3_next(u) : webdav_next(u);
	if (v == UPLOAD_GOES_ON)
		transfer_start(&u->transfer, &u->file);
	return settle(u, v);
}

enum verdict upload_continue(struct upload *u, CURLcode result)
{
	return transfer_finish(&u->transfer, result) ? answered(u) : UPLOAD_GOES_ON;
}

enum verdict upload_dialed(struct upload *u, const struct dialed *d)
{
	return transfer_dialed(&u->transfer, d) ? answered(u) : UPLOAD_GOES_ON;
}
