/* camera-controls: sets what was asked for with -C and -r. */
#ifndef CAMERA_CONTROLS_H
#define CAMERA_CONTROLS_H
#include "camera.h"

/* To be called when the camera is configured. *video's rate becomes what was set; *measure: it cannot be set.
 * 0, or an exit code after a message. */
int camera_controls_set(const struct camera_options *, const char *id, struct video *video, bool *measure);
/* The rate is the one asked for, but for one percent. */
bool camera_rate_is(const struct camera_options *, const struct video *);
#endif
