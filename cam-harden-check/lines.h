/* lines: files of configuration, a line at a time. */
#ifndef LINES_H
#define LINES_H
#include "where.h"

enum { LINES_BYTES_MAX = 256 << 10, LINES_FILES_MAX = 64, LINES_NAME_BYTES = 64, LINES_PATH_BYTES = 256 };

/* line: without blanks before and behind it; never empty, and no comment, which begins with one of # ; and !
 * as comment says. */
typedef void lines_take(char *line, void *arg);

/* text is cut up in place. */
void lines_each(char *text, const char *comment, lines_take *take, void *arg);
/* 0, or -1 with errno: ENOENT when it is not there. */
int lines_of_file(const struct where *w, const char *path, const char *comment, lines_take *take, void *arg);
/* Of each file in a folder whose name ends in suffix and begins with no dot, by name. How many there were, or
 * -1 with errno: not one of them may be unreadable, and E2BIG is more than LINES_FILES_MAX. */
int lines_of_folder(const struct where *w, const char *folder, const char *suffix, const char *comment,
        lines_take *take, void *arg);
/* Calls take for each such file itself, by name, with its path. 0, or -1 with errno. */
int lines_folder(const struct where *w, const char *folder, const char *suffix,
        void (*take)(const struct where *, const char *path, void *), void *arg);
/* A file that another one names, or those of a folder: a path whose last part is a star and a suffix. */
struct lines_include {
	char path[LINES_PATH_BYTES], suffix[16]; /* path without leading slash; suffix: of a folder, or "" */
};
/* suffix: of the files in it, where name is of a folder; else "". -1: not absolute, or another pattern. */
int lines_include_parse(const char *name, const char *suffix, struct lines_include *out);
/* As lines_of_file() or lines_of_folder(); a folder that is not there has no files. */
int lines_of_include(const struct where *w, const struct lines_include *include, const char *comment,
        lines_take *take, void *arg);
/* Cuts the next word off *line, NULL at the end. */
char *lines_word(char **line);
#endif
