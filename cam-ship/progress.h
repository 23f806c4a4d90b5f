/* progress: one line on a terminal, written anew once a second (-v). */
#ifndef PROGRESS_H
#define PROGRESS_H
#include <stdint.h>

struct ship;

/* Does nothing, now and later, unless wanted and stderr is a terminal. */
void progress_open(int wanted);
/* Write it, if a second has passed. */
void progress_show(const struct ship *s, int64_t now_ms);
/* Before anything else is written there. */
void progress_clear(void);
/* When it is to be shown again. */
int64_t progress_wake_ms(void);
#endif
