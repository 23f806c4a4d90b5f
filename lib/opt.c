#define _GNU_SOURCE
#include "opt.h"

#include "msg.h"
#include "number.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

int opt_next(int argc, char **argv, const char *spec, const char *repeatable, const char *usage)
{
	static unsigned char seen[UCHAR_MAX + 1];
	char quiet[64] = ":";

	strncat(quiet, spec, sizeof quiet - 2);
	opterr = 0;
	int c = getopt(argc, argv, quiet);
	if (c == '?')
		die(EXIT_USAGE, "-%c: unknown option: usage: %s", optopt, usage);
	if (c == ':')
		die(EXIT_USAGE, "-%c: needs an argument: usage: %s", optopt, usage);
	if (c != -1 && seen[c]++ && !strchr(repeatable, c))
		die(EXIT_USAGE, "-%c: given twice: usage: %s", c, usage);
	return c;
}

uint64_t opt_number(int letter, uint64_t min, uint64_t max)
{
	uint64_t v;
	if (number_parse(optarg, min, max, &v) < 0)
		die(EXIT_USAGE, "-%c %s: not a number from %llu to %llu", letter, optarg,
		        (unsigned long long)min, (unsigned long long)max);
	return v;
}

uint64_t opt_bytes(int letter, uint64_t min, uint64_t max)
{
	uint64_t v;
	if (number_parse_bytes(optarg, min, max, &v) < 0)
		die(EXIT_USAGE,
		        "-%c %s: not a number of bytes from %llu to %llu (k, M, G, T: powers of 1024)",
		        letter, optarg, (unsigned long long)min, (unsigned long long)max);
	return v;
}

uint64_t opt_seconds(int letter, uint64_t min, uint64_t max)
{
	uint64_t v;
	if (number_parse_seconds(optarg, min, max, &v) < 0)
		die(EXIT_USAGE, "-%c %s: not a time from %llu to %llu seconds (s, m, h, d)", letter, optarg,
		        (unsigned long long)min, (unsigned long long)max);
	return v;
}

int opt_ready_fd(void)
{
	int fd = (int)opt_number('D', 3, 1023);
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		die(EXIT_USAGE, "-D %d: %s", fd, strerror(errno));
	return fd;
}

void ready_say(int fd)
{
	if (fd < 0)
		return;
	while (write(fd, "\n", 1) < 0 && errno == EINTR)
		;
	close(fd);
}
