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
	bool device; /* it is a video device, and not a library */
	/* The formats that it takes as they are, a bit 1 << enum video_format for each; 0, silently, when
	 * there is none of its kind here. This member and the others are NULL when the encoder is not built
	 * in. */
	unsigned (*formats)(void);
	/* NULL with errno, after a message when there is more to say. */
	void *(*open)(const struct encoder_config *);
	/* Takes a frame, which it gives back by frame_release() when it has done with it: before the return,
	 * or in a later call. Stamps increase. It may wait for room, but never longer than ENCODER_WAIT_MS;
	 * then it has failed: -1 with ETIMEDOUT. 0, or -1 with errno. */
	int (*push)(void *, const struct frame *);
	/* 1 and an access unit, 0 when there is none (yet), -1 with errno. To be called until 0 after each
	 * push and flush. */
	int (*pull)(void *, struct packet *);
	/* Readable (POLLIN) when pull may have more although nothing was pushed; -1: it never has. */
	int (*fd)(void *);
	/* The next frame pushed becomes an IDR picture. */
	void (*force_idr)(void *);
	/* No frame comes any more: pull the rest. */
	void (*flush)(void *);
	void (*close)(void *);
};

enum { ENCODER_WAIT_MS = 2000 };

extern const struct encoder encoder_m2m;  /* m2m.c */
extern const struct encoder encoder_x264; /* x264.c, or x264-none.c when built with X264=0 */
#endif
