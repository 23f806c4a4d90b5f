/* inputs: the files that cam-open is to read: those named, and those below the folders named, in the order of
 * recording, if they can hold something of the time asked for. */
#ifndef INPUTS_H
#define INPUTS_H
#include <stddef.h>
#include <stdint.h>

struct inputs {
	char **path;
	size_t n, room;
	int64_t from_ns, to_ns; /* UTC; INT64_MIN and INT64_MAX: any */
	int failed;             /* a folder could not be read; has been told */
};

/* YYYY-MM-DD[THH:MM[:SS]], local time, or UTC with a Z behind it; or @SECONDS since 1970. 0, or -1. */
int inputs_time_parse(const char *text, int64_t *utc_ns);
/* A file as it is, in its place; a folder's segments (.cam, .sent, .part, .gone, four folders deep) by name.
 * -1 with errno: out of memory. */
int inputs_add(struct inputs *in, char *path);
/* Packs of stubs (.gone) to the front: what follows a stub is then known to. */
void inputs_packs_first(struct inputs *in);
void inputs_free(struct inputs *in);
#endif
