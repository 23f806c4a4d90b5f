/* where: the device that is looked at: this one, running, or a tree and files that lie here.
 *
 * Offline nothing is read but what was named: every path is resolved within the tree, absolute links too. */
#ifndef WHERE_H
#define WHERE_H
#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>

struct where {
	int live;
	int root; /* directory: / when live, else the tree, or -1: none given */
	const char *kconfig, *cmdline, *sysctls; /* offline: files, or NULL; already open below */
	int kconfig_fd, cmdline_fd, sysctls_fd;  /* -1: not given; each is read once, and closed by that */
	const char *image;              /* offline: the root as an image, with dm-verity's tree, or NULL */
	int image_fd, hashtree_fd;      /* two offsets, also where it is one file */
	unsigned long long hashtree_at; /* where the superblock of the tree is */
	const char *arch, *board;       /* what the device is said to be: "arm64", "pi3" */
};

/* path without leading slash. -1 with errno, ENOENT also where no tree was given. flags as of open(2). */
int where_open(const struct where *, const char *path, int flags);
/* The whole of a file, NUL behind it, to be freed; *n is without the NUL. NULL with errno, EFBIG when it has
 * more than max bytes. Files of /proc and /sys, whose size says nothing, are read to their end. */
char *where_read(const struct where *, const char *path, size_t max, size_t *n);
/* The same of a descriptor, which is closed. */
char *where_read_fd(int fd, size_t max, size_t *n);
/* A folder, to be closed with closedir(). NULL with errno. */
DIR *where_folder(const struct where *, const char *path);
/* Its next name that does not begin with a dot. NULL at its end, with errno 0, or when it cannot be read
 * further. */
const char *where_folder_next(DIR *);
bool where_exists(const struct where *, const char *path);
/* The first line of a small file, to be freed. NULL with errno. */
char *where_line(const struct where *, const char *path);
/* Where a symbolic link leads, as it is written. -1 with errno. */
int where_link(const struct where *, const char *path, char *out, size_t max);
#endif
