/* guard: what ends the process while libcamera is in it and would not end it well. */
#ifndef GUARD_H
#define GUARD_H
#include <stdint.h>

/* exit() then ends the process without destructors, under which threads of libcamera would still run.
 * abort(), which is how libcamera ends on an assertion, is said in one line and becomes exit 111. 0, or -1
 * with errno. */
int guard_enter(void);
/* Between these, more than limit_s ends the process with one line and exit 111. */
void guard_begin(uint32_t limit_s);
void guard_end(void);
#endif
