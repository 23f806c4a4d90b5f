/* Reads what lies beside the kernel under the names that boot loaders look for, in pieces: archives one
 * behind the other, plain or compressed by gzip. Nothing is unpacked; names are looked at. Other compressions
 * are evidence not seen: uncompressed it could be. */
#define _GNU_SOURCE
#include "initramfs.h"

#include "collect.h"
#include "cpio.h"
#include "fdio.h"
#include "file-look.h"
#include "list.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum {
	PIECE_BYTES = 64 << 10,
	FILE_BYTES_MAX = 256 << 20,
	UNPACKED_BYTES_MAX = 1 << 30,
	NAMES_MAX = 1024,
	PATH_BYTES = 320,
	MAGIC_BYTES = 6,
};

static const char group[] = "image";

struct reading {
	struct list *files, *shells;
	const char *path; /* of the file that is looked at */
	struct cpio cpio;
	z_stream z;
	bool inflating;
	uint64_t unpacked;
	const char *why;
};

static void entry_look(void *arg, const char *name, unsigned mode)
{
	struct reading *l = arg;
	const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name;

	if (S_ISDIR(mode))
		return;
	list_add(l->files, "%s", name);
	if (look_name_interprets(base))
		list_add(l->shells, "/%s: %s", l->path, name);
}

/* --- compression --- */

static const char *compression(const uint8_t *p)
{
	static const struct {
		const char *magic, *why;
		size_t n;
	} known[] = {{"\x28\xb5\x2f\xfd",
	                     "it is compressed by zstd, which is not read here: lay it there uncompressed, "
	                     "or by gzip",
	                     4},
	        {"\xfd"
	         "7zXZ",
	                "it is compressed by xz, which is not read here: lay it there uncompressed, or by "
	                "gzip",
	                5},
	        {"\x02\x21\x4c\x18",
	                "it is compressed by lz4, which is not read here: lay it there uncompressed, or by "
	                "gzip",
	                4},
	        {"BZh",
	                "it is compressed by bzip2, which is not read here: lay it there uncompressed, or by "
	                "gzip",
	                3}};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (memcmp(p, known[i].magic, known[i].n) == 0)
			return known[i].why;
	return "it is neither an archive nor compressed by gzip";
}

static void inflate_begin(struct reading *l)
{
	l->z = (z_stream){0};
	if (inflateInit2(&l->z, 15 + 16) != Z_OK)
		l->why = "no memory";
	else
		l->inflating = true;
}

/* How many bytes of p were used up. */
static size_t inflate_push(struct reading *l, const uint8_t *p, size_t n)
{
	static uint8_t out[PIECE_BYTES];
	int r = Z_OK;

	l->z.next_in = (Bytef *)p;
	l->z.avail_in = (uInt)n;
	do {
		l->z.next_out = out;
		l->z.avail_out = sizeof out;
		r = inflate(&l->z, Z_NO_FLUSH);
		size_t got = sizeof out - l->z.avail_out;
		l->unpacked += got;
		if (r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR)
			l->why = "it is compressed and damaged";
		else if (l->unpacked > UNPACKED_BYTES_MAX)
			l->why = "it is larger than what is looked at";
		else if (cpio_push(&l->cpio, out, got) < got && !l->cpio.why)
			l->why = "something else than an archive is compressed in it";
		l->why = l->why ? l->why : l->cpio.why;
	} while (!l->why && r == Z_OK && !l->z.avail_out);
	if (r == Z_STREAM_END || l->why) {
		inflateEnd(&l->z);
		l->inflating = false;
	}
	return n - l->z.avail_in;
}

/* --- a file --- */

/* Takes what it can of n bytes, at least one while there are enough to tell what begins. */
static size_t piece_take(struct reading *l, const uint8_t *p, size_t n, bool last)
{
	size_t k = l->inflating ? inflate_push(l, p, n) : cpio_push(&l->cpio, p, n);

	l->why = l->why ? l->why : l->cpio.why;
	if (l->why || l->inflating || k == n)
		return k;
	if (n - k < MAGIC_BYTES && !last)
		return k;
	if (n - k < MAGIC_BYTES)
		l->why = "something is left at its end";
	else if (p[k] == 0x1f && p[k + 1] == 0x8b)
		inflate_begin(l);
	else
		l->why = compression(p + k);
	return k;
}

