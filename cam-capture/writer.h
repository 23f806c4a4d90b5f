/* writer: a thread that writes queued access units to stdout, so that a slow reader never holds up a camera.
 */
#ifndef WRITER_H
#define WRITER_H
#include "queue.h"
#include "stop.h"

#include <pthread.h>

struct writer {
	pthread_mutex_t lock;
	pthread_cond_t filled; /* something to take, or closed */
	pthread_t thread;
	/* under the lock */
	struct queue queue;
	bool closed, ended; /* no more comes; the thread has ended */
	int error;          /* errno of the write that failed, or 0 */
	uint32_t written;   /* access units written whole */
	/* not changed after the start */
	int fd;
	int moved_fd;  /* readable after the thread has written something or ended */
	int failed_fd; /* made readable when a write fails: that of struct stop */
};

/* What became of the frames. */
struct writer_end {
	int error;        /* errno of the write that failed, or 0 */
	uint32_t written; /* whole access units */
	uint32_t left;    /* still queued or half written */
};

/* 0, or -1 with errno. */
int writer_start(struct writer *w, int fd, size_t limit_bytes, const struct stop *stop);
/* Queues au, which it takes. Where there is no room, it drops by the rule of queue.h, with a message when a
 * hole begins and ends; or, with wait, waits for room until stop_wait() says stop: then au is freed. */
void writer_push(struct writer *w, struct au *au, bool wait, const struct stop *stop);
/* A frame was lost before it could be queued; what follows it up to the next IDR is of no use. */
void writer_lost(struct writer *w, uint32_t number);
bool writer_wants_idr(struct writer *w);
/* Lets the thread write what is queued: without limit, but for at most grace_ns once a stop has been asked
 * for. */
void writer_finish(struct writer *w, const struct stop *stop, int64_t grace_ns, struct writer_end *out);
#endif
