/* The uploader's sandbox. Reads the names of files from the environment and the command line; opens none.
 *
 * While it starts it can read the spool directory and the files of trust and credentials. Later only the
 * spool directory and the directories of credential files, which are replaced from time to time. */
#define _GNU_SOURCE
#include "cell.h"

#include "credentials.h"
#include "sandbox.h"

#include <curl/curl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	FILES = 3,                          /* authorities, certificate, key */
	DIRECTORIES = 2 * CREDENTIALS_FILES /* as named, and where a symbolic link leads */
};

static struct {
	char directory[DIRECTORIES][PATH_MAX];
	const char *path[1 + DIRECTORIES + FILES]; /* the spool directory first */
	size_t kept, n;
} self;

/* The directory of a file as it is named, or as it is found when its symbolic links are followed. */
static void directory_add(const char *file, int follow)
{
	char buf[PATH_MAX], *out = self.directory[self.n - 1];

	if (!follow)
		snprintf(buf, sizeof buf, "%s", file);
	else if (!realpath(file, buf))
		return;
	snprintf(out, PATH_MAX, "%s", dirname(buf));
	self.path[self.n++] = out;
}

void cell_starting(const char *spool, const struct trust_files *files)
{
	const char *authorities = files->authorities;

	self.path[self.n++] = spool;
	for (unsigned i = 0; i < CREDENTIALS_FILES; i++) {
		const char *file = credentials_path(i);
		if (file) {
			directory_add(file, 0);
			directory_add(file, 1);
		}
	}
	self.kept = self.n;
	self.path[self.n++] = authorities ? authorities : curl_version_info(CURLVERSION_NOW)->cainfo;
	self.path[self.n++] = files->certificate;
	self.path[self.n++] = files->key;
	sandbox_enter(&profile_ship_starting, self.path, self.n);
}

void cell_shipping(void)
{
	sandbox_narrow(&profile_ship, self.path, self.kept);
}
