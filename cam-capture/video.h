/* video: what sources, encoders and the queue say to each other about pictures. 4:2:0, 8 bits, progressive.
 */
#ifndef VIDEO_H
#define VIDEO_H
#include "clocks.h"

#include <stdbool.h>
#include <stdint.h>

/* Layout of a picture. I420: planes Y, U, V. NV12: planes Y, UV. The others have one plane of three bytes a
 * pixel, named by their order in memory. 0 is what sources give that have no choice. */
enum video_format { VIDEO_I420, VIDEO_NV12, VIDEO_RGB24, VIDEO_BGR24, VIDEO_FORMATS };

enum { VIDEO_PLANES_MAX = 3 };
enum { VIDEO_SIDE_MIN = 16, VIDEO_SIDE_MAX = 4096, VIDEO_RATE_MAX = 240, VIDEO_RATE_SLOWEST_S = 60 };

struct video {
	uint32_t width, height;      /* luma samples: even, VIDEO_SIDE_MIN to VIDEO_SIDE_MAX */
	uint32_t rate_num, rate_den; /* frames per second, both 1 to INT32_MAX */
	uint16_t sar_num, sar_den;   /* sample aspect ratio; 0 unknown */
	uint8_t chroma_loc;          /* chroma_sample_loc_type (H.264 E.2.1): 0 left, 1 centre, 2 top left */
	bool full_range;             /* luma 0 to 255 instead of 16 to 235 */
	/* colour_primaries, transfer_characteristics, matrix_coefficients: H.264 tables E-3 to E-5; 0 not
	 * said */
	uint8_t primaries, transfer, matrix;
	enum video_format format;
	uint32_t stride; /* bytes from line to line in plane 0 of every frame, 0 when that is not known before
	                  */
};

/* When a frame was captured, and which one it is: 0 is the first, those that were lost are counted. */
struct stamp {
	uint32_t number;
	struct clocks clocks;
	uint16_t motion; /* score, see motion.h */
};

/* A picture lent by a source. It is mapped and, from a camera, a DMABUF as well. Who takes it from
 * source_read() gives it back by frame_release(), once, from the same thread; whoever reads the planes does
 * so before. Without a release function the source takes it back with its next frame instead. */
struct frame {
	const uint8_t *plane[VIDEO_PLANES_MAX]; /* as many as the format has */
	uint32_t stride[VIDEO_PLANES_MAX];      /* bytes */
	struct stamp stamp;
	bool has_dmabuf;
	int dmabuf[VIDEO_PLANES_MAX];      /* descriptor of each plane's; planes in the same one have the same
	                                      number */
	uint32_t offset[VIDEO_PLANES_MAX]; /* of the plane in it */
	uint32_t dmabuf_bytes; /* from the start of dmabuf[0] to the end of the last plane that is in it */
	unsigned buffer; /* which buffer of the source: the same number is the same memory, VIDEO_BUFFERS_MAX
	                    at most */
	void (*release)(void *owner, unsigned buffer);
	void *owner;
};

enum { VIDEO_BUFFERS_MAX = 16 };

static inline void frame_release(const struct frame *f)
{
	if (f->release)
		f->release(f->owner, f->buffer);
}
#endif
