#define _GNU_SOURCE
#include "pack.h"

#include "fdio.h"
#include "hints.h"
#include "msg.h"
#include "recover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	TEXT_BYTES_MAX = NAME_BYTES_MAX + 8,
	PIECE_BYTES = 64 << 10,
	PACK_BYTES = 1 << 20,
	CAP_BYTES = 64 << 20,
	CAP_BYTES_MIN = 1 << 20,
	CAP_PART = 64, /* of the quota */
	CAP_PACKS = 4, /* packs that must fit below the cap */
};

static const char unfinished_suffix[] = ".part";
static const uint8_t sync_bytes[] = {0xc5, 'C', 'A', 'M'};

void pack_init(struct pack *k, struct dir *d, uint64_t quota_bytes)
{
	*k = (struct pack){.dir = d, .fd = -1, .cap_bytes = CAP_BYTES};
	if (quota_bytes) {
		k->cap_bytes =
		        quota_bytes / CAP_PART > CAP_BYTES_MIN ? quota_bytes / CAP_PART : CAP_BYTES_MIN;
		if (k->cap_bytes > quota_bytes / CAP_PACKS)
			k->cap_bytes = quota_bytes / CAP_PACKS;
	}
	k->bytes_max = k->cap_bytes / CAP_PACKS < PACK_BYTES ? k->cap_bytes / CAP_PACKS : PACK_BYTES;
}

int pack_unfinished(const char *entry, struct name *out)
{
	char text[NAME_BYTES_MAX];
	size_t n = strlen(entry), suffix = sizeof unfinished_suffix - 1;

	if (n <= suffix || n - suffix >= sizeof text || strcmp(entry + n - suffix, unfinished_suffix) != 0)
		return -1;
	memcpy(text, entry, n - suffix);
	text[n - suffix] = 0;
	return name_parse(text, out) == 0 && out->state == NAME_GONE ? 0 : -1;
}

static void unfinished_put(char out[TEXT_BYTES_MAX], const struct name *first)
{
	char text[NAME_BYTES_MAX];
	name_put(text, first);
	snprintf(out, TEXT_BYTES_MAX, "%s%s", text, unfinished_suffix);
}

/* --- what a pack holds --- */

/* The stub at `at`: a header and, unless another header follows, its mark. Its length, or 0. */
static size_t stub_read(int fd, uint64_t at, uint8_t stub[PACK_STUB_BYTES_MAX], struct record_header *h)
{
	struct record_prefix x, m;
	ssize_t have = fd_pread(fd, stub, PACK_STUB_BYTES_MAX, (off_t)at);

	if (have < RECORD_PREFIX_BYTES || record_prefix_parse(stub, (size_t)have, &x) < 0 ||
	        x.type != RECORD_HEADER || have < x.length || record_header_parse(stub, x.length, h) < 0)
		return 0;
	if (record_prefix_parse(stub + x.length, (size_t)have - x.length, &m) < 0)
		return have == x.length ? x.length : 0;
	if (m.type == RECORD_HEADER)
		return x.length;
	if (m.type == RECORD_DATA || have < x.length + m.length || m.segment != x.segment ||
	        memcmp(m.stream, x.stream, sizeof x.stream) != 0)
		return 0;
	return (size_t)x.length + m.length;
}

unsigned long pack_count(int fd, uint64_t *end)
{
	uint8_t stub[PACK_STUB_BYTES_MAX];
	struct record_header h;
	unsigned long stubs = 0;
	size_t n;

	for (*end = 0; (n = stub_read(fd, *end, stub, &h)); *end += n)
		stubs++;
	return stubs;
}

static void segment_name(struct name *out, const struct record_header *h)
{
	recover_name(out, h);
	out->state = NAME_CAM;
}

/* --- the stub of a segment --- */

static bool mark_good(
        const uint8_t *p, const struct record_header *h, const uint8_t header_hash[RECORD_HASH_BYTES])
{
	struct record_mark m;

	return record_mark_parse(p, RECORD_MARK_BYTES, &m) == 0 && m.prefix.segment == h->prefix.segment &&
	       memcmp(m.prefix.stream, h->prefix.stream, sizeof m.prefix.stream) == 0 &&
	       memcmp(m.header_hash, header_hash, RECORD_HASH_BYTES) == 0 &&
	       record_mark_verify(p, RECORD_MARK_BYTES, h->stream_pk) == 0;
}

/* The last mark of the segment in the file, searched from the end: what follows it may be data, or damage.
 * Length of the mark, or 0. */
