/* Key lines and key files. Nothing is unlocked: that costs seconds by design. */
#define _GNU_SOURCE
#include "keyfile.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void line(const uint8_t *p, size_t n)
{
	struct keyfile_key key, again;
	char text[KEYFILE_LINE_BYTES_MAX];
	char *copy = malloc(n + 1);

	memcpy(copy, p, n);
	copy[n] = '\0';
	if (!keyfile_parse(copy, &key)) {
		keyfile_public_line(&key, text);
		text[strlen(text) - 1] = '\0';
		if (keyfile_parse(text, &again) || memcmp(again.pk, key.pk, sizeof key.pk) != 0 ||
		        again.secret)
			abort();
		if (key.locked &&
		        (key.secret || key.mem_kib > KEYFILE_MEM_KIB_MAX || key.ops > KEYFILE_OPS_MAX))
			abort();
		keyfile_wipe(&key);
	} else if (key.secret) {
		abort();
	}
	free(copy);
}

static void file(const uint8_t *p, size_t n)
{
	static int fd = -1;
	static char path[64];
	struct keyfile_key key[4];
	size_t keys = 0;

	if (fd < 0) {
		fd = memfd_create("keyfile", 0);
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	}
	if (ftruncate(fd, 0) < 0 || pwrite(fd, p, n, 0) != (ssize_t)n)
		abort();
	for (int kind = KEYFILE_RECIPIENT; kind <= KEYFILE_DEVICE_SECRET; kind++) {
		if (!keyfile_load(path, (enum keyfile_kind)kind, key, 4, &keys) != (keys > 0))
			abort();
		while (keys)
			keyfile_wipe(&key[--keys]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	if (sodium_init() < 0 || n > 4096)
		return 0;
	line(p, n);
	file(p, n);
	return 0;
}
