/* image-verity: does the image that will be the root have the hash that the device will hold it to? */
#ifndef IMAGE_VERITY_H
#define IMAGE_VERITY_H
#include "evidence.h"
#include "where.h"

/* The keys "verity-..." of the group "image", from the two files of -V. They are read whole. After
 * cmdline_collect(). 0, or -1: evidence full. */
int image_verity_collect(struct evidence *, const struct where *);
#endif
