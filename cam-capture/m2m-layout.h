/* m2m-layout: how pictures lie in the encoder's input buffers, and what it makes of them. */
#ifndef M2M_LAYOUT_H
#define M2M_LAYOUT_H
#include "m2m-coded.h"
#include "video.h"

#include <stddef.h>

struct m2m_plane {
	size_t at; /* from the beginning of the buffer */
	uint32_t stride;
	uint32_t line_bytes, lines; /* of the picture, without what is around it */
};

struct m2m_layout {
	unsigned planes;
	struct m2m_plane plane[VIDEO_PLANES_MAX];
	uint32_t bytes; /* of a buffer */
};

/* Sets both formats: *v in, coded out, in buffers of coded_bytes. What the driver makes of the size, the
 * stride and the buffer is in *out; a picture that would not be of this size is refused. name is for
 * messages. 0, or -1 with errno after a message. */
int m2m_layout_set(int fd, const char *name, const struct m2m_coded *coded, const struct video *v,
        uint32_t coded_bytes, struct m2m_layout *out);
/* NULL when the frame is a DMABUF that lies just like that; else why not. */
const char *m2m_layout_differs(const struct m2m_layout *l, const struct frame *f);
/* Copies the planes of f to where they belong in buffer. */
void m2m_layout_copy(const struct m2m_layout *l, const struct frame *f, uint8_t *buffer);
#endif
