/* libFuzzer: the header lines of YUV4MPEG2. Sources: cam-capture/y4m.c. */
#include "y4m.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct y4m y;
	const struct video *v = &y.video;

	(void)y4m_frame_parse(data, size);
	if (y4m_header_parse(data, size, &y) < 0) {
		if (!y.why || !memchr(y.bad, '\0', sizeof y.bad))
			abort();
		return 0;
	}
	/* What is accepted is within the limits that everything after it relies on. */
	if (v->width < VIDEO_SIDE_MIN || v->width > VIDEO_SIDE_MAX || v->height < VIDEO_SIDE_MIN ||
	        v->height > VIDEO_SIDE_MAX || v->width % 2 || v->height % 2)
		abort();
	if (!v->rate_num || !v->rate_den || v->rate_num > (uint64_t)VIDEO_RATE_MAX * v->rate_den ||
	        (uint64_t)v->rate_num * VIDEO_RATE_SLOWEST_S < v->rate_den || v->chroma_loc > 2)
		abort();
	return 0;
}
