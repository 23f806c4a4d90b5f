#define _GNU_SOURCE
#include "passphrase.h"

#include "fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { CTRL_C = 3 };

/* Byte by byte: what stands behind the line on fd belongs to somebody else. give_up: a character that ends it
 * in vain. */
static const char *line_read(int fd, int give_up, char *out)
{
	size_t n = 0;
	char c;

	for (;;) {
		ssize_t r = read(fd, &c, 1);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return strerror(errno);
		if (!r || c == '\n')
			break;
		if (c == give_up)
			return "given up";
		if (n == PASSPHRASE_BYTES_MAX)
			return "the passphrase is too long";
		out[n++] = c;
	}
	out[n] = '\0';
	return n ? NULL : "an empty passphrase";
}

const char *passphrase_read(int fd, char *out)
{
	return line_read(fd, -1, out);
}

const char *passphrase_ask(const char *prompt, char *out)
{
	struct termios old, quiet;
	sigset_t block, was;
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);

	if (tty < 0)
		return "no terminal to ask on";
	if (tcgetattr(tty, &old) < 0) {
		close(tty);
		return "no terminal to ask on";
	}
	/* a signal waits until the terminal echoes again */
	sigemptyset(&block);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGHUP);
	sigprocmask(SIG_BLOCK, &block, &was);
	quiet = old;
	quiet.c_lflag &= (tcflag_t) ~(ECHO | ISIG);
	quiet.c_cc[VEOL] = CTRL_C; /* else the terminal keeps it until the line is whole */
	tcsetattr(tty, TCSAFLUSH, &quiet);
	fd_write(tty, prompt, strlen(prompt));
	const char *why = line_read(tty, CTRL_C, out);
	fd_write(tty, "\n", 1);
	tcsetattr(tty, TCSAFLUSH, &old);
	sigprocmask(SIG_SETMASK, &was, NULL);
	close(tty);
	return why;
}
