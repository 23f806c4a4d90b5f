/* dialer: a process that connects to one host and port, and hands the connected sockets over.
 *
 * It is forked before any secret is read, has nothing of its parent but stderr and a socket to it, and is
 * told the host and port at the fork and never again. What is asked of it later is "one more connection", so
 * whoever breaks into the asking process learns nothing from it and cannot send it elsewhere. It ends when
 * its parent does. */
#ifndef DIALER_H
#define DIALER_H
#include <stdint.h>
#include <sys/types.h>

enum { DIALER_WHY_BYTES = 192, DIALER_HOST_BYTES = 256 };

struct dialer {
	int fd; /* readable: dialer_answer has something to say */
	pid_t pid;
};

/* One dial that has ended. */
struct dialed {
	uint32_t id;
	int fd; /* connected, non-blocking, the receiver's to close; -1: failed */
	char why[DIALER_WHY_BYTES];
};

/* Forks it. A dial takes at most patience_s, from the look-up of the name to the connection. -1 with errno.
 */
int dialer_start(struct dialer *d, const char *host, unsigned port, unsigned patience_s);

/* Ask for a connection; the answer bears the id. Does not wait. -1: the dialer is gone. */
int dialer_ask(const struct dialer *d, uint32_t id);

/* 1: an answer. 0: none yet. -1: the dialer is gone. */
int dialer_answer(const struct dialer *d, struct dialed *out);
#endif
