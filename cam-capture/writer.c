/* Writes access units to a descriptor that may block, in a thread of its own. The other side of the queue is
 * the capturing thread, which only ever waits in stop_wait(). Messages come from the capturing thread alone.
 */
#define _GNU_SOURCE
#include "writer.h"

#include "fdio.h"
#include "msg.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void event_set(int fd)
{
	(void)eventfd_write(fd, 1); /* fails only when it is as readable as it gets */
}

static void event_clear(int fd)
{
	eventfd_t unused;
	(void)eventfd_read(fd, &unused);
}

static struct au *take(struct writer *w)
{
	pthread_mutex_lock(&w->lock);
	while (!w->queue.head && !w->closed)
		pthread_cond_wait(&w->filled, &w->lock);
	struct au *au = queue_take(&w->queue);
	pthread_mutex_unlock(&w->lock);
	return au;
}

static void *run(void *arg)
{
	struct writer *w = arg;
	struct au *au;
	int error = 0;

	while (!error && (au = take(w))) {
		if (fd_write(w->fd, au->data, au->bytes) < 0)
			error = errno;
		free(au);
		pthread_mutex_lock(&w->lock);
		queue_release(&w->queue);
		w->written += !error;
		w->error = error;
		pthread_mutex_unlock(&w->lock);
		event_set(w->moved_fd);
	}
	pthread_mutex_lock(&w->lock);
	w->ended = true;
	pthread_mutex_unlock(&w->lock);
	if (error)
		event_set(w->failed_fd);
	event_set(w->moved_fd);
	return NULL;
}

int writer_start(struct writer *w, int fd, size_t limit_bytes, const struct stop *stop)
{
	*w = (struct writer){.fd = fd, .failed_fd = stop->failed_fd};
	queue_init(&w->queue, limit_bytes);
	w->moved_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->moved_fd < 0)
		return -1;
	errno = pthread_mutex_init(&w->lock, NULL);
	if (!errno)
		errno = pthread_cond_init(&w->filled, NULL);
	if (!errno)
		errno = pthread_create(&w->thread, NULL, run, w);
	return errno ? -1 : 0;
}

/* What a change of the queue means to whoever reads the log. */
static void say(const struct queue *before, const struct queue *after, uint32_t number)
{
	if (!before->dropping && after->dropping)
		msg("stdout: not read for too long: dropping whole GOPs from frame %u on", after->hole);
	if (before->dropping && !after->dropping)
		msg("stdout: going on with frame %u: %u frames from %u on are lost, %u so far", number,
		        number - before->hole, before->hole, after->dropped);
}

static void push_now(struct writer *w, struct au *au)
{
	uint32_t number = au->stamp.number;

	pthread_mutex_lock(&w->lock);
	struct queue before = w->queue;
	queue_push(&w->queue, au);
	struct queue after = w->queue;
	pthread_cond_signal(&w->filled);
	pthread_mutex_unlock(&w->lock);
	say(&before, &after, number);
}

void writer_lost(struct writer *w, uint32_t number)
{
	pthread_mutex_lock(&w->lock);
	struct queue before = w->queue;
	queue_lost(&w->queue, number);
	struct queue after = w->queue;
	pthread_mutex_unlock(&w->lock);
	say(&before, &after, number);
}

static bool has_room(struct writer *w, const struct au *au)
{
	pthread_mutex_lock(&w->lock);
	bool fits = queue_fits(&w->queue, au);
	pthread_mutex_unlock(&w->lock);
	return fits;
}

void writer_push(struct writer *w, struct au *au, bool wait, const struct stop *stop)
{
	while (wait && !has_room(w, au)) {
		if (stop_wait(stop, w->moved_fd, STOP_NEVER)) {
			free(au);
			return;
		}
		event_clear(w->moved_fd);
	}
	push_now(w, au);
}

bool writer_wants_idr(struct writer *w)
{
	pthread_mutex_lock(&w->lock);
	bool wants = queue_wants_idr(&w->queue);
	pthread_mutex_unlock(&w->lock);
	return wants;
}

static bool has_ended(struct writer *w)
{
	pthread_mutex_lock(&w->lock);
	bool ended = w->ended;
	pthread_mutex_unlock(&w->lock);
	return ended;
}

/* Once a signal has come it stays readable, so the second phase must not look at it. */
static void wait_for_end(struct writer *w, const struct stop *stop, int64_t grace_ns)
{
	const struct stop deaf = {.signal_fd = -1, .failed_fd = -1};

	while (!has_ended(w) && !stop_wait(stop, w->moved_fd, STOP_NEVER))
		event_clear(w->moved_fd);
	int64_t until = stop_clock_ns() + grace_ns;
	while (!has_ended(w) && stop_clock_ns() < until) {
		(void)stop_wait(&deaf, w->moved_fd, until);
		event_clear(w->moved_fd);
	}
}

void writer_finish(struct writer *w, const struct stop *stop, int64_t grace_ns, struct writer_end *out)
{
	pthread_mutex_lock(&w->lock);
	w->closed = true;
	pthread_cond_signal(&w->filled);
	pthread_mutex_unlock(&w->lock);
	wait_for_end(w, stop, grace_ns);

	pthread_mutex_lock(&w->lock);
	*out = (struct writer_end){
	        w->error, w->written, (uint32_t)w->queue.waiting + w->queue.taken - w->written};
	bool ended = w->ended;
	pthread_mutex_unlock(&w->lock);
	if (!ended)
		return; /* in a write that nobody reads: it ends with the process */
	pthread_join(w->thread, NULL);
	queue_clear(&w->queue);
}
