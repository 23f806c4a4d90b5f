/* camera-find: which camera, and which there are. */
#ifndef CAMERA_FIND_H
#define CAMERA_FIND_H

/* Starts libcamera and chooses the camera that which (a number, an id, or NULL for the first) names. 0 and
 * its id, or an exit code after a message. */
int camera_find(const char *which, const char **id);
#endif
