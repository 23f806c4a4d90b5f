/* credentials: the keys of S3, from the environment or from files that may be replaced at any time. */
#ifndef CREDENTIALS_H
#define CREDENTIALS_H
#include <stddef.h>

enum {
	CREDENTIALS_TOKEN_BYTES = 4096, /* a session token; keys are far shorter */
	CREDENTIALS_KEY_BYTES = 256,
	CREDENTIALS_FILES = 3,
};

struct credentials {
	char access_key[CREDENTIALS_KEY_BYTES], secret_key[CREDENTIALS_KEY_BYTES];
	char session_token[CREDENTIALS_TOKEN_BYTES]; /* may be empty */
	struct credentials_file {
		int dir_fd; /* -1: not from a file */
		const char *name, *path;
		int failed; /* and that was said */
	} file[CREDENTIALS_FILES];
};

/* One line: n bytes of text, of which a newline at the end does not count. Printable, no spaces. NULL, or
 * what is wrong with it; then out is empty. */
const char *credentials_line(char *out, size_t bytes, const char *text, size_t n);

/* From AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or the files that these names with
 * _FILE behind them name. The variables are removed, also out of the memory that /proc/PID/environ shows.
 * Dies with what is missing or wrong. */
void credentials_open(struct credentials *c);
/* The file that the i-th of CREDENTIALS_FILES is to come from, or NULL. */
const char *credentials_path(unsigned i);
/* Reads the files again. 1 when something has changed. What cannot be read is said once, and stays. */
int credentials_refresh(struct credentials *c);
#endif
