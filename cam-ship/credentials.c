/* Reads the environment at the start and, when told so, files before each segment: whoever hands out
 * temporary credentials replaces these files, and nobody needs to be told. Holds a descriptor of each file's
 * directory, because the file that will be there tomorrow cannot be opened today. */
#define _GNU_SOURCE
#include "credentials.h"

#include "fdio.h"
#include "msg.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
	const char *variable, *file_variable;
	size_t at, bytes;
	int optional;
} known[CREDENTIALS_FILES] = {
        {"AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY_ID_FILE", offsetof(struct credentials, access_key),
                CREDENTIALS_KEY_BYTES, 0},
        {"AWS_SECRET_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY_FILE", offsetof(struct credentials, secret_key),
                CREDENTIALS_KEY_BYTES, 0},
        {"AWS_SESSION_TOKEN", "AWS_SESSION_TOKEN_FILE", offsetof(struct credentials, session_token),
                CREDENTIALS_TOKEN_BYTES, 1},
};

static char *value_of(struct credentials *c, unsigned i)
{
	return (char *)c + known[i].at;
}

const char *credentials_line(char *out, size_t bytes, const char *text, size_t n)
{
	out[0] = 0;
	if (n && text[n - 1] == '\n')
		n--;
	if (!n)
		return "is empty";
	if (n >= bytes)
		return "is too long";
	for (size_t i = 0; i < n; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return "is not one line without spaces and control characters";
	memcpy(out, text, n);
	out[n] = 0;
	return NULL;
}

/* NULL, or why not. With errno text where that says more. */
static const char *file_read(const struct credentials_file *f, char *out, size_t bytes)
{
	char buf[CREDENTIALS_TOKEN_BYTES + 2];
	struct stat st;
	const char *why;

	int fd = openat(f->dir_fd, f->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return strerror(errno);
	ssize_t n = fd_read(fd, buf, sizeof buf);
	if (n < 0 || fstat(fd, &st) < 0)
		why = strerror(errno);
	else if ((st.st_mode & S_IRWXO) || (st.st_uid == geteuid() && (st.st_mode & S_IRWXG)))
		why = "others can read it: chmod go= it";
	else
		why = credentials_line(out, bytes, buf, (size_t)n);
	close(fd);
	sodium_memzero(buf, sizeof buf);
	return why;
}

static void file_open(struct credentials *c, unsigned i, const char *path)
{
	struct credentials_file *f = &c->file[i];
	const char *slash = strrchr(path, '/');
	char *dir = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");

	if (!dir)
		die(EXIT_TEMPORARY, "out of memory");
	f->path = path;
	f->name = slash ? slash + 1 : path;
	f->dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (f->dir_fd < 0)
		die_errno(EXIT_TEMPORARY, "%s: %s", known[i].file_variable, dir);
	free(dir);
	const char *why = file_read(f, value_of(c, i), known[i].bytes);
	if (why)
		die(EXIT_TEMPORARY, "%s: %s: %s", known[i].file_variable, path, why);
}

/* A copy, and the original overwritten: unsetenv alone leaves the bytes in place. */
static const char *variable_take(struct credentials *c, unsigned i, char *s)
{
	const size_t n = strlen(s);
	const char *why = s[strcspn(s, "\n")] ? "is not one line without spaces and control characters"
	                                      : credentials_line(value_of(c, i), known[i].bytes, s, n);
	sodium_memzero(s, n);
	unsetenv(known[i].variable);
	return why;
}

const char *credentials_path(unsigned i)
{
	const char *path = getenv(known[i].file_variable);
	return path && *path ? path : NULL;
}

void credentials_open(struct credentials *c)
{
	/* Best effort: without the right to lock memory a swap device may see them. */
	(void)sodium_mlock(c, sizeof *c);
	for (unsigned i = 0; i < CREDENTIALS_FILES; i++) {
		char *s = getenv(known[i].variable);
		const char *path = credentials_path(i), *why = NULL;
		const int given = s && *s, named = path != NULL;

		c->file[i].dir_fd = -1;
		value_of(c, i)[0] = 0;
		if (given && named)
			die(EXIT_USAGE, "%s and %s: only one of them", known[i].variable,
			        known[i].file_variable);
		if (named)
			file_open(c, i, path);
		else if (given)
			why = variable_take(c, i, s);
		else if (!known[i].optional)
			why = "is not set";
		if (why)
			die(EXIT_USAGE, "%s %s", known[i].variable, why);
	}
}

static int one_refresh(struct credentials *c, unsigned i)
{
	struct credentials_file *f = &c->file[i];
	char fresh[CREDENTIALS_TOKEN_BYTES];
	int changed = 0;

	const char *why = file_read(f, fresh, known[i].bytes);
	if (why && !f->failed)
		msg("%s: %s: %s: what it said before is used", known[i].file_variable, f->path, why);
	f->failed = why != NULL;
	if (!why && strcmp(fresh, value_of(c, i)) != 0) {
		memcpy(value_of(c, i), fresh, strlen(fresh) + 1);
		changed = 1;
	}
	sodium_memzero(fresh, sizeof fresh);
	return changed;
}

int credentials_refresh(struct credentials *c)
{
	int changed = 0;
	for (unsigned i = 0; i < CREDENTIALS_FILES; i++)
		if (c->file[i].dir_fd >= 0)
			changed |= one_refresh(c, i);
	return changed;
}