static size_t last_mark(int fd, uint64_t length, const struct record_header *h, const uint8_t *header,
        uint8_t mark[RECORD_MARK_BYTES])
{
	static uint8_t piece[PIECE_BYTES + RECORD_MARK_BYTES];
	uint8_t hash[RECORD_HASH_BYTES];

	record_hash(hash, header, h->prefix.length);
	for (uint64_t end = length; end > h->prefix.length;) {
		uint64_t from = end > PIECE_BYTES ? end - PIECE_BYTES : 0;
		ssize_t n = fd_pread(fd, piece, (size_t)(end - from) + RECORD_MARK_BYTES, (off_t)from);
		for (ssize_t i = n - RECORD_MARK_BYTES; i >= 0; i--)
			if (memcmp(piece + i, sync_bytes, sizeof sync_bytes) == 0 &&
			        mark_good(piece + i, h, hash)) {
				memcpy(mark, piece + i, RECORD_MARK_BYTES);
				return RECORD_MARK_BYTES;
			}
		end = from; /* a piece that cannot be read is passed over */
	}
	return 0;
}

size_t pack_stub(
        const struct dir *d, const struct name *cam, uint8_t stub[PACK_STUB_BYTES_MAX], const char **why)
{
	struct record_header h;
	struct record_prefix x;
	struct name own;
	struct stat st;
	char text[NAME_BYTES_MAX];
	uint8_t p[RECORD_BYTES_MAX];
	size_t n = 0;

	name_put(text, cam);
	*why = "it cannot be read";
	int fd = openat(d->fd, text, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return 0;
	ssize_t have = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? fd_pread(fd, p, sizeof p, 0) : -1;
	if (have >= 0)
		*why = "it does not begin with a valid header for its name";
	if (have >= RECORD_PREFIX_BYTES && record_prefix_parse(p, (size_t)have, &x) == 0 &&
	        x.type == RECORD_HEADER && have >= x.length && record_header_parse(p, x.length, &h) == 0 &&
	        record_header_verify(p, x.length, &h) == 0) {
		segment_name(&own, &h);
		if (name_compare(&own, cam) == 0 && own.utc_s == cam->utc_s) {
			memcpy(stub, p, x.length);
			n = x.length + last_mark(fd, (uint64_t)st.st_size, &h, p, stub + x.length);
		}
	}
	close(fd);
	return n;
}

/* --- filling one --- */

static bool same_day(const struct name *a, const struct name *b)
{
	char x[11], y[11];
	name_date(x, a);
	name_date(y, b);
	return strcmp(x, y) == 0;
}

/* One that is there already is gone on with: a first stub that could not be synced may have left it. */
static int pack_begin(struct pack *k, const struct name *cam)
{
	char text[TEXT_BYTES_MAX];

	k->first = *cam;
	k->first.state = NAME_GONE;
	unfinished_put(text, &k->first);
	k->fd = openat(k->dir->fd, text, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (k->fd < 0)
		return -1;
	k->stubs = pack_count(k->fd, &k->length);
	if (ftruncate(k->fd, (off_t)k->length) == 0 && fsync(k->dir->fd) == 0)
		return 0;
	int err = errno;
	close(k->fd);
	if (!k->length)
		unlinkat(k->dir->fd, text, 0);
	k->fd = -1;
	errno = err;
	return -1;
}

int pack_add(struct pack *k, const struct name *cam, const uint8_t *stub, size_t n)
{
	if (k->fd >= 0 && (k->length + n > k->bytes_max || !same_day(&k->first, cam)))
		pack_close(k);
	if (k->fd < 0 && pack_begin(k, cam) < 0)
		return -1;
	if (fd_pwrite(k->fd, stub, n, (off_t)k->length) < 0 || fdatasync(k->fd) < 0) {
		int err = errno;
		/* whole stubs only; one that did not get to the disk is cut off by whoever reads it next */
		(void)!ftruncate(k->fd, (off_t)k->length);
		if (!k->length) {
			char text[TEXT_BYTES_MAX];
			unfinished_put(text, &k->first);
			unlinkat(k->dir->fd, text, 0);
			close(k->fd);
			k->fd = -1;
		}
		errno = err;
		return -1;
	}
	k->length += n;
	k->stubs++;
	k->added_ms = dir_now_ms();
	return 0;
}

/* Renames it, without replacing anything, and has that on the disk before the name is said. */
static void finish(struct pack *k, int fd, const struct name *first, unsigned long stubs)
{
	char part[TEXT_BYTES_MAX], gone[NAME_BYTES_MAX];

	unfinished_put(part, first);
	name_put(gone, first);
	if (renameat2(k->dir->fd, part, k->dir->fd, gone, RENAME_NOREPLACE) < 0) {
		msg_errno("%s: cannot be renamed to %s, left to the next start", part, gone);
		return;
	}
	if (dir_sync(k->dir->fd, fd) < 0) {
		msg_errno("%s: directory cannot be synced", gone);
		return;
	}
	msg("%s: stubs of %lu segments that were removed before they were stored", gone, stubs);
	hints_say(first);
}

void pack_close(struct pack *k)
{
	if (k->fd < 0)
		return;
	finish(k, k->fd, &k->first, k->stubs);
	close(k->fd);
	k->fd = -1;
}

/* --- recovery --- */

/* Where stubs end whose segments are gone: at the end of a pack there can be some of segments that still are
 * there, because a power cut undid the removal or came before it. The segment itself wins. */
static uint64_t stubs_needed(const struct dir *d, int fd, unsigned long *stubs, unsigned long *undone)
{
	uint8_t stub[PACK_STUB_BYTES_MAX];
	struct record_header h;
	uint64_t at = 0, needed = 0;
	unsigned long n = 0;
	size_t bytes;

	*stubs = 0;
	for (; (bytes = stub_read(fd, at, stub, &h)); at += bytes) {
		struct name cam;
		segment_name(&cam, &h);
		struct name sent = cam;
		sent.state = NAME_SENT;
		bool there = dir_has(d, &cam) || dir_has(d, &sent);
		n++;
		if (!there) {
			needed = at + bytes;
			*stubs = n;
		}
	}
	*undone = n - *stubs;
	return needed;
}

static void recover_entry(void *arg, const char *entry)
{
	struct pack *k = arg;
	struct name first;
	struct stat st;
	unsigned long stubs, undone;

	if (pack_unfinished(entry, &first) < 0)
		return;
	int fd = openat(k->dir->fd, entry, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		msg("%s: left alone: not a file, or cannot be opened", entry);
		if (fd >= 0)
			close(fd);
		return;
	}
	uint64_t end = stubs_needed(k->dir, fd, &stubs, &undone);
	if (undone)
		msg("%s: %lu stubs are not needed: their segments are there", entry, undone);
	bool good = (uint64_t)st.st_size == end || ftruncate(fd, (off_t)end) == 0;
	if (!good || fdatasync(fd) < 0) {
		msg_errno("%s: cannot be cut to its last whole stub, left to the next start", entry);
	} else if (end) {
		finish(k, fd, &first, stubs);
	} else if (unlinkat(k->dir->fd, entry, 0) < 0) {
		msg_errno("%s: holds no stub, cannot be removed", entry);
	}
	close(fd);
}

void pack_recover(struct pack *k)
{
	if (dir_each(k->dir, recover_entry, k) < 0)
		msg_errno("looking for packs of stubs");
}

/* --- the cap --- */

struct survey {
	struct dir *dir;
	uint64_t bytes, oldest_bytes;
	struct name oldest;
	bool found;
};

static void survey_entry(void *arg, const char *entry)
{
	struct survey *s = arg;
	struct name n;
	struct stat st;
	bool whole = dir_ends(entry, ".gone") && name_parse(entry, &n) == 0 && n.state == NAME_GONE;

	if ((!whole && pack_unfinished(entry, &n) < 0) ||
	        fstatat(s->dir->fd, entry, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return;
	s->bytes += dir_taken(&st);
	if (whole && (!s->found || name_compare(&n, &s->oldest) < 0)) {
		s->oldest = n;
		s->oldest_bytes = dir_taken(&st);
		s->found = true;
	}
}

void pack_shorten(struct pack *k, struct pack_lost *lost)
{
	char text[NAME_BYTES_MAX];
	uint64_t end;

	*lost = (struct pack_lost){0};
	for (;;) {
		struct survey s = {.dir = k->dir};
		if (dir_each(k->dir, survey_entry, &s) < 0 || s.bytes <= k->cap_bytes || !s.found)
			return;
		name_put(text, &s.oldest);
		int fd = openat(k->dir->fd, text, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		unsigned long stubs = fd < 0 ? 0 : pack_count(fd, &end);
		if (fd >= 0)
			close(fd);
		if (unlinkat(k->dir->fd, text, 0) < 0) {
			if (errno == ENOENT)
				continue;
			msg_errno("%s: cannot be removed", text);
			return;
		}
		msg("%s: removed: packs of stubs took %llu bytes, more than %llu: %lu stubs are lost", text,
		        (unsigned long long)s.bytes, (unsigned long long)k->cap_bytes, stubs);
		lost->bytes += s.oldest_bytes;
		lost->packs++;
		lost->stubs += stubs;
	}
}
