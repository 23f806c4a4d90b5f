/* playback: the way of video from cam-open to cam-mux(1), with the time of each access unit.
 *
 * Starts cam-mux before anything is read. Access units that carry no time (no message of cam-capture) get
 * one, as an SEI message of lib/sei.h, from the marks around them: the marks name when their last access unit
 * came. */
#ifndef PLAYBACK_H
#define PLAYBACK_H
#include "reader.h"

#include <stddef.h>
#include <stdint.h>

/* Starts cam-mux, found along PATH, writing to our stdout. 0, or -1 with errno. */
int playback_start(void);
/* For struct reader_sink. */
int playback_content(void *ctx, const uint8_t *p, size_t n);
void playback_stretch(void *ctx, const struct reader_stretch *stretch);
/* The end: waits for cam-mux. Its exit code, or -1 with errno when the last bytes could not be written. */
int playback_finish(void);
#endif
