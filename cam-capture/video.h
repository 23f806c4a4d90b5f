/* video: what sources, encoders and the queue say to each other about pictures. 4:2:0, 8 bits, progressive.
 */
#ifndef VIDEO_H
#define VIDEO_H
#include "clocks.h"

#include <stdbool.h>
#include <stdint.h>

enum { VIDEO_SIDE_MIN = 16, VIDEO_SIDE_MAX = 4096, VIDEO_RATE_MAX = 240, VIDEO_RATE_SLOWEST_S = 60 };

struct video {
	uint32_t width, height;      /* luma samples: even, VIDEO_SIDE_MIN to VIDEO_SIDE_MAX */
	uint32_t rate_num, rate_den; /* frames per second, both 1 to INT32_MAX */
	uint16_t sar_num, sar_den;   /* sample aspect ratio; 0 unknown */
	uint8_t chroma_loc;          /* chroma_sample_loc_type (H.264 E.2.1): 0 left, 1 centre, 2 top left */
	bool full_range;             /* luma 0 to 255 instead of 16 to 235 */
	bool bt709;                  /* primaries, transfer and matrix of BT.709; else not said */
};

/* When a frame was captured, and which one it is: 0 is the first, those that were lost are counted. */
struct stamp {
	uint32_t number;
	struct clocks clocks;
};

/* A picture lent by a source until its next frame. Planes Y, U, V; stride in bytes. */
struct frame {
	const uint8_t *plane[3];
	uint32_t stride[3];
	struct stamp stamp;
};
#endif
