/* FWHT is what the hardware encoder is asked for: that is what vicodec makes. */
#define _GNU_SOURCE
#include "m2m-coded.h"

#include <linux/videodev2.h>

const struct m2m_coded m2m_coded = {.fourcc = V4L2_PIX_FMT_FWHT, .name = "FWHT", .h264 = false};
