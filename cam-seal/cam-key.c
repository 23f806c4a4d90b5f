/* cam-key: makes and looks after key files. Reads passphrases (terminal or descriptor) and the key files
 * named, writes NAME.key and NAME.pub; never overwrites a file but the one it is told to change, and that by
 * rename. */
#define _GNU_SOURCE
#include "fdio.h"
#include "keyfile.h"
#include "msg.h"
#include "opt.h"
#include "passphrase.h"
#include "record.h"
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { YEARS_MAX = 20 };

static const char usage[] = "cam-key -g [-s | -y MONTHS] [-n | -P FD] NAME | cam-key -c [-n | -P FD] FILE | "
                            "cam-key -D YYYY-MM FILE | cam-key -f FILE; each with [-Z landlock]";

static int none, passphrase_fd = -1;

/* --- passphrases --- */

static char *locked_text(size_t n)
{
	char *p = sodium_malloc(n);
	if (!p)
		die(EXIT_TEMPORARY, "no locked memory for the key");
	*p = '\0';
	return p;
}

static void passphrase_once(const char *prompt, char *out)
{
	const char *why =
	        passphrase_fd >= 0 ? passphrase_read(passphrase_fd, out) : passphrase_ask(prompt, out);
	if (why)
		die(EXIT_USAGE, "passphrase: %s%s", why,
		        passphrase_fd >= 0 ? "" : " (-n makes a key without one, -P FD reads it)");
}

/* A new one, in locked memory; NULL when there is to be none. */
static char *passphrase_new(const char *path)
{
	char prompt[PATH_MAX + 64];

	if (none)
		return NULL;
	char *a = locked_text(PASSPHRASE_BYTES_MAX + 1), *b = locked_text(PASSPHRASE_BYTES_MAX + 1);
	snprintf(prompt, sizeof prompt, "Passphrase for %s: ", path);
	passphrase_once(prompt, a);
	if (passphrase_fd < 0) {
		passphrase_once("The same again: ", b);
		if (strcmp(a, b) != 0)
			die(EXIT_USAGE, "passphrase: the two are not the same");
	}
	sodium_free(b);
	return a;
}

/* --- files --- */

static void folder_sync(const char *path)
{
	char copy[PATH_MAX];
	snprintf(copy, sizeof copy, "%s", path);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		die_errno(EXIT_TEMPORARY, "%s: folder", path);
	close(fd);
}

static void file_make(const char *path, mode_t mode, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		die_errno(errno == EEXIST ? EXIT_NEGATIVE : EXIT_TEMPORARY, "%s", path);
	if (fd_write(fd, text, strlen(text)) < 0 || fsync(fd) < 0 || close(fd) < 0) {
		int err = errno;
		unlink(path);
		errno = err;
		die_errno(EXIT_TEMPORARY, "%s", path);
	}
}

/* The new content is on the disk before the old name points to it; then the old content is overwritten, as
 * far as the disk lets one (flash keeps copies). */
static void file_replace(const char *path, const char *text)
{
	char new_path[PATH_MAX];
	static const char zeros[4096];
	struct stat st;
	int old = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

	if (old < 0 || fstat(old, &st) < 0)
		die_errno(EXIT_TEMPORARY, "%s", path);
	if ((size_t)snprintf(new_path, sizeof new_path, "%s.new", path) >= sizeof new_path)
		die(EXIT_USAGE, "%s: the name is too long", path);
	file_make(new_path, 0600, text);
	if (rename(new_path, path) < 0)
		die_errno(EXIT_TEMPORARY, "%s", path);
	folder_sync(path);
	for (off_t left = st.st_size; left > 0; left -= (off_t)sizeof zeros)
		if (fd_write(old, zeros, left < (off_t)sizeof zeros ? (size_t)left : sizeof zeros) < 0)
			break;
	fsync(old);
	close(old);
}

/* The text of a file, in locked memory. */
static char *file_text(const char *path)
{
	char *text = locked_text(KEYFILE_BYTES_MAX + 1);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n = fd < 0 ? -1 : fd_read(fd, text, KEYFILE_BYTES_MAX + 1);

	if (n < 0)
		die_errno(EXIT_USAGE, "%s", path);
	if (n > KEYFILE_BYTES_MAX || memchr(text, 0, (size_t)n))
		die(EXIT_USAGE, "%s: not a key file", path);
	text[n] = '\0';
	close(fd);
	return text;
}

