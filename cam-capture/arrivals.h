/* arrivals: frames on their way from a camera's thread to the capturing thread.
 *
 * A camera has a fixed number of buffers; each is with the camera, waiting here, or taken. The camera's
 * thread never waits: when the camera would run out of buffers, or too many wait, the one that has waited
 * longest goes back to it undelivered. Frames are numbered as they come, those that were lost included,
 * wherever that was. */
#ifndef ARRIVALS_H
#define ARRIVALS_H
#include "video.h"

#include <pthread.h>

struct arrival {
	unsigned buffer;
	struct stamp stamp;
};

struct arrivals {
	pthread_mutex_t lock;
	int fd; /* readable when something waits or the camera has gone */
	/* gives a buffer back to the camera: 0, or -1 when that has gone; from both threads, without the lock
	 */
	int (*give)(void *owner, unsigned buffer);
	void *owner;
	unsigned keep; /* buffers that the camera shall always have */
	/* under the lock */
	struct arrival waiting[VIDEO_BUFFERS_MAX]; /* the oldest first */
	unsigned waits, with_camera;
	bool any, gone;
	uint32_t sequence; /* the driver's, of the frame before */
	uint32_t number;   /* of the next frame */
	uint32_t came;     /* good frames that the camera has given, undelivered ones included */
	uint64_t boot_ns;  /* of the frame before */
};

/* buffers: how many there are, all with the camera; 2 to VIDEO_BUFFERS_MAX. 0, or -1 with errno. */
int arrivals_open(struct arrivals *, unsigned buffers, int (*give)(void *, unsigned), void *owner);
/* The camera's thread: a frame has come. A bad one is not delivered. */
void arrivals_put(struct arrivals *, unsigned buffer, bool good, uint32_t sequence, const struct clocks *);
/* The camera's thread: nothing comes any more. */
void arrivals_gone(struct arrivals *);
/* The oldest one, to be given back by arrivals_give_back(). False when none waits. */
bool arrivals_take(struct arrivals *, struct arrival *out);
void arrivals_give_back(struct arrivals *, unsigned buffer);
/* Good frames that the camera has given so far; *gone: it gives no more. */
uint32_t arrivals_came(struct arrivals *, bool *gone);
/* Begins to count frames again from 0: with the next one. */
void arrivals_restart(struct arrivals *);
#endif
