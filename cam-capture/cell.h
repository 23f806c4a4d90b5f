/* cell: what cam-capture gives up, in two steps. */
#ifndef CELL_H
#define CELL_H
#include <stdbool.h>

/* Before a byte of input is read, a camera is opened or a thread begins. devices: there is a camera, or an
 * encoder in hardware. */
void cell_starting(bool devices);
/* When the source and the encoder are configured and all threads run. */
void cell_streaming(bool devices);
#endif
