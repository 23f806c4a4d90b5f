/* hints: names of durable segments on stdout. The directory is the truth; a hint that would have to wait is
 * dropped and counted, because nobody who reads names may stop the recording. */
#ifndef HINTS_H
#define HINTS_H
#include "dir.h"

/* NAME with its suffix and a newline in one write, or not at all. */
void hints_say(const struct name *n);
/* The waiting .cam and .gone files, oldest first: of more than 2 * WINDOW_NAMES only the oldest and the
 * newest. */
void hints_waiting(struct dir *d);
#endif
