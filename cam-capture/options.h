/* options: what cam-capture was told on its command line. */
#ifndef OPTIONS_H
#define OPTIONS_H
#include "camera.h"

enum { QUEUE_BYTES = 8 << 20 }; /* between encoder and stdout */

struct options {
	struct camera_options camera; /* its video is the test pattern's as well */
	uint32_t bitrate_bps, gop_s;
	uint32_t motion; /* the score from which on it is recorded; 0: everything is */
	uint32_t before_s, after_s;
	const char *file, *encoder;
	bool pattern, fast, list;
	int ready_fd;
};

/* Ends the process after a message when something is wrong. */
void options_parse(int argc, char **argv, struct options *);
#endif
