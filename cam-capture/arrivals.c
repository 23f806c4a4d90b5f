/* The bounded queue between a camera's thread and the capturing thread, and the numbers of frames. Does no
 * input or output but on its eventfd. */
#define _GNU_SOURCE
#include "arrivals.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>

enum {
	MANY_BUFFERS = 6,
	GAP_MAX = 100000, /* frames; a longer jump is a driver that began anew */
};

int arrivals_open(struct arrivals *a, unsigned buffers, int (*give)(void *, unsigned), void *owner)
{
	if (buffers < 2 || buffers > VIDEO_BUFFERS_MAX) {
		errno = EINVAL;
		return -1;
	}
	*a = (struct arrivals){
	        .give = give, .owner = owner, .with_camera = buffers, .keep = buffers < MANY_BUFFERS ? 1 : 2};
	a->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (a->fd < 0)
		return -1;
	errno = pthread_mutex_init(&a->lock, NULL);
	return errno ? -1 : 0;
}

static void pop(struct arrivals *a)
{
	a->waits--;
	memmove(a->waiting, a->waiting + 1, a->waits * sizeof *a->waiting);
}

/* The driver's numbers have gaps where it lost frames; not every driver numbers, so a frame counts at least
 * once. */
static void number_next(struct arrivals *a, uint32_t sequence)
{
	uint32_t gap = sequence - a->sequence;
	a->number += a->any && gap > 1 && gap <= GAP_MAX ? gap - 1 : 0;
	a->sequence = sequence;
	a->any = true;
}

static void give(struct arrivals *a, unsigned buffer)
{
	if (a->give(a->owner, buffer) < 0)
		arrivals_gone(a);
}

void arrivals_put(
        struct arrivals *a, unsigned buffer, bool good, uint32_t sequence, const struct clocks *clocks)
{
	bool full;
	unsigned back = buffer;

	pthread_mutex_lock(&a->lock);
	a->with_camera--;
	a->came += good;
	number_next(a, sequence);
	if (good) {
		a->waiting[a->waits++] = (struct arrival){buffer, {.number = a->number, .clocks = *clocks}};
		a->boot_ns = clocks->boot_ns;
	}
	a->number++;
	full = !good || a->with_camera < a->keep;
	if (full) {
		if (good) {
			back = a->waiting[0].buffer;
			pop(a);
		}
		a->with_camera++;
	}
	bool wake = a->waits;
	pthread_mutex_unlock(&a->lock);
	if (full)
		give(a, back);
	if (wake)
		(void)eventfd_write(a->fd, 1);
}

void arrivals_gone(struct arrivals *a)
{
	pthread_mutex_lock(&a->lock);
	a->gone = true;
	pthread_mutex_unlock(&a->lock);
	(void)eventfd_write(a->fd, 1);
}

bool arrivals_take(struct arrivals *a, struct arrival *out)
{
	eventfd_t unused;

	pthread_mutex_lock(&a->lock);
	bool any = a->waits;
	if (any) {
		*out = a->waiting[0];
		pop(a);
	}
	if (!a->waits && !a->gone)
		(void)eventfd_read(a->fd, &unused);
	pthread_mutex_unlock(&a->lock);
	return any;
}

void arrivals_give_back(struct arrivals *a, unsigned buffer)
{
	pthread_mutex_lock(&a->lock);
	a->with_camera++;
	pthread_mutex_unlock(&a->lock);
	give(a, buffer);
}

uint32_t arrivals_came(struct arrivals *a, bool *gone)
{
	pthread_mutex_lock(&a->lock);
	uint32_t came = a->came;
	*gone = a->gone;
	pthread_mutex_unlock(&a->lock);
	return came;
}

void arrivals_restart(struct arrivals *a)
{
	pthread_mutex_lock(&a->lock);
	a->number = 0;
	for (unsigned i = 0; i < a->waits; i++)
		a->waiting[i].stamp.number = a->number++;
	pthread_mutex_unlock(&a->lock);
}
