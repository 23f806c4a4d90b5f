#define _GNU_SOURCE
#include "inputs.h"

#include "fdio.h"
#include "msg.h"
#include "number.h"
#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { DEPTH_MAX = 4 };

static const int64_t ns_per_s = 1000000000;

int inputs_time_parse(const char *text, int64_t *utc_ns)
{
	static const char *const forms[] = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d"};
	uint64_t s;

	if (*text == '@') {
		if (number_parse(text + 1, 0, INT64_MAX / ns_per_s, &s) < 0)
			return -1;
		*utc_ns = (int64_t)s * ns_per_s;
		return 0;
	}
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		struct tm tm = {.tm_isdst = -1};
		const char *end = strptime(text, forms[i], &tm);
		if (!end || (*end && strcmp(end, "Z") != 0))
			continue;
		time_t t = *end ? timegm(&tm) : mktime(&tm);
		*utc_ns = t * ns_per_s;
		return 0;
	}
	return -1;
}

/* Could the file hold something of the time asked for? By its first header and its last mark, which are only
 * believed for this; what cannot be told is read. */
static int overlaps(const struct inputs *in, const char *path)
{
	uint8_t p[RECORD_BYTES_MAX];
	static struct record_header h;
	struct record_mark m;
	struct record_prefix prefix;
	int wanted = 1, fd;

	if (in->from_ns == INT64_MIN && in->to_ns == INT64_MAX)
		return 1;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return 1;
	ssize_t n = fd_pread(fd, p, sizeof p, 0);
	if (n > 0 && record_prefix_parse(p, (size_t)n, &prefix) == 0 && prefix.length <= n &&
	        record_header_parse(p, prefix.length, &h) == 0 && h.utc_ns > in->to_ns)
		wanted = 0;
	off_t end = lseek(fd, 0, SEEK_END);
	if (end >= RECORD_MARK_BYTES &&
	        fd_pread(fd, p, RECORD_MARK_BYTES, end - RECORD_MARK_BYTES) == RECORD_MARK_BYTES &&
	        record_mark_parse(p, RECORD_MARK_BYTES, &m) == 0 && m.prefix.type == RECORD_END &&
	        m.utc_ns < in->from_ns)
		wanted = 0;
	close(fd);
	return wanted;
}

static int path_add(struct inputs *in, const char *path)
{
	if (!overlaps(in, path))
		return 0;
	if (in->n == in->room) {
		size_t room = in->room ? in->room * 2 : 64;
		char **p = realloc(in->path, room * sizeof *p);
		if (!p)
			return -1;
		in->path = p;
		in->room = room;
	}
	if (!(in->path[in->n] = strdup(path)))
		return -1;
	in->n++;
	return 0;
}

static int is_segment(const char *name)
{
	static const char *const suffixes[] = {".cam", ".sent", ".part", ".gone"};
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && i < sizeof suffixes / sizeof *suffixes; i++)
		if (strcmp(dot, suffixes[i]) == 0)
			return 1;
	return 0;
}

static int base_compare(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;
	const char *x_base = strrchr(x, '/'), *y_base = strrchr(y, '/');
	int r = strcmp(x_base ? x_base + 1 : x, y_base ? y_base + 1 : y);
	return r ? r : strcmp(x, y);
}

static int folder_add(struct inputs *in, char *path)
{
	char *roots[] = {path, NULL};
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	size_t first = in->n;
	int r = 0;

	if (!fts)
		return -1;
	for (FTSENT *e = fts_read(fts); e && r == 0; e = fts_read(fts)) {
		if (e->fts_info == FTS_D && e->fts_level > DEPTH_MAX)
			fts_set(fts, e, FTS_SKIP);
		if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR) {
			msg("%s: %s", e->fts_path, strerror(e->fts_errno));
			in->failed = 1;
		}
		if (e->fts_info == FTS_F && is_segment(e->fts_name))
			r = path_add(in, e->fts_path);
	}
	fts_close(fts);
	qsort(in->path + first, in->n - first, sizeof *in->path, base_compare);
	return r;
}

int inputs_add(struct inputs *in, char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? folder_add(in, path) : path_add(in, path);
}

static int is_pack(const char *path)
{
	size_t n = strlen(path), suffix = strlen(".gone");
	return n > suffix && strcmp(path + n - suffix, ".gone") == 0;
}

void inputs_packs_first(struct inputs *in)
{
	size_t packs = 0;

	for (size_t i = 0; i < in->n; i++) {
		char *path = in->path[i];
		if (!is_pack(path))
			continue;
		memmove(in->path + packs + 1, in->path + packs, (i - packs) * sizeof *in->path);
		in->path[packs++] = path;
	}
}

void inputs_free(struct inputs *in)
{
	for (size_t i = 0; i < in->n; i++)
		free(in->path[i]);
	free(in->path);
	memset(in, 0, sizeof *in);
}
