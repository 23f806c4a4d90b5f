#define _GNU_SOURCE
#include "recover.h"
#include "stop.h"
#include "stream.h"
#include "tap.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A small segment in memory: where each record begins, and the end. */
static uint8_t one[65536], got[65536];
static size_t at[32], records, total;
static char folder[] = "/dev/shm/cam-spool-XXXXXX", name[NAME_BYTES_MAX], part[NAME_BYTES_MAX];

static void segment(struct stream *s)
{
	static const size_t sizes[] = {300, 1, 60, 4000, 33};
	uint8_t content[RECORD_PAYLOAD_BYTES_MAX];
	struct name n;

	records = 0;
	at[records++] = 0;
	total = stream_header(s, one, 1);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		randombytes_buf(content, sizes[i]);
		at[records++] = total;
		total += stream_data(s, one + total, content, sizes[i]);
		if (i % 2) {
			at[records++] = total;
			total += stream_checkpoint(s, one + total);
		}
	}
	at[records++] = total;
	total += stream_end(s, one + total);
	at[records] = total;
	stream_name(s, &n);
	name_put(name, &n);
	n.state = NAME_PART;
	name_put(part, &n);
}

static void file_put(const char *file, const uint8_t *p, size_t n)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd < 0 || write(fd, p, n) != (ssize_t)n)
		abort();
	close(fd);
}

/* Whether file holds exactly these bytes. */
static bool holds(const char *file, const uint8_t *p, size_t n)
{
	int fd = open(file, O_RDONLY | O_NOFOLLOW);
	ssize_t r = fd < 0 ? -1 : read(fd, got, sizeof got);
	if (fd >= 0)
		close(fd);
	return r == (ssize_t)n && memcmp(got, p, n) == 0;
}

static bool absent(const char *file)
{
	struct stat st;
	return lstat(file, &st) < 0;
}

static struct incoming in;
static char candidate[NAME_BYTES_MAX]; /* what stayed open, or "" */

static int recovered(void)
{
	struct dir d;
	struct part p;

	dir_open(&d, ".");
	part_init(&p, &d, NULL);
	int r = recover(&d, &p, &in);
	snprintf(candidate, sizeof candidate, "%s", p.fd < 0 ? "" : p.text);
	part_close(&p);
	free(p.tail);
	closedir(d.list);
	close(d.fd);
	return r;
}

static void cuts(struct stream *s)
{
	size_t useless = 0, kept = 0, after = 0;

	segment(s);
	for (size_t cut = 0; cut < total; cut++) {
		size_t k = 0;
		while (at[k + 1] <= cut)
			k++;
		file_put(part, one, cut);
		recovered();
		if (!cut) {
			ok(absent(part) && !*candidate, "an empty .part is removed");
		} else if (!k) {
			useless += holds(part, one, cut) && !*candidate;
		} else {
			kept += holds(part, one, at[k]) && strcmp(candidate, part) == 0;
			after += in.open && in.last == k - 1;
		}
	}
	ok(useless == at[1] - 1, "cut in its header, a .part is left alone as it is (%zu)", useless);
	ok(kept == total - at[1], "cut at any later offset, it is kept to its last whole record (%zu)", kept);
	ok(after == kept, "and can be resumed after it (%zu)", after);
	unlink(part);
	file_put(part, one, total);
	recovered();
	ok(holds(name, one, total) && absent(part) && !*candidate,
	        "with its end record it is published whole");
	unlink(name);
	memcpy(got, one, total);
	memset(got + total, 0, 5000);
	file_put(part, got, total + 5000);
	recovered();
	ok(holds(name, one, total), "what follows the end record is cut off");
	unlink(name);
}

static void damage(struct stream *s)
{
	static uint8_t bad[65536];
	size_t whole, fine = 0, tried = 0;

	segment(s);
	/* zeros behind the last record, as a power cut can leave them */
	memset(bad, 0, sizeof bad);
	memcpy(bad, one, at[4]);
	file_put(part, bad, at[4] + 9000);
	recovered();
	ok(holds(part, one, at[4]) && in.last == 3, "zeros at the end are cut off");
	/* damage inside: nothing behind it is lost */
	whole = at[records - 1];
	for (size_t i = at[1]; i < at[records - 2]; i += 7) {
		memcpy(bad, one, whole);
		bad[i] ^= 0x40;
		file_put(part, bad, whole);
		recovered();
		fine += holds(part, bad, whole) && in.last == records - 2;
		tried++;
	}
	ok(fine == tried, "damage inside cuts nothing off (%zu of %zu)", fine, tried);
	unlink(part);
	memcpy(bad, one, total);
	bad[30] ^= 1;
	file_put(part, bad, total);
	recovered();
	ok(holds(part, bad, total) && !*candidate, "a damaged header: left alone");
	unlink(part);
}

