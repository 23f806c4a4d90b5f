/* cell: what cam-capture gives up, in two steps. */
#ifndef CELL_H
#define CELL_H
#include <stdbool.h>

/* First of all, when a camera is to be opened: libraries may have started threads before main(), which
 * Landlock does not bind. Then the program is executed anew, confined from its first thread on. The
 * descriptor keep (-1: none) stays open over that. */
void cell_again(char **argv, int keep);
/* Before a byte of input is read, a camera is opened or a thread begins. devices: there is a camera, or an
 * encoder in hardware. */
void cell_starting(bool devices);
/* When the source and the encoder are configured and all threads run. */
void cell_streaming(bool devices);
#endif
