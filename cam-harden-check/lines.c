#define _GNU_SOURCE
#include "lines.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char blanks[] = " \t\r\v\f";

void lines_each(char *text, const char *comment, lines_take *take, void *arg)
{
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		line += strspn(line, blanks);
		for (size_t n = strlen(line); n && strchr(blanks, line[n - 1]);)
			line[--n] = 0;
		if (*line && !strchr(comment, *line))
			take(line, arg);
	}
}

/* A NUL in it would hide what comes behind. */
int lines_of_file(const struct where *w, const char *path, const char *comment, lines_take *take, void *arg)
{
	size_t n;
	char *text = where_read(w, path, LINES_BYTES_MAX, &n);

	if (!text)
		return -1;
	if (strlen(text) != n) {
		free(text);
		errno = EINVAL;
		return -1;
	}
	lines_each(text, comment, take, arg);
	free(text);
	return 0;
}

struct names {
	char name[LINES_FILES_MAX][LINES_NAME_BYTES];
	size_t n;
};

/* In their order; qsort() would ask for calls that no sandbox here has. */
static int name_put(struct names *l, const char *name)
{
	size_t i = l->n;

	if (l->n == LINES_FILES_MAX || strlen(name) >= LINES_NAME_BYTES) {
		errno = E2BIG;
		return -1;
	}
	for (; i && strcmp(l->name[i - 1], name) > 0; i--)
		memcpy(l->name[i], l->name[i - 1], LINES_NAME_BYTES);
	snprintf(l->name[i], LINES_NAME_BYTES, "%s", name);
	l->n++;
	return 0;
}

static int names_read(const struct where *w, const char *folder, const char *suffix, struct names *out)
{
	DIR *d = where_folder(w, folder);
	size_t k = strlen(suffix);
	int r = 0;

	if (!d)
		return -1;
	for (const char *name; r == 0 && (name = where_folder_next(d));) {
		size_t n = strlen(name);
		if (n > k && strcmp(name + n - k, suffix) == 0)
			r = name_put(out, name);
	}
	if (errno)
		r = -1;
	int saved = errno;
	closedir(d);
	errno = saved;
	return r;
}

int lines_folder(const struct where *w, const char *folder, const char *suffix,
        void (*take)(const struct where *, const char *path, void *), void *arg)
{
	struct names names = {.n = 0};
	char path[512];

	if (names_read(w, folder, suffix, &names) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		if (snprintf(path, sizeof path, "%s/%s", folder, names.name[i]) >= (int)sizeof path) {
			errno = ENAMETOOLONG;
			return -1;
		}
		take(w, path, arg);
	}
	return 0;
}

struct reading {
	const char *comment;
	lines_take *take;
	void *arg;
	int n, err; /* files that were read; what the first that cannot be was refused with */
};

static void file_take(const struct where *w, const char *path, void *arg)
{
	struct reading *r = arg;

	if (lines_of_file(w, path, r->comment, r->take, r->arg) == 0)
		r->n++;
	else if (!r->err)
		r->err = errno == ENOENT ? EIO : errno; /* a link that leads nowhere */
}

int lines_of_folder(const struct where *w, const char *folder, const char *suffix, const char *comment,
        lines_take *take, void *arg)
{
	struct reading r = {comment, take, arg, 0, 0};

	if (lines_folder(w, folder, suffix, file_take, &r) < 0)
		return -1;
	errno = r.err;
	return r.err ? -1 : r.n;
}

int lines_include_parse(const char *name, const char *suffix, struct lines_include *out)
{
	const char *path = name + strspn(name, "/"), *star = strchr(path, '*'), *slash = strrchr(path, '/');
	size_t n = star && slash ? (size_t)(slash - path) : strlen(path);

	if (*name != '/' || !n || n >= LINES_PATH_BYTES || strpbrk(path, "?[{"))
		return -1;
	/* of a pattern, a star and a suffix are understood */
	if (star && (!slash || star != slash + 1 || !star[1] || strchr(star + 1, '*') ||
	                    strlen(star) > sizeof out->suffix))
		return -1;
	snprintf(out->path, sizeof out->path, "%.*s", (int)n, path);
	snprintf(out->suffix, sizeof out->suffix, "%s", star ? star + 1 : suffix);
	return 0;
}

int lines_of_include(const struct where *w, const struct lines_include *include, const char *comment,
        lines_take *take, void *arg)
{
	if (!*include->suffix)
		return lines_of_file(w, include->path, comment, take, arg);
	int r = lines_of_folder(w, include->path, include->suffix, comment, take, arg);
	return r < 0 && errno == ENOENT ? 0 : r;
}

char *lines_word(char **line)
{
	char *word = *line + strspn(*line, " \t");

	if (!*word)
		return NULL;
	*line = word + strcspn(word, " \t");
	if (**line)
		*(*line)++ = 0;
	return word;
}
