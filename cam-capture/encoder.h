/* encoder: what makes H.264 of frames. One struct of functions for each kind; a hardware encoder is one more.
 */
#ifndef ENCODER_H
#define ENCODER_H
#include "video.h"

#include <stddef.h>

struct encoder_config {
	struct video video;
	uint32_t bitrate_bps; /* kept over any second or so */
	uint32_t gop_frames;  /* from IDR to IDR; no other I pictures, no B pictures */
	bool reproducible;    /* the same frames give the same bytes, at the price of speed */
};

/* One access unit in Annex B, parameter sets before each IDR picture; lent until the next call. */
struct packet {
	const uint8_t *bytes;
	size_t n;
	struct stamp stamp; /* of the frame that it is made of */
};

struct encoder {
	const char *name, *about;
	/* NULL with errno, after a message when there is more to say. This member is NULL when the encoder is
	 * not built in. */
	void *(*open)(const struct encoder_config *);
	/* Takes a frame; stamps increase. The picture is not used after the return. 0, or -1 with errno. */
	int (*push)(void *, const struct frame *);
	/* 1 and an access unit, 0 when there is none (yet), -1 with errno. To be called until 0 after each
	 * push and flush. */
	int (*pull)(void *, struct packet *);
	/* The next frame pushed becomes an IDR picture. */
	void (*force_idr)(void *);
	/* No frame comes any more: pull the rest. */
	void (*flush)(void *);
	void (*close)(void *);
};

extern const struct encoder encoder_x264; /* x264.c, or x264-none.c when built with X264=0 */
#endif
