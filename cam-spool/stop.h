/* stop: SIGTERM and SIGINT as a descriptor that becomes readable, so that every wait can look at it. */
#ifndef STOP_H
#define STOP_H
#include <stdbool.h>

/* Blocks both signals, ignores SIGPIPE and SIGXFSZ, and makes sure that descriptors 0 to 2 are open, so that
 * no file opened later takes their place. Returns the descriptor; dies on error. */
int stop_init(void);
/* Whether a stop was asked for, waiting for it at most timeout_ms. Once true, true for ever. */
bool stop_asked(int timeout_ms);
/* Whether it was asked for by ^C alone: then the programs before us in the pipe are stopping too. */
bool stop_interrupted(void);
#endif
