/* passphrase: from the terminal without echo, or from a descriptor. Into locked memory only. */
#ifndef PASSPHRASE_H
#define PASSPHRASE_H
#include <stddef.h>

enum { PASSPHRASE_BYTES_MAX = 1024 };

/* Asks on /dev/tty. out: PASSPHRASE_BYTES_MAX + 1 bytes. NULL, or a static reason. */
const char *passphrase_ask(const char *prompt, char *out);
/* The first line that can be read from fd, without its newline. */
const char *passphrase_read(int fd, char *out);
#endif
