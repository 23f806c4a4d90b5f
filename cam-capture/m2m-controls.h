/* m2m-controls: the controls of a V4L2 encoder. */
#ifndef M2M_CONTROLS_H
#define M2M_CONTROLS_H
#include "encoder.h"

/* Sets bitrate, GOP, profile, level and headers. h264: an encoder that does not take bitrate and GOP is
 * refused; else they are set where they exist. name is for messages. 0, or -1 with errno after a message. */
int m2m_controls_set(int fd, const char *name, const struct encoder_config *, bool h264);
/* The next frame that the encoder begins becomes an IDR picture. -1 when it cannot be told so. */
int m2m_controls_force_idr(int fd);
/* The lowest level that allows size, rate and bitrate in the High profile, as V4L2 numbers it; -1: none does.
 */
int m2m_controls_level(const struct encoder_config *);
#endif
