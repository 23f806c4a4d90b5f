/* cmdline: the kernel's command line, read as the kernel reads it.
 *
 * Pure: reads the buffer, writes evidence of group for each parameter: its value, "" for one without.
 * In names - and _ are the same (written _). Of a repeated parameter the last value counts, but every console
 * counts. What stands behind -- is init's, and is kept as the parameter "--". */
#ifndef CMDLINE_H
#define CMDLINE_H
#include "evidence.h"

enum { CMDLINE_BYTES_MAX = 4096, CMDLINE_PARAMETERS_MAX = 256 };

/* text ends with NUL and is cut up. 0, or -1 with why. */
int cmdline_parse(char *text, const char *group, const char *source, struct evidence *e, const char **why);
#endif
