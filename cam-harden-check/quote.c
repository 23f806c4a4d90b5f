#define _GNU_SOURCE
#include "quote.h"

#include "fdio.h"
#include "msg.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECONDS_MAX = 60, PATH_BYTES = 32 };

struct answer {
	uint32_t message_bytes, signature_bytes;
};

static void hex(const uint8_t *p, size_t n, char *out)
{
	for (size_t i = 0; i < n; i++)
		snprintf(out + 2 * i, 3, "%02x", p[i]);
}

/* Runs tpm2_quote, which writes to two pipes; both answers fit into what a pipe holds. 0, or -1. */
static int run(const char *key, const uint8_t hash[QUOTE_HASH_BYTES], int message, int signature)
{
	char data[2 * QUOTE_HASH_BYTES + 1], to_message[PATH_BYTES], to_signature[PATH_BYTES];
	int status;

	hex(hash, QUOTE_HASH_BYTES, data);
	snprintf(to_message, sizeof to_message, "/proc/self/fd/%d", message);
	snprintf(to_signature, sizeof to_signature, "/proc/self/fd/%d", signature);
	pid_t pid = fork();
	if (pid == 0) {
		alarm(SECONDS_MAX);
		dup2(STDERR_FILENO, STDOUT_FILENO); /* the report is ours */
		execlp("tpm2_quote", "tpm2_quote", "-Q", "-c", key, "-l", QUOTE_PCRS, "-q", data, "-g", "sha256", "-m",
		        to_message, "-s", to_signature, (char *)NULL);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

/* What a pipe holds, once nobody can write to it any more. */
static uint32_t taken(int from, uint8_t out[QUOTE_PART_BYTES_MAX])
{
	ssize_t n = fd_read(from, out, QUOTE_PART_BYTES_MAX);
	return n > 0 ? (uint32_t)n : 0;
}

static _Noreturn void quote_for(int fd, const char *key)
{
	uint8_t hash[QUOTE_HASH_BYTES], message[QUOTE_PART_BYTES_MAX], signature[QUOTE_PART_BYTES_MAX];
	struct answer a = {0};
	int m[2], s[2];

	if (fd_read(fd, hash, sizeof hash) != sizeof hash)
		_exit(0); /* no report came of it */
	if (pipe(m) == 0 && pipe(s) == 0 && run(key, hash, m[1], s[1]) == 0) {
		close(m[1]);
		close(s[1]);
		a.message_bytes = taken(m[0], message);
		a.signature_bytes = taken(s[0], signature);
	}
	if (fd_write(fd, &a, sizeof a) < 0 || fd_write(fd, message, a.message_bytes) < 0 ||
	        fd_write(fd, signature, a.signature_bytes) < 0)
		_exit(1);
	_exit(0);
}

void quoter_start(struct quoter *q, const char *key)
{
	int fd[2];

	*q = (struct quoter){.fd = -1};
	if (access("/dev/tpmrm0", F_OK) < 0 && !getenv("TPM2TOOLS_TCTI")) {
		q->why = "no TPM: /dev/tpmrm0 is not there";
		return;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) < 0)
		die_errno(EXIT_TEMPORARY, "TPM");
	pid_t pid = fork();
	if (pid < 0)
		die_errno(EXIT_TEMPORARY, "TPM");
	if (pid == 0) {
		close(fd[0]);
		quote_for(fd[1], key);
	}
	close(fd[1]);
	q->fd = fd[0];
}

int quoter_ask(struct quoter *q, const uint8_t hash[QUOTE_HASH_BYTES], struct quote *out)
{
	struct answer a;

	memset(out, 0, sizeof *out);
	snprintf(out->why, sizeof out->why, "%s", q->why ? q->why : "the TPM, or tpm2_quote, did not answer");
	if (q->fd < 0 || fd_write(q->fd, hash, QUOTE_HASH_BYTES) < 0 || fd_read(q->fd, &a, sizeof a) != sizeof a)
		return -1;
	if (!a.message_bytes || !a.signature_bytes || a.message_bytes > QUOTE_PART_BYTES_MAX ||
	        a.signature_bytes > QUOTE_PART_BYTES_MAX)
		return -1;
	if (fd_read(q->fd, out->message, a.message_bytes) != (ssize_t)a.message_bytes ||
	        fd_read(q->fd, out->signature, a.signature_bytes) != (ssize_t)a.signature_bytes)
		return -1;
	out->message_bytes = a.message_bytes;
	out->signature_bytes = a.signature_bytes;
	return 0;
}
