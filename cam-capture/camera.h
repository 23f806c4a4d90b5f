/* camera: a libcamera camera as a source. camera-none.c stands for it in a build without (LIBCAMERA=0). */
#ifndef CAMERA_H
#define CAMERA_H
#include "control.h"
#include "source.h"

struct camera_options {
	const char *which;  /* its number or id; NULL: the first */
	struct video video; /* size and rate that are asked for; the rest is the camera's to say */
	bool rate_asked;    /* else the camera's own will do where it cannot be set */
	bool hflip, vflip, transpose;
	uint32_t silence_s; /* without a frame, or while opening, after which it has failed */
	size_t settings_n;
	struct setting settings[CONTROLS_MAX];
};

extern const char camera_about[]; /* for a list of sources */

/* Cameras, their formats and their controls on stdout. 0, or an exit code after a message. */
int camera_list(uint32_t silence_s);
/* encoder_formats: what the encoder takes, a bit 1 << enum video_format for each. 0 and a source, which
 * exists until the process ends, or an exit code after a message. From now on exit() ends the process as
 * _exit() does. */
int camera_open(
        const struct camera_options *, unsigned encoder_formats, const struct stop *, struct source **);
#endif