/* Calls line() for each line; what it leaves in out (of KEYFILE_LINE_BYTES_MAX bytes) is the new line. */
static char *lines_changed(const char *path, void (*line)(const char *path, const char *text, char *out))
{
	char *text = file_text(path), *changed = locked_text(2 * KEYFILE_BYTES_MAX),
	     *out = locked_text(KEYFILE_LINE_BYTES_MAX), *save = NULL;
	size_t n = 0;

	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		*out = '\0';
		line(path, l, out);
		size_t more = strlen(out);
		if (n + more >= 2 * KEYFILE_BYTES_MAX)
			die(EXIT_USAGE, "%s: too large", path);
		memcpy(changed + n, out, more + 1);
		n += more;
	}
	sodium_free(out);
	sodium_free(text);
	return changed;
}

static int is_key_line(const char *line)
{
	return line[strspn(line, " \t\r")] != '\0' && *line != '#';
}

static void line_keep(const char *path, const char *line, char *out)
{
	if ((size_t)snprintf(out, KEYFILE_LINE_BYTES_MAX, "%s\n", line) >= KEYFILE_LINE_BYTES_MAX)
		die(EXIT_USAGE, "%s: not a key file", path);
}

/* --- what is asked for --- */

static void generate(const char *name, enum keyfile_kind kind, unsigned months)
{
	char key_path[PATH_MAX], pub_path[PATH_MAX];
	const unsigned keys = months ? months : 1;
	struct keyfile_key key[12 * YEARS_MAX];
	const char *why;
	time_t now = time(NULL);
	struct tm tm;

	if (!*name || name[strlen(name) - 1] == '/' || strlen(name) > sizeof key_path - sizeof ".key")
		die(EXIT_USAGE, "%s: not a name for a file", name);
	snprintf(key_path, sizeof key_path, "%s.key", name);
	snprintf(pub_path, sizeof pub_path, "%s.pub", name);
	if (access(key_path, F_OK) == 0 || access(pub_path, F_OK) == 0)
		die(EXIT_NEGATIVE, "%s: exists: nothing is overwritten",
		        access(key_path, F_OK) == 0 ? key_path : pub_path);
	gmtime_r(&now, &tm);
	const unsigned first = 12 * (unsigned)(tm.tm_year + 1900) + (unsigned)tm.tm_mon;
	for (unsigned i = 0; i < keys; i++)
		if ((why = keyfile_generate(kind, months ? first + i : 0, &key[i])))
			die(EXIT_TEMPORARY, "%s", why);
	keyfile_salt(key, keys);
	char *passphrase = kind == KEYFILE_DEVICE_SECRET ? NULL : passphrase_new(key_path);
	char *secret = locked_text((size_t)keys * KEYFILE_LINE_BYTES_MAX),
	     *public = locked_text((size_t)keys * KEYFILE_LINE_BYTES_MAX);
	for (unsigned i = 0; i < keys; i++) {
		if ((why = keyfile_secret_line(&key[i], passphrase, passphrase ? strlen(passphrase) : 0,
		             secret + strlen(secret))))
			die(EXIT_TEMPORARY, "%s: %s", key_path, why);
		keyfile_public_line(&key[i], public + strlen(public));
		keyfile_wipe(&key[i]);
	}
	file_make(pub_path, 0644, public);
	file_make(key_path, 0600, secret);
	folder_sync(key_path);
	sodium_free(secret);
	sodium_free(public);
	if (passphrase)
		sodium_free(passphrase);
}

static char *old_passphrase, *new_passphrase;
static uint8_t new_salt[sizeof((struct keyfile_key *)0)->salt];

static void line_passphrase(const char *path, const char *line, char *out)
{
	struct keyfile_key key;
	const char *why;

	if (!is_key_line(line)) {
		line_keep(path, line, out);
		return;
	}
	if ((why = keyfile_parse(line, &key)))
		die(EXIT_USAGE, "%s: %s", path, why);
	if (key.kind != KEYFILE_RECIPIENT_SECRET)
		die(EXIT_USAGE, "%s: %s", path,
		        key.kind == KEYFILE_DEVICE_SECRET
		                ? "a camera starts with nobody there: its key has no passphrase"
		                : "not a secret key");
	if (key.locked && !old_passphrase) {
		old_passphrase = locked_text(PASSPHRASE_BYTES_MAX + 1);
		passphrase_once("Old passphrase: ", old_passphrase);
	}
	if (key.locked && (why = keyfile_unlock(&key, old_passphrase, strlen(old_passphrase))))
		die(EXIT_NEGATIVE, "%s: %s", path, why);
	if (!new_passphrase && !none)
		new_passphrase = passphrase_new(path);
	memcpy(key.salt, new_salt, sizeof key.salt);
	if ((why = keyfile_secret_line(
	             &key, new_passphrase, new_passphrase ? strlen(new_passphrase) : 0, out)))
		die(EXIT_TEMPORARY, "%s: %s", path, why);
	keyfile_wipe(&key);
}

static void passphrase_change(const char *path)
{
	randombytes_buf(new_salt, sizeof new_salt);
	char *text = lines_changed(path, line_passphrase);
	file_replace(path, text);
	sodium_free(text);
}