static void whole_take(struct reading *l, int fd)
{
	static uint8_t buf[PIECE_BYTES];
	uint64_t total = 0;
	size_t have = 0;
	ssize_t n = 1;

	while (!l->why && (n > 0 || have)) {
		n = n > 0 ? fd_read(fd, buf + have, sizeof buf - have) : 0;
		if (n < 0 || (total += (uint64_t)n) > FILE_BYTES_MAX) {
			l->why = n < 0 ? strerror(errno) : "it is larger than what is looked at";
			break;
		}
		have += (size_t)n;
		if (!have)
			break;
		bool was = l->inflating;
		size_t k = piece_take(l, buf, have, n == 0);
		if (!k && !n && was == l->inflating && !l->why)
			l->why = "something is left at its end";
		memmove(buf, buf + k, have - k);
		have -= k;
	}
	if (!l->why && (l->inflating || cpio_end(&l->cpio) < 0))
		l->why = "it is cut off, or not an archive";
	if (l->inflating)
		inflateEnd(&l->z);
}

/* So that whoever judged the names finds out when one of the files is another. */
static void digest_add(struct reading *l, int fd)
{
	static uint8_t buf[PIECE_BYTES];
	crypto_hash_sha256_state hash;
	uint8_t digest[crypto_hash_sha256_BYTES];
	char text[2 * sizeof digest + 1];
	uint64_t total = 0;
	ssize_t n;

	crypto_hash_sha256_init(&hash);
	while ((n = fd_read(fd, buf, sizeof buf)) > 0 && (total += (uint64_t)n) <= FILE_BYTES_MAX)
		crypto_hash_sha256_update(&hash, buf, (size_t)n);
	crypto_hash_sha256_final(&hash, digest);
	sodium_bin2hex(text, sizeof text, digest, sizeof digest);
	if (n < 0 || lseek(fd, 0, SEEK_SET) != 0)
		l->why = strerror(errno);
	else if (n > 0)
		l->why = "it is larger than what is looked at";
	else
		list_add(l->files, "/%s: sha256 %s", l->path, text);
}

static void file_look(const struct where *w, const char *path, struct list *files, struct list *shells)
{
	static struct reading l;
	static char why[PATH_BYTES + 128];
	struct stat st;
	int fd = where_open(w, path, O_RDONLY);

	l = (struct reading){.files = files, .shells = shells, .path = path};
	l.cpio = (struct cpio){.entry = entry_look, .arg = &l};
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		l.why = fd < 0 ? strerror(errno) : "it is not a file";
	else
		digest_add(&l, fd);
	if (!l.why)
		whole_take(&l, fd);
	if (fd >= 0)
		close(fd);
	if (l.why) {
		snprintf(why, sizeof why, "/%.300s: %s", path, l.why);
		list_unseen(files, why);
		list_unseen(shells, why);
	}
}

/* --- where it may lie --- */

static bool known_not(const struct evidence *e, const char *key)
{
	const struct fact *f = evidence_first(e, "kconfig", key);

	return !evidence_group_unseen(e, "kconfig") && evidence_group_whole(e, "kconfig") &&
	       (!f || strcmp(f->value, "n") == 0 || !*f->value);
}

/* How many entries the folder has. */
static size_t folder_look(const struct where *w, const char *folder, struct list *files, struct list *shells)
{
	char path[PATH_BYTES];
	size_t n = 0;
	char **name = folder_names(w, folder, NAMES_MAX, &n);

	if (!name && errno != ENOENT && errno != ENOTDIR) {
		list_unseen(files, "a folder of the boot loader cannot be read");
		list_unseen(shells, "a folder of the boot loader cannot be read");
	}
	for (size_t i = 0; name && i < n; i++) {
		if (strncmp(name[i], "initrd", 6) != 0 && strncmp(name[i], "initramfs", 9) != 0)
			continue;
		snprintf(path, sizeof path, "%s/%.255s", folder, name[i]);
		file_look(w, path, files, shells);
	}
	folder_names_free(name, n);
	return n;
}

int initramfs_collect(struct evidence *e, const struct where *w)
{
	struct list files = {e, group, "initramfs-files", "boot/initrd*, boot/initramfs*", 0, NULL, 0},
	            shells = {e, group, "initramfs-shells", "boot/initrd*, boot/initramfs*", 0, NULL, 0};
	static const char *const folders[] = {"boot", "boot/firmware"};
	size_t entries = 0;

	if (w->live)
		return 0;
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
		entries += folder_look(w, folders[i], &files, &shells);
	const char *why = !known_not(e, "CONFIG_INITRAMFS_SOURCE") && !known_not(e, "CONFIG_BLK_DEV_INITRD")
	                          ? "one may be compiled into the kernel: CONFIG_INITRAMFS_SOURCE"
	                  : !entries && !known_not(e, "CONFIG_BLK_DEV_INITRD")
	                          ? "there is nothing in boot: put the boot partition's files there"
	                          : NULL;
	if (why) {
		list_unseen(&files, why);
		list_unseen(&shells, why);
	}
	return list_end(&files) | list_end(&shells);
}