static void several(struct stream *s)
{
	struct stream other;
	char older[NAME_BYTES_MAX], older_cam[NAME_BYTES_MAX];
	static uint8_t first[65536];
	size_t cut;

	segment(s);
	memcpy(first, one, total);
	cut = at[3];
	memcpy(older, part, sizeof older);
	memcpy(older_cam, name, sizeof older_cam);
	file_put(older, first, cut + 5);
	segment(s);
	file_put(part, one, at[4] + 1);
	recovered();
	ok(holds(older_cam, first, cut) && absent(older), "of two, the older is published as truncated");
	ok(strcmp(candidate, part) == 0 && holds(part, one, at[4]) && in.last == 3 &&
	                in.segment == s->segment,
	        "and the newer stays open");
	/* a newer one without header is not the candidate, and does not disturb it */
	stream_init(&other, 7, 8, 0);
	char useless[NAME_BYTES_MAX], keep[NAME_BYTES_MAX];
	memcpy(keep, part, sizeof keep);
	uint32_t segment_number = s->segment;
	segment(&other);
	memcpy(useless, part, sizeof useless);
	file_put(useless, one, 10);
	recovered();
	ok(strcmp(candidate, keep) == 0 && in.last == 3 && in.segment == segment_number &&
	                holds(useless, one, 10),
	        "a newer useless file does not take its place");
	unlink(useless);
	unlink(keep);
	unlink(older_cam);
	/* many: more than one batch */
	for (int i = 0; i < 150; i++) {
		segment(&other);
		file_put(part, one, at[2]);
	}
	recovered();
	int cams = 0, parts = 0;
	struct name n;
	DIR *list = opendir(".");
	for (const struct dirent *e; (e = readdir(list));)
		if (name_parse(e->d_name, &n) == 0) {
			cams += n.state == NAME_CAM;
			parts += n.state == NAME_PART;
			unlink(e->d_name);
		}
	closedir(list);
	ok(cams == 149 && parts == 1 && strcmp(candidate, part) == 0,
	        "150 files: 149 published (%d), the newest open", cams);
	stream_free(&other);
}

static void foreign(struct stream *s)
{
	char temporary[NAME_BYTES_MAX + 8], other[NAME_BYTES_MAX];
	struct name n;

	segment(s);
	file_put(part, one, at[2]);
	file_put(name, one, total);
	recovered();
	ok(strcmp(candidate, part) == 0, "a .part beside its .cam is looked at");
	unlink(name);
	snprintf(temporary, sizeof temporary, "%s.new", part);
	file_put(temporary, one, 100);
	recovered();
	ok(absent(temporary) && holds(part, one, at[2]),
	        "an interrupted rewrite is removed, its .part is not");
	unlink(part);
	file_put(temporary, one, 100);
	file_put("notes.txt", one, 5);
	recovered();
	ok(holds(temporary, one, 100) && holds("notes.txt", one, 5),
	        "files of others stay, also NAME.part.new without NAME.part");
	unlink(temporary);
	unlink("notes.txt");
	stream_name(s, &n);
	n.epoch++;
	n.state = NAME_PART;
	name_put(other, &n);
	file_put(other, one, at[3]);
	recovered();
	ok(holds(other, one, at[3]) && !*candidate, "a header under another name is left alone");
	unlink(other);
	file_put("target", one, at[3] + 1);
	if (symlink("target", part) < 0)
		abort();
	recovered();
	ok(holds("target", one, at[3] + 1) && !*candidate, "a symbolic link is not followed");
	unlink(part);
	mkdir(part, 0755);
	recovered();
	ok(!absent(part) && !*candidate, "a directory is left alone");
	rmdir(part);
	if (mkfifo(part, 0600) < 0)
		abort();
	recovered();
	ok(!absent(part) && !*candidate, "a FIFO is left alone, and not waited for");
	unlink(part);
	unlink("target");
	/* two segments in one file */
	memcpy(got, one, at[3]);
	size_t first = at[3];
	static uint8_t both[65536];
	memcpy(both, one, first);
	memcpy(other, part, sizeof other);
	segment(s);
	memcpy(both + first, one, at[2]);
	file_put(other, both, first + at[2]);
	recovered();
	ok(holds(other, both, first + at[2]) && !*candidate, "two segments in one file are left alone");
	unlink(other);
}

int main(void)
{
	struct stream s;

	if (sodium_init() < 0)
		return 1;
	if (!mkdtemp(folder)) {
		snprintf(folder, sizeof folder, "/tmp/cam-spool-XXXXXX");
		if (!mkdtemp(folder))
			return 1;
	}
	if (chdir(folder) < 0 || !freopen("/dev/null", "w", stderr))
		return 1;
	stop_init();
	stream_init(&s, 1, 1, 1767225600000000000);
	cuts(&s);
	damage(&s);
	several(&s);
	foreign(&s);
	stream_free(&s);
	int r = tap_done();
	if (chdir("/") == 0)
		rmdir(folder);
	return r;
}
