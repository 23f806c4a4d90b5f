/* y4m: the header lines of YUV4MPEG2, yuv4mpeg(5). Bytes in, struct out. */
#ifndef Y4M_H
#define Y4M_H
#include "video.h"

#include <stddef.h>

enum { Y4M_LINE_BYTES_MAX = 1024 };

struct y4m {
	struct video video;
	char bad[32];    /* after an error: the tag that it is about, cut to fit; may be empty */
	const char *why; /* after an error: what is wrong with it */
};

/* The stream header without its newline. 0, or -1 with bad and why. Width and height are within the limits of
 * video.h. */
int y4m_header_parse(const uint8_t *line, size_t n, struct y4m *out);
/* A frame header without its newline: 0, or -1. Its parameters are allowed and mean nothing to progressive
 * video. */
int y4m_frame_parse(const uint8_t *line, size_t n);
#endif
