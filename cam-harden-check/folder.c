/* Reads a folder, sorted, so that a report does not depend on the order in which a filesystem keeps names. */
#define _GNU_SOURCE
#include "collect.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void folder_names_free(char **names, size_t n)
{
	for (size_t i = 0; names && i < n; i++)
		free(names[i]);
	free(names);
}

static int names_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char **folder_names(const struct where *w, const char *path, size_t max, size_t *n)
{
	DIR *d = where_folder(w, path);
	char **names = d ? calloc(max, sizeof *names) : NULL;
	int err = d && !names ? ENOMEM : 0;

	*n = 0;
	if (!d)
		return NULL;
	while (names && !err) {
		errno = 0;
		struct dirent *entry = readdir(d);
		if (!entry) {
			err = errno;
			break;
		}
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (*n == max)
			err = E2BIG;
		else if (!(names[*n] = strdup(entry->d_name)))
			err = ENOMEM;
		else
			++*n;
	}
	closedir(d);
	if (err) {
		folder_names_free(names, *n);
		errno = err;
		return NULL;
	}
	qsort(names, *n, sizeof *names, names_compare);
	return names;
}
