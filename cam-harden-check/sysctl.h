/* sysctl: settings in text: the output of sysctl -a, and files of sysctl.d.
 *
 * Pure: reads the buffer, calls back for each setting. Keys are written with dots; a / in them is a dot in
 * the name of an interface, as sysctl.d(5) has it. Blanks in values become one space. */
#ifndef SYSCTL_H
#define SYSCTL_H
#include <stddef.h>

enum { SYSCTL_BYTES_MAX = 1 << 20, SYSCTL_LINE_BYTES_MAX = 8192 };

typedef int sysctl_each(void *ctx, const char *key, const char *value, unsigned line);

/* text has n bytes and a NUL behind them, and is cut up. dump: every line must be a setting; else comments, a
 * leading - and lines that are none are as sysctl.d(5) says. 0, or -1 with why and the line. */
int sysctl_parse(
        char *text, size_t n, int dump, sysctl_each *each, void *ctx, const char **why, unsigned *line);
/* The same form of a key: in place. */
void sysctl_key_settle(char *key);
void sysctl_value_settle(char *value);
#endif
