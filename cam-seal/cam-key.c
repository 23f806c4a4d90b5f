/* cam-key: makes key pairs. Reads the passphrase (terminal or descriptor), writes NAME.key and NAME.pub;
 * never overwrites a file, never sends anything anywhere. */
#define _GNU_SOURCE
#include "fdio.h"
#include "keyfile.h"
#include "msg.h"
#include "opt.h"
#include "passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] = "cam-key -g [-s] [-n | -P FD] NAME";

static void file_make(const char *path, mode_t mode, const char *line)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		die_errno(errno == EEXIST ? EXIT_NEGATIVE : EXIT_TEMPORARY, "%s", path);
	if (fd_write(fd, line, strlen(line)) < 0 || fsync(fd) < 0 || close(fd) < 0) {
		int err = errno;
		unlink(path);
		errno = err;
		die_errno(EXIT_TEMPORARY, "%s", path);
	}
}

static void folder_sync(const char *path)
{
	char copy[PATH_MAX];
	snprintf(copy, sizeof copy, "%s", path);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		die_errno(EXIT_TEMPORARY, "%s: folder", path);
	close(fd);
}

/* Locked memory with the passphrase, or NULL when there is to be none. */
static char *passphrase_get(const char *key_path, int none, int fd)
{
	const char *why;
	char *a, *b, prompt[PATH_MAX + 64];

	if (none)
		return NULL;
	a = sodium_malloc(PASSPHRASE_BYTES_MAX + 1);
	b = sodium_malloc(PASSPHRASE_BYTES_MAX + 1);
	if (!a || !b)
		die(EXIT_TEMPORARY, "no locked memory for the passphrase");
	if (fd >= 0) {
		if ((why = passphrase_read(fd, a)))
			die(EXIT_USAGE, "-P %d: %s", fd, why);
	} else {
		snprintf(prompt, sizeof prompt, "Passphrase for %s: ", key_path);
		if ((why = passphrase_ask(prompt, a)))
			die(EXIT_USAGE, "passphrase: %s (-n makes a key without one, -P FD reads it)", why);
		if ((why = passphrase_ask("The same again: ", b)))
			die(EXIT_USAGE, "passphrase: %s", why);
		if (strcmp(a, b) != 0)
			die(EXIT_USAGE, "passphrase: the two are not the same");
	}
	sodium_free(b);
	return a;
}

static void generate(const char *name, enum keyfile_kind kind, int none, int fd)
{
	char key_path[PATH_MAX], pub_path[PATH_MAX], *secret, public[KEYFILE_LINE_BYTES_MAX];
	struct keyfile_key key;
	const char *why;

	if (!*name || name[strlen(name) - 1] == '/' || strlen(name) > sizeof key_path - sizeof ".key")
		die(EXIT_USAGE, "%s: not a name for a file", name);
	snprintf(key_path, sizeof key_path, "%s.key", name);
	snprintf(pub_path, sizeof pub_path, "%s.pub", name);
	if (access(key_path, F_OK) == 0 || access(pub_path, F_OK) == 0)
		die(EXIT_NEGATIVE, "%s: exists: nothing is overwritten", access(key_path, F_OK) == 0 ? key_path : pub_path);
	char *passphrase = passphrase_get(key_path, none, fd);
	if ((why = keyfile_generate(kind, &key)))
		die(EXIT_TEMPORARY, "%s", why);
	if (!(secret = sodium_malloc(KEYFILE_LINE_BYTES_MAX)))
		die(EXIT_TEMPORARY, "no locked memory for the key");
	if ((why = keyfile_secret_line(&key, passphrase, passphrase ? strlen(passphrase) : 0, secret)))
		die(EXIT_TEMPORARY, "%s: %s", key_path, why);
	keyfile_public_line(&key, public);
	file_make(pub_path, 0644, public);
	file_make(key_path, 0600, secret);
	folder_sync(key_path);
	sodium_free(secret);
	if (passphrase)
		sodium_free(passphrase);
	keyfile_wipe(&key);
}

int main(int argc, char **argv)
{
	int make = 0, none = 0, fd = -1, c;
	enum keyfile_kind kind = KEYFILE_RECIPIENT_SECRET;

	msg_init("cam-key");
	while ((c = opt_next(argc, argv, "gsnP:", "", usage)) != -1)
		switch (c) {
		case 'g': make = 1; break;
		case 's': kind = KEYFILE_DEVICE_SECRET; break;
		case 'n': none = 1; break;
		case 'P': fd = (int)opt_number('P', 0, 1023); break;
		default: die(EXIT_BUG, "-%c: not handled", c);
		}
	if (!make || argc - optind != 1)
		die(EXIT_USAGE, "usage: %s", usage);
	if (none && fd >= 0)
		die(EXIT_USAGE, "-n and -P: one or the other: usage: %s", usage);
	if (kind == KEYFILE_DEVICE_SECRET && fd >= 0)
		die(EXIT_USAGE, "-s and -P: a camera starts with nobody there: its key has no passphrase: usage: %s", usage);
	if (sodium_init() < 0)
		die(EXIT_TEMPORARY, "libsodium: cannot be initialised");
	generate(argv[optind], kind, none || kind == KEYFILE_DEVICE_SECRET, fd);
	return EXIT_OK;
}
