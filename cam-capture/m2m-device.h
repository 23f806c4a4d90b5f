/* m2m-device: finding the encoder among the video devices, by what they can do. */
#ifndef M2M_DEVICE_H
#define M2M_DEVICE_H
#include <stdint.h>

struct m2m_device {
	int fd;
	char path[24], card[32];
	unsigned formats; /* that it takes, a bit 1 << enum video_format for each */
};

/* Opens the first memory-to-memory device with the multi-planar interface that makes coded (V4L2_PIX_FMT_*)
 * of a picture format of ours. 0, or -1 with ENODEV, or EACCES when there was a device that may not be
 * opened. */
int m2m_device_open(uint32_t coded, struct m2m_device *out);
/* The same for one format of video.h. */
uint32_t m2m_device_fourcc(unsigned format);
#endif
