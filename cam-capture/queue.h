/* queue: access units between encoder and stdout, at most a fixed number of bytes, and what goes when they do
 * not fit.
 *
 * When an access unit does not fit, the GOP that it belongs to is dropped whole, what is queued of it
 * included, and so is everything after it until half of the queue is free and an IDR picture comes. So
 * whatever is written decodes, and every hole begins and ends at an IDR picture. What was queued before is
 * kept. (A GOP larger than the whole queue, part of which has been taken already, is cut instead: the part
 * that is out stays, the rest is dropped.) Not locked: writer.c does that. */
#ifndef QUEUE_H
#define QUEUE_H
#include "au.h"

struct queue {
	size_t limit, bytes;    /* bytes: of all that is queued, and of what was taken and not released */
	struct au *head, **end; /* end: where the next one is linked */
	struct au **gop;        /* link to the IDR of the newest GOP; NULL when that has been taken */
	size_t waiting, taken_size;
	uint32_t taken;   /* access units taken so far */
	uint32_t dropped; /* access units dropped so far, by this queue */
	uint32_t hole;    /* number of the first frame of the last hole */
	bool dropping;
};

void queue_init(struct queue *q, size_t limit);
/* What an access unit counts for: its memory. */
size_t queue_size(const struct au *au);
/* There is room; an empty queue takes any one access unit, even one above the limit. */
bool queue_fits(const struct queue *q, const struct au *au);
/* Takes ownership of au. False when it was dropped, maybe with others of its GOP. */
bool queue_push(struct queue *q, struct au *au);
/* As if an access unit had come that does not fit, which the caller has lost already. */
void queue_lost(struct queue *q, uint32_t number);
/* Frames are being dropped, and an IDR picture would now be taken. */
bool queue_wants_idr(const struct queue *q);
/* The oldest, with its SEI message filled in; NULL when empty. The caller frees it; queue_release() gives its
 * room back. */
struct au *queue_take(struct queue *q);
void queue_release(struct queue *q);
void queue_clear(struct queue *q);
#endif
