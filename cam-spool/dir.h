/* dir: the spool directory: opened and locked once, scanned with bounded memory. */
#ifndef DIR_H
#define DIR_H
#include "name.h"

#include <dirent.h>
#include <stdbool.h>
#include <sys/stat.h>

struct room;

struct dir {
	int fd;
	DIR *list;
	struct room *room;   /* what makes room in it; NULL: nobody */
	void (*meanwhile)(void *arg); /* called while an operation waits to be tried again; NULL: nothing */
	void *meanwhile_arg;
	unsigned removed;    /* files in a row, because an operation lacked space */
	uint64_t trouble_ms; /* since when an operation has been failing; 0 none */
	uint64_t told_ms;
};

uint64_t dir_now_ms(void); /* CLOCK_MONOTONIC */

/* Opens and locks path, which must be writable; dies (exit 111) when it cannot or another instance has it. */
void dir_open(struct dir *d, const char *path);

/* fn for every entry but "." and "..". Entries renamed meanwhile may be seen under either name or both. -1
 * with errno. */
int dir_each(struct dir *d, void (*fn)(void *arg, const char *entry), void *arg);

/* Does it end with suffix? Cheap, before an entry is looked at closely. */
bool dir_ends(const char *entry, const char *suffix);

/* Is there an entry of this name? Anything but a clear "no" is a yes. */
bool dir_has(const struct dir *d, const struct name *n);

/* Has the entries of directory dir on the disk, that of file among them, which is open. XFS that has shut down
 * after an error says yes to the sync of a directory all the same, but no to a look at a file. */
int dir_sync(int dir, int file);

/* What a file takes: its blocks or its length, whichever is more. */
uint64_t dir_taken(const struct stat *st);

/* An operation (what, on name) failed with errno. Without space: removes what may go first, see room.h.
 * Otherwise, or when there is nothing, or when it has not helped a few times, waits a second. Says so at
 * first and once a minute. 0: try again; -1 with ECANCELED: told to stop. */
int dir_trouble(struct dir *d, const char *what, const char *name);
/* It worked: tells the end of an earlier trouble. */
void dir_trouble_over(struct dir *d);
#endif
