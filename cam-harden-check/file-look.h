/* file-look: what one file says by its rights, its name and its contents. Each is opened once, never by a
 * link: for its capabilities, its ELF headers, or, when it is small enough to be a key file, its lines. A
 * file that shrinks meanwhile ends the process, and with it the phase: not seen. */
#ifndef FILE_LOOK_H
#define FILE_LOOK_H
#include "labels.h"
#include "list.h"

#include <stdbool.h>

#include <sys/stat.h>

enum look_key {
	KEY_SETUID,
	KEY_CAPS,
	KEY_WORLD,
	KEY_INTERPRETERS,
	KEY_SHELLS,
	KEY_APPLETS,
	KEY_SECRET,
	KEY_SIGNING,
	KEY_PIE,
	KEY_RELRO,
	KEY_BIND_NOW,
	KEY_NX,
	KEY_CANARY,
	KEY_RPATH,
	KEY_WX,
	KEY_BROKEN,
	KEY_SSH,
	KEY_DISCOVERY,
	LOOK_KEYS,
};

struct look {
	struct list list[LOOK_KEYS];
	struct labels labels;
	const char *path; /* of the file that is looked at */
	char unread[512]; /* the first one that could not be read, and why */
};

void look_begin(struct look *, struct evidence *);
/* path: what it is called in the report; dir and name: where it lies. */
void look_file(struct look *, const char *path, int dir, const char *name, const struct stat *);
/* An open folder. */
void look_folder(struct look *, const char *path, int fd);
/* Is this the name of a shell, of an interpreter, or of a program that fetches or serves? */
bool look_name_interprets(const char *name);
/* stopped: why not all files were looked at, or NULL. 0, or -1: evidence full. */
int look_end(struct look *, const char *stopped);
/* Not one file was looked at. */
int look_unseen(struct evidence *, const char *why);
#endif
