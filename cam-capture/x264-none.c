/* Stands where x264.c would be, in a build without x264 (make X264=0). */
#include "encoder.h"

const struct encoder encoder_x264 = {.name = "x264", .about = "not built in (X264=0)"};
