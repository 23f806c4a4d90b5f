/* Reads a file up to UBOOT_BYTES_MAX; a longer one has to have the head of a kernel. */
#define _GNU_SOURCE
#include "boot-file.h"

#include "fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum {
	PACKED_BYTES_MAX = 2 << 20, /* of a compressed U-Boot */
	HEAD_BYTES = 4096,
};

/* A kernel's Image (arm64, magic at 56) or zImage (arm, magic at 36). */
static bool is_linux(const uint8_t *p, size_t n)
{
	return (n >= 64 && memcmp(p + 56, "ARM\x64", 4) == 0) ||
	       (n >= 40 && memcmp(p + 36, "\x18\x28\x6f\x01", 4) == 0);
}

static bool is_packed(const uint8_t *p, size_t n)
{
	return n > 2 && p[0] == 0x1f && p[1] == 0x8b;
}

/* As much as there is of it, up to max bytes. *whole: that was all. -1 with errno: damaged. */
static ssize_t unpack(const uint8_t *p, size_t n, uint8_t *out, size_t max, bool *whole)
{
	z_stream z = {.next_in = (Bytef *)p, .avail_in = (uInt)n};

	errno = EINVAL;
	if (inflateInit2(&z, 15 + 16) != Z_OK)
		return -1;
	z.next_out = out;
	z.avail_out = (uInt)max;
	int r = inflate(&z, Z_SYNC_FLUSH);
	inflateEnd(&z);
	*whole = r == Z_STREAM_END;
	return r == Z_OK || r == Z_STREAM_END || r == Z_BUF_ERROR ? (ssize_t)(max - z.avail_out) : -1;
}

/* The first bytes of a file, unpacked when it is packed, and how long it is. -1 with errno. */
static ssize_t head_read(
        const struct where *w, const char *path, uint8_t head[HEAD_BYTES], bool *packed, off_t *size)
{
	uint8_t raw[HEAD_BYTES];
	int fd = where_open(w, path, O_RDONLY);
	struct stat st;
	bool whole;

	if (fd < 0)
		return -1;
	ssize_t n = fstat(fd, &st) < 0 ? -1 : fd_read(fd, raw, sizeof raw); /* a folder: EISDIR */
	int saved = errno;
	close(fd);
	errno = saved;
	if (n < 0)
		return -1;
	*size = st.st_size;
	*packed = is_packed(raw, (size_t)n);
	if (*packed)
		return unpack(raw, (size_t)n, head, HEAD_BYTES, &whole);
	memcpy(head, raw, (size_t)n);
	return n;
}

/* Takes p, gives what is packed in it. NULL: more than fits, or damaged. */
static char *unpacked(char *p, size_t *n)
{
	uint8_t *out = malloc(UBOOT_BYTES_MAX);
	bool whole = false;
	ssize_t r = out ? unpack((const uint8_t *)p, *n, out, UBOOT_BYTES_MAX, &whole) : -1;

	free(p);
	if (r < 0 || !whole) {
		free(out);
		return NULL;
	}
	*n = (size_t)r;
	return (char *)out;
}

enum boot_file boot_file_read(const struct where *w, const char *path, char **bytes, struct uboot *out)
{
	uint8_t head[HEAD_BYTES];
	bool packed;
	off_t size;
	size_t n = 0;
	ssize_t have = head_read(w, path, head, &packed, &size);
	char *p = NULL;

	*bytes = NULL;
	if (have < 0)
		return errno == ENOENT ? BOOT_FILE_NONE : BOOT_FILE_UNKNOWN;
	if (size <= (packed ? PACKED_BYTES_MAX : UBOOT_BYTES_MAX))
		p = where_read(w, path, UBOOT_BYTES_MAX, &n);
	if (p && packed)
		p = unpacked(p, &n);
	if (p && uboot_parse((const uint8_t *)p, n, out) == 0) {
		*bytes = p;
		return BOOT_FILE_UBOOT;
	}
	free(p);
	return is_linux(head, (size_t)have) ? BOOT_FILE_KERNEL : BOOT_FILE_UNKNOWN;
}
