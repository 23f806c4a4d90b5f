/* modprobe: what files of modprobe.d(5) forbid to load.
 *
 * Pure: reads the buffer, writes evidence of the group "modprobe": a module that an "install" line sends to
 * true or false has the value "blocked", one on a "blacklist" line only "blacklisted" (it can still be asked
 * for by name). */
#ifndef MODPROBE_H
#define MODPROBE_H
#include "evidence.h"

enum { MODPROBE_BYTES_MAX = 256 << 10 };

int modprobe_parse(char *text, size_t n, const char *source, struct evidence *e, const char **why);
#endif
