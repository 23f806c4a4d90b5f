#define _GNU_SOURCE
#include "intake.h"

#include "fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

int intake_init(struct intake *k, struct incoming *in)
{
	struct stat st;

	*k = (struct intake){.in = in, .copy = {-1, -1}};
	if (fstat(STDIN_FILENO, &st) < 0 || !S_ISFIFO(st.st_mode))
		return 0;
	return pipe2(k->copy, O_CLOEXEC);
}

ssize_t intake_look(struct intake *k, size_t limit)
{
	size_t room, wants = incoming_wants(k->in);
	uint8_t *p = incoming_room(k->in, &room); /* always has what is wanted */
	ssize_t n;

	if (k->copy[0] < 0) {
		n = read(STDIN_FILENO, p, wants < limit ? wants : limit);
	} else {
		n = tee(STDIN_FILENO, k->copy[1], room < limit ? room : limit, SPLICE_F_NONBLOCK);
		if (n > 0)
			n = fd_read(k->copy[0], p, (size_t)n);
	}
	k->seen = n > 0 ? (size_t)n : 0;
	if (n > 0)
		incoming_pushed(k->in, (size_t)n);
	return n;
}

static bool nobody_writes(void)
{
	struct pollfd p = {.fd = STDIN_FILENO};
	return poll(&p, 1, 0) == 1 && p.revents & POLLHUP;
}

size_t intake_taken(struct intake *k, bool at_once)
{
	uint8_t done[INCOMING_BYTES];
	size_t left = incoming_left(k->in), seen = k->seen;

	k->seen = 0;
	if (k->copy[0] < 0)
		return seen;
	size_t n = left < seen ? seen - left : 0;
	if (!n && (at_once || ++k->looks > INTAKE_LOOKS_MAX || nobody_writes()))
		n = seen;
	else
		incoming_pull_back(k->in, seen - n);
	if (!n)
		return 0;
	k->looks = 0;
	return fd_read(STDIN_FILENO, done, n) == (ssize_t)n ? n : 0;
}
