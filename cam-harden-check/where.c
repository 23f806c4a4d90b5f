#define _GNU_SOURCE
#include "where.h"

#include "fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { READ_FIRST_BYTES = 16 << 10, LINE_FILE_BYTES_MAX = 64 << 10 };

int where_open(const struct where *w, const char *path, int flags)
{
	/* openat2() takes nothing more beside O_PATH */
	struct open_how how = {
	        .flags = (uint64_t)(flags | O_CLOEXEC | (flags & O_PATH ? 0 : O_NOCTTY | O_NONBLOCK))};

	if (w->root < 0) {
		errno = ENOENT;
		return -1;
	}
	if (w->live)
		return openat(w->root, path, (int)how.flags);
	how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
	return (int)syscall(SYS_openat2, w->root, path, &how, sizeof how);
}

char *where_read_fd(int fd, size_t max, size_t *n)
{
	size_t room = READ_FIRST_BYTES, have = 0;
	char *p = malloc(room + 1);
	ssize_t r = 0;

	while (p && (r = fd_read(fd, p + have, room - have)) > 0) {
		have += (size_t)r;
		if (have > max) {
			errno = EFBIG;
			r = -1;
			break;
		}
		if (have < room)
			continue;
		char *more = realloc(p, room * 2 + 1);
		if (!more) {
			r = -1;
			break;
		}
		p = more;
		room *= 2;
	}
	/* opened by its name alone */
	int saved = errno == EBADF ? EACCES : errno;
	close(fd);
	errno = saved;
	if (!p || r < 0) {
		free(p);
		return NULL;
	}
	p[have] = 0;
	*n = have;
	return p;
}

char *where_read(const struct where *w, const char *path, size_t max, size_t *n)
{
	int fd = where_open(w, path, O_RDONLY);
	struct stat st;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode)) {
		close(fd);
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
		return NULL;
	}
	return where_read_fd(fd, max, n);
}

DIR *where_folder(const struct where *w, const char *path)
{
	int fd = where_open(w, path, O_RDONLY | O_DIRECTORY);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d && fd >= 0) {
		int saved = errno;
		close(fd);
		errno = saved;
	}
	return d;
}

const char *where_folder_next(DIR *d)
{
	struct dirent *x;

	do {
		errno = 0;
		x = readdir(d);
	} while (x && x->d_name[0] == '.');
	return x ? x->d_name : NULL;
}

/* The folder is resolved within the tree, the last name is not followed. */
bool where_exists(const struct where *w, const char *path)
{
	int fd = where_open(w, path, O_PATH);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

char *where_line(const struct where *w, const char *path)
{
	size_t n;
	char *s = where_read(w, path, LINE_FILE_BYTES_MAX, &n);

	if (s)
		s[strcspn(s, "\n")] = 0;
	return s;
}

int where_link(const struct where *w, const char *path, char *out, size_t max)
{
	int fd = where_open(w, path, O_PATH | O_NOFOLLOW);
	if (fd < 0)
		return -1;
	ssize_t n = readlinkat(fd, "", out, max - 1);
	int saved = errno;
	close(fd);
	errno = saved;
	if (n < 0)
		return -1;
	out[n] = 0;
	return 0;
}
