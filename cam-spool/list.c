#define _GNU_SOURCE
#include "list.h"

#include "msg.h"
#include "pack.h"
#include "part.h"
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

/* In the order of the table; the names are the keys of the JSON object. */
enum kind { PART, CAM, SENT, GONE, UNFINISHED, KINDS };
static const char *const kinds[] = {
        [PART] = "part", [CAM] = "cam", [SENT] = "sent", [GONE] = "gone", [UNFINISHED] = "gone_part"};
static const char *const meaning[] = {[PART] = "being written",
        [CAM] = "to be stored",
        [SENT] = "stored, first to go",
        [GONE] = "packs of stubs",
        [UNFINISHED] = "packs being filled"};
static const enum kind sorted[] = {CAM, GONE, UNFINISHED, PART, SENT};

struct listed {
	struct dir dir;
	struct {
		uint64_t number, bytes;
		struct name oldest, newest;
	} of[KINDS];
	uint64_t stubs, foreign, foreign_bytes, printed;
	bool running, json;
};

static bool entry_kind(const char *entry, struct name *n, enum kind *k)
{
	static const enum kind of_state[] = {
	        [NAME_PART] = PART, [NAME_CAM] = CAM, [NAME_SENT] = SENT, [NAME_GONE] = GONE};

	if (pack_unfinished(entry, n) == 0) {
		*k = UNFINISHED;
		return true;
	}
	if (name_parse(entry, n) < 0)
		return false;
	*k = of_state[n->state];
	return true;
}

