/* source: where frames come from. A camera is one more of these. */
#ifndef SOURCE_H
#define SOURCE_H
#include "stop.h"
#include "video.h"

enum source_result {
	SOURCE_FRAME,
	SOURCE_ENCODER, /* no frame yet, but encoder_fd is readable */
	SOURCE_END,     /* no more frames */
	SOURCE_STOPPED, /* stop_wait() said so */
	SOURCE_BAD,     /* the input is not what it should be; has been said */
	SOURCE_FAILED,  /* system trouble; has been said */
};

struct source {
	struct video video;
	bool live; /* its frames do not wait: those that come late or find no room are lost, and counted */
	/* Waits for the next frame, and for encoder_fd unless that is -1 or the source never waits long. */
	enum source_result (*read)(struct source *, const struct stop *, int encoder_fd, struct frame *out);
};

/* The test pattern: size and rate of *v. NULL with errno. */
struct source *source_pattern(const struct video *v, bool fast);
/* A YUV4MPEG2 stream from fd, called name in messages; reads its header. NULL when stopped, or with the
 * result in *why after a message. */
struct source *source_y4m(
        int fd, const char *name, bool fast, const struct stop *stop, enum source_result *why);
#endif
