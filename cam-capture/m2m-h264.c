/* H.264 is what is asked for. */
#define _GNU_SOURCE
#include "m2m-coded.h"

#include <linux/videodev2.h>

const struct m2m_coded m2m_coded = {.fourcc = V4L2_PIX_FMT_H264, .name = "H.264", .h264 = true};