static unsigned month_destroyed, months_found;

static void line_without_month(const char *path, const char *line, char *out)
{
	struct keyfile_key key;
	const char *why;

	if (is_key_line(line)) {
		if ((why = keyfile_parse(line, &key)))
			die(EXIT_USAGE, "%s: %s", path, why);
		int secret = key.kind == KEYFILE_RECIPIENT_SECRET, hit = key.month == month_destroyed;
		keyfile_wipe(&key);
		if (!secret)
			die(EXIT_USAGE, "%s: not a recipient's secret key", path);
		months_found += hit ? 1 : 0;
		if (hit)
			return;
	}
	line_keep(path, line, out);
}

static void month_destroy(const char *path)
{
	char *text = lines_changed(path, line_without_month), month[KEYFILE_MONTH_TEXT_BYTES];

	keyfile_month_text(month_destroyed, month);
	if (!months_found)
		die(EXIT_NEGATIVE, "%s: no key for %s in it", path, month);
	file_replace(path, text);
	sodium_free(text);
}

static const char *const kind_names[] = {
        "recipient", "recipient's secret key", "camera", "camera's signing key"};

static void fingerprints(const char *path)
{
	char *text = file_text(path), *save = NULL, print[RECORD_FINGERPRINT_BYTES],
	     month[KEYFILE_MONTH_TEXT_BYTES];
	int keys = 0;

	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		struct keyfile_key key;
		const char *why;
		if (!is_key_line(l))
			continue;
		if ((why = keyfile_parse(l, &key)))
			die(EXIT_USAGE, "%s: %s", path, why);
		record_fingerprint(key.pk, print);
		keyfile_month_text(key.month, month);
		printf("%s  %s%s%s\n", print, kind_names[key.kind], key.month ? " " : "",
		        key.month ? month : "");
		keyfile_wipe(&key);
		keys++;
	}
	sodium_free(text);
	if (!keys)
		die(EXIT_USAGE, "%s: no key in it", path);
	if (fflush(stdout) != 0)
		die_errno(EXIT_TEMPORARY, "stdout");
}

/* Key files are made and replaced beside each other, so their directory is allowed as well. */
static void confine(const char *path)
{
	char *copy = strdup(path);

	if (!copy)
		die_errno(EXIT_TEMPORARY, "memory");
	const char *const place[] = {"/dev/tty", path, dirname(copy)};
	sandbox_enter(&profile_key, place, sizeof place / sizeof *place);
	free(copy);
}

int main(int argc, char **argv)
{
	int c, mode = 0, signing = 0;
	unsigned months = 0;

	msg_init("cam-key");
	while ((c = opt_next(argc, argv, "gsny:P:cD:fZ:", "", usage)) != -1)
		switch (c) {
		case 'g':
		case 'c':
		case 'D':
		case 'f':
			if (mode)
				die(EXIT_USAGE, "-%c and -%c: one or the other: usage: %s", mode, c, usage);
			mode = c;
			if (c == 'D' && keyfile_month_parse(optarg, &month_destroyed) < 0)
				die(EXIT_USAGE, "-D %s: not a month, as in 2026-01", optarg);
			break;
		case 's': signing = 1; break;
		case 'n': none = 1; break;
		case 'y': months = (unsigned)opt_number('y', 1, 12 * YEARS_MAX); break;
		case 'P': passphrase_fd = (int)opt_number('P', 0, 1023); break;
		case 'Z': sandbox_waive(optarg); break;
		default: die(EXIT_BUG, "-%c: not handled", c);
		}
	if (!mode || argc - optind != 1)
		die(EXIT_USAGE, "usage: %s", usage);
	if (none && passphrase_fd >= 0 && mode != 'c')
		die(EXIT_USAGE, "-n and -P: one or the other: usage: %s", usage);
	if (signing && (passphrase_fd >= 0 || months))
		die(EXIT_USAGE, "-s with -P or -y: a camera's key has no passphrase and no month: usage: %s",
		        usage);
	if ((mode != 'g' && (signing || months)) ||
	        ((mode == 'D' || mode == 'f') && (none || passphrase_fd >= 0)))
		die(EXIT_USAGE, "usage: %s", usage);
	if (sodium_init() < 0)
		die(EXIT_TEMPORARY, "libsodium: cannot be initialised");
	confine(argv[optind]);
	switch (mode) {
	case 'g':
		generate(argv[optind], signing ? KEYFILE_DEVICE_SECRET : KEYFILE_RECIPIENT_SECRET, months);
		break;
	case 'c': passphrase_change(argv[optind]); break;
	case 'D': month_destroy(argv[optind]); break;
	default: fingerprints(argv[optind]); break;
	}
	return EXIT_OK;
}
