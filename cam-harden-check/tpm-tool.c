/* /dev/tpmrm0 takes commands only from who may write to it, and the audit writes nowhere: a program of
 * tpm2-tools does, as whoever started the audit, for ANSWER_MS at most. */
#define _GNU_SOURCE
#include "tpm-tool.h"

#include "child.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ANSWER_MS = 5000, TEXT_BYTES_MAX = 64 << 10, PATH_BYTES = 64 };

bool tpm_tool_may(const struct where *w)
{
	return w->live && (where_exists(w, "dev/tpmrm0") || getenv("TPM2TOOLS_TCTI"));
}

/* A program that somebody else than root can change is not run. */
static bool program_find(const char *name, char path[PATH_BYTES])
{
	static const char *const folders[] = {"/usr/bin", "/bin"};
	struct stat st;

	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		snprintf(path, PATH_BYTES, "%s/%s", folders[i], name);
		if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == 0 &&
		        !(st.st_mode & (S_IWGRP | S_IWOTH)))
			return true;
	}
	return false;
}

_Noreturn static void child_run(const char *program, const char *const argv[], int out)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null >= 0 && dup2(null, 0) >= 0 && dup2(out, 1) >= 0 && dup2(null, 2) >= 0)
		execv(program, (char *const *)argv);
	_exit(127);
}

char *tpm_tool_read(const char *const argv[], size_t *n)
{
	char program[PATH_BYTES];
	int fds[2], status;
	const char *why;

	if (!program_find(argv[0], program) || pipe2(fds, O_CLOEXEC) < 0)
		return NULL;
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0)
		child_run(program, argv, fds[1]);
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		return NULL;
	}
	char *text = child_text(pid, fds[0], TEXT_BYTES_MAX, ANSWER_MS, n, &status, &why);
	if (text && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return text;
	free(text);
	return NULL;
}
