/* deed WHAT [ARGUMENT...]: does one thing that a tool which was broken into might try, in the domain that the
 * label of this file says, and writes how that went: "done", or why not. Exits 0 or 1; 100 when it knows no
 * such thing. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <unistd.h>

static bool opens(const char *path, int flags)
{
	char byte;
	int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK, 0600);

	return fd >= 0 && ((flags & O_ACCMODE) != O_RDONLY || read(fd, &byte, 1) >= 0);
}

static bool writes(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

/* A packet to nobody: that it may be sent is what is asked. */
static bool connects(int type)
{
	struct sockaddr_in a = {
	        .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, type, 0);

	return fd >= 0 && (connect(fd, (struct sockaddr *)&a, sizeof a) == 0 || errno == ECONNREFUSED);
}

static bool listens(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 1) == 0;
}

static bool written_page_executes(void)
{
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return false;
	*p = 0;
	return mprotect(p, 4096, PROT_READ | PROT_EXEC) == 0;
}

static bool becomes(const char *context)
{
	return writes("/proc/self/attr/current", context);
}

static bool deed(char **v, int n)
{
	const char *what = v[0], *a = n > 1 ? v[1] : "", *b = n > 2 ? v[2] : "";

	if (strcmp(what, "nothing") == 0)
		return true;
	if (strcmp(what, "read") == 0)
		return opens(a, O_RDONLY);
	if (strcmp(what, "write") == 0)
		return opens(a, O_WRONLY);
	if (strcmp(what, "create") == 0)
		return opens(a, O_WRONLY | O_CREAT | O_EXCL);
	if (strcmp(what, "set") == 0)
		return writes(a, b);
	if (strcmp(what, "rename") == 0)
		return rename(a, b) == 0;
	if (strcmp(what, "unlink") == 0)
		return unlink(a) == 0;
	if (strcmp(what, "tcp") == 0)
		return connects(SOCK_STREAM);
	if (strcmp(what, "udp") == 0)
		return connects(SOCK_DGRAM);
	if (strcmp(what, "listen") == 0)
		return listens();
	if (strcmp(what, "page") == 0)
		return written_page_executes();
	if (strcmp(what, "mount") == 0)
		return mount("tmpfs", a, "tmpfs", 0, NULL) == 0;
	if (strcmp(what, "trace") == 0)
		return ptrace(PTRACE_ATTACH, (pid_t)strtol(a, NULL, 10), NULL, NULL) == 0;
	if (strcmp(what, "signal") == 0)
		return kill((pid_t)strtol(a, NULL, 10), 0) == 0; /* one that does nothing */
	if (strcmp(what, "become") == 0)
		return becomes(a);
	if (strcmp(what, "execute") == 0)
		return execv(a, v + 1) == 0;
	exit(100);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 100;
	errno = 0;
	bool done = deed(argv + 1, argc - 1);
	puts(done ? "done" : strerror(errno));
	return !done;
}
