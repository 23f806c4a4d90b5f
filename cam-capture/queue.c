/* The queue between encoder and stdout and its drop policy. Holds at most its limit in memory (or one access
 * unit that is larger); does no input or output. */
#define _GNU_SOURCE
#include "queue.h"

#include <stdlib.h>

void queue_init(struct queue *q, size_t limit)
{
	*q = (struct queue){.limit = limit};
	q->end = &q->head;
}

size_t queue_size(const struct au *au)
{
	return sizeof *au + au->bytes;
}

bool queue_fits(const struct queue *q, const struct au *au)
{
	return !q->bytes || (q->bytes < q->limit && queue_size(au) <= q->limit - q->bytes);
}

static void drop(struct queue *q, struct au *au)
{
	q->dropped++;
	free(au);
}

/* Drops what is queued from link to the end. */
static void cut(struct queue *q, struct au **link)
{
	struct au *au = *link;
	*link = NULL;
	q->end = link;
	while (au) {
		struct au *next = au->next;
		q->bytes -= queue_size(au);
		q->waiting--;
		drop(q, au);
		au = next;
	}
}

static void hole_begin(struct queue *q, uint32_t number, bool idr)
{
	q->hole = number;
	q->dropping = true;
	if (idr || !q->gop)
		return;
	q->hole = (*q->gop)->stamp.number;
	cut(q, q->gop);
	q->gop = NULL;
}

bool queue_wants_idr(const struct queue *q)
{
	return q->dropping && q->bytes <= q->limit / 2;
}

bool queue_push(struct queue *q, struct au *au)
{
	if (q->dropping && (!au->idr || !queue_wants_idr(q))) {
		drop(q, au);
		return false;
	}
	if (!queue_fits(q, au)) {
		if (!q->dropping)
			hole_begin(q, au->stamp.number, au->idr);
		drop(q, au);
		return false;
	}
	q->dropping = false;
	au->next = NULL;
	if (au->idr)
		q->gop = q->end;
	*q->end = au;
	q->end = &au->next;
	q->bytes += queue_size(au);
	q->waiting++;
	return true;
}

void queue_lost(struct queue *q, uint32_t number)
{
	if (!q->dropping)
		hole_begin(q, number, false);
	q->dropped++;
}

struct au *queue_take(struct queue *q)
{
	struct au *au = q->head;
	if (!au)
		return NULL;
	if (q->gop == &q->head)
		q->gop = NULL;
	q->head = au->next;
	if (q->gop == &au->next)
		q->gop = &q->head;
	if (!q->head)
		q->end = &q->head;
	q->waiting--;
	q->taken_size = queue_size(au);
	/* Whatever is between the ones taken is lost, wherever it was lost: that is what `dropped` counts. */
	au_tell(au, au->stamp.number - q->taken);
	q->taken++;
	return au;
}

void queue_release(struct queue *q)
{
	q->bytes -= q->taken_size;
	q->taken_size = 0;
}

void queue_clear(struct queue *q)
{
	while (q->head) {
		struct au *next = q->head->next;
		free(q->head);
		q->head = next;
	}
	queue_init(q, q->limit);
}