static unsigned long stubs_in(const struct dir *d, const char *entry)
{
	uint64_t end;
	int fd = openat(d->fd, entry, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	unsigned long n = fd < 0 ? 0 : pack_count(fd, &end);

	if (fd >= 0)
		close(fd);
	return n;
}

static void count_entry(void *arg, const char *entry)
{
	struct listed *l = arg;
	struct name n;
	struct stat st;
	enum kind k;

	/* gone or renamed since its name was read: its new name is seen too, or at the next time */
	if (fstatat(l->dir.fd, entry, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	if (!entry_kind(entry, &n, &k)) {
		l->foreign++;
		l->foreign_bytes += dir_taken(&st);
		return;
	}
	if (!l->of[k].number || name_compare(&n, &l->of[k].oldest) < 0)
		l->of[k].oldest = n;
	if (!l->of[k].number++ || name_compare(&n, &l->of[k].newest) > 0)
		l->of[k].newest = n;
	l->of[k].bytes += dir_taken(&st);
	if (k == GONE || k == UNFINISHED)
		l->stubs += stubs_in(&l->dir, entry);
}

/* --- text --- */

static void age_put(char *out, size_t size, const struct name *n)
{
	int64_t s = (int64_t)time(NULL) - (int64_t)n->utc_s;

	if (s < 0)
		snprintf(out, size, "in future");
	else if (s < 120)
		snprintf(out, size, "%" PRId64 " s", s);
	else if (s < 7200)
		snprintf(out, size, "%" PRId64 " min", s / 60);
	else if (s < 172800)
		snprintf(out, size, "%" PRId64 " h", s / 3600);
	else
		snprintf(out, size, "%" PRId64 " days", s / 86400);
}

/* Without the stream and the suffix. */
static void short_put(char out[NAME_BYTES_MAX], const struct name *n)
{
	name_put(out, n);
	*strrchr(out, '-') = 0;
}

static void kind_print(const struct listed *l, enum kind k)
{
	char oldest[NAME_BYTES_MAX] = "-", newest[NAME_BYTES_MAX] = "-", old_age[24] = "", new_age[24] = "";

	if (l->of[k].number) {
		short_put(oldest, &l->of[k].oldest);
		short_put(newest, &l->of[k].newest);
		age_put(old_age, sizeof old_age, &l->of[k].oldest);
		age_put(new_age, sizeof new_age, &l->of[k].newest);
	}
	printf("%-9s %7" PRIu64 " %14" PRIu64 "  %-38s %9s  %-38s %9s  %s\n", kinds[k], l->of[k].number,
	        l->of[k].bytes, oldest, old_age, newest, new_age, meaning[k]);
}

static void text_print(const struct listed *l, uint64_t bytes, const struct statvfs *fs)
{
	printf("%-9s %7s %14s  %-38s %9s  %-38s %9s\n", "state", "number", "bytes", "oldest", "age", "newest",
	        "age");
	for (enum kind k = PART; k < KINDS; k++)
		kind_print(l, k);
	printf("%-9s %7" PRIu64 " %14" PRIu64 "\n", "foreign", l->foreign, l->foreign_bytes);
	printf("all: %" PRIu64 " bytes; free: %" PRIu64 " bytes, %" PRIu64 " inodes\n", bytes,
	        (uint64_t)fs->f_bavail * fs->f_frsize, (uint64_t)fs->f_favail);
	printf("segments removed before they were stored, with a stub here: %" PRIu64 "\n", l->stubs);
	printf("cam-spool: %s\n", l->running ? "running" : "not running");
}

/* --- JSON --- */

static void json_string(const char *text)
{
	putchar('"');
	for (const unsigned char *p = (const unsigned char *)text; *p; p++)
		if (*p == '"' || *p == '\\')
			printf("\\%c", *p);
		else if (*p < 0x20 || *p >= 0x7f)
			printf("\\u%04x", *p);
		else
			putchar(*p);
	putchar('"');
}

static void json_name(const char *key, const struct name *n)
{
	char text[NAME_BYTES_MAX];

	name_put(text, n);
	*strrchr(text, '.') = 0;
	printf(",\"%s\":\"%s\",\"%s_utc_s\":%" PRIu64, key, text, key, n->utc_s);
}

static void json_kind(const struct listed *l, enum kind k)
{
	printf("\"%s\":{\"bytes\":%" PRIu64, kinds[k], l->of[k].bytes);
	if (l->of[k].number)
		json_name("newest", &l->of[k].newest);
	printf(",\"number\":%" PRIu64, l->of[k].number);
	if (l->of[k].number)
		json_name("oldest", &l->of[k].oldest);
	putchar('}');
}

/* --- foreign files, in a second look, so that their number costs no memory --- */

static void foreign_entry(void *arg, const char *entry)
{
	struct listed *l = arg;
	struct name n;
	struct stat st;
	enum kind k;

	if (entry_kind(entry, &n, &k) || fstatat(l->dir.fd, entry, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	if (l->json) {
		printf("%s{\"bytes\":%" PRIu64 ",\"name\":", l->printed++ ? "," : "", dir_taken(&st));
		json_string(entry);
		putchar('}');
		return;
	}
	printf("foreign: ");
	for (const unsigned char *p = (const unsigned char *)entry; *p; p++)
		putchar(*p < 0x20 || *p == 0x7f ? '?' : *p);
	printf(": %" PRIu64 " bytes%s\n", dir_taken(&st),
	        strstr(entry, ".part.damaged-")  ? ", damaged"
	        : part_temporary(entry, &n) == 0 ? ", being written again"
	                                         : "");
}

static int json_print(struct listed *l, uint64_t bytes, const struct statvfs *fs)
{
	printf("{\"bytes\":%" PRIu64, bytes);
	for (size_t i = 0; i < sizeof sorted / sizeof *sorted; i++) {
		if (sorted[i] == GONE) {
			printf(",\"foreign\":[");
			if (dir_each(&l->dir, foreign_entry, l) < 0)
				return -1;
			printf("],\"foreign_bytes\":%" PRIu64 ",\"free_bytes\":%" PRIu64
			       ",\"free_inodes\":%" PRIu64,
			        l->foreign_bytes, (uint64_t)fs->f_bavail * fs->f_frsize,
			        (uint64_t)fs->f_favail);
		}
		if (sorted[i] == SENT)
			printf(",\"running\":%s", l->running ? "true" : "false");
		putchar(',');
		json_kind(l, sorted[i]);
	}
	printf(",\"stubs\":%" PRIu64 "}\n", l->stubs);
	return 0;
}

/* The lock of a cam-spool at work cannot be shared; ours is let go at once. */
static bool running(int fd)
{
	if (flock(fd, LOCK_SH | LOCK_NB) < 0)
		return errno == EWOULDBLOCK;
	flock(fd, LOCK_UN);
	return false;
}

int list_main(const char *path, bool json)
{
	static struct listed l;
	struct statvfs fs;
	struct stat st;
	uint64_t bytes;

	l.json = json;
	l.dir.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = l.dir.fd < 0 ? -1 : openat(l.dir.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	l.dir.list = fd < 0 ? NULL : fdopendir(fd);
	if (!l.dir.list || fstat(fd, &st) < 0 || fstatvfs(fd, &fs) < 0)
		die_errno(EXIT_TEMPORARY, "%s", path);
	sandbox_enter(&profile_spool_list, &path, 1);
	l.running = running(l.dir.fd);
	if (dir_each(&l.dir, count_entry, &l) < 0)
		die_errno(EXIT_TEMPORARY, "%s", path);
	bytes = dir_taken(&st) + l.foreign_bytes;
	for (enum kind k = PART; k < KINDS; k++)
		bytes += l.of[k].bytes;
	if (!json)
		text_print(&l, bytes, &fs);
	if ((json ? json_print(&l, bytes, &fs) : dir_each(&l.dir, foreign_entry, &l)) < 0)
		die_errno(EXIT_TEMPORARY, "%s", path);
	closedir(l.dir.list);
	close(l.dir.fd);
	if (fflush(stdout) != 0 && errno != EPIPE)
		die_errno(EXIT_TEMPORARY, "stdout");
	return EXIT_OK;
}
