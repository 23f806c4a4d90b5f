/* socket-line: a line of /proc/net/tcp and its like (proc(5)). */
#ifndef SOCKET_LINE_H
#define SOCKET_LINE_H
#include <stdbool.h>

enum { SOCKET_ADDRESS_BYTES = 64, SOCKET_TABLE_BYTES_MAX = 8 << 20 };

struct socket_line {
	char local[SOCKET_ADDRESS_BYTES], remote[SOCKET_ADDRESS_BYTES]; /* ADDRESS:PORT */
	bool loopback;                                                  /* the local address */
	bool connected;                                                 /* has a remote one */
	unsigned state;
	unsigned long uid, inode;
};

/* One line of /proc/net/tcp and its like; v6: of tcp6. 0, or -1 when it is none. */
int socket_line_parse(const char *line, bool v6, struct socket_line *out);
#endif
