/* The moving test pattern as a source, paced by its frame rate. It behaves like a camera: a frame that was
 * due while the machine was busy is not made later but counted as lost. Reads nothing but clocks. */
#define _GNU_SOURCE
#include "msg.h"
#include "pace.h"
#include "pattern.h"
#include "source.h"

#include <errno.h>
#include <stdlib.h>

enum { SAY_EVERY_NS = 1000000000 };

struct pattern_source {
	struct source source;
	struct pace pace;
	bool started;
	uint64_t next;
	uint64_t late, late_said;
	int64_t said_ns;
	struct pattern pattern;
};

/* Not more than one message a second, so that trouble that lasts is not made worse. */
static void say_late(struct pattern_source *p, int64_t now_ns)
{
	if (p->late == p->late_said || (p->late_said && now_ns - p->said_ns < SAY_EVERY_NS))
		return;
	msg("test pattern: frames lost so far: %llu: this machine is too slow for them",
	        (unsigned long long)p->late);
	p->late_said = p->late;
	p->said_ns = now_ns;
}

static enum source_result read_frame(
        struct source *source, const struct stop *stop, int encoder_fd, struct frame *out)
{
	struct pattern_source *p = (struct pattern_source *)source;

	if (!p->started)
		pace_start(&p->pace, &source->video, p->pace.fast);
	p->started = true;
	int64_t due_ns = p->pace.fast ? 0 : pace_due_ns(&p->pace, p->next);
	if (stop_wait(stop, p->pace.fast ? -1 : encoder_fd, due_ns))
		return SOURCE_STOPPED;
	if (!p->pace.fast) {
		int64_t now = stop_clock_ns();
		if (now < due_ns)
			return SOURCE_ENCODER;
		uint64_t due = pace_frame_at(&p->pace, now);
		p->late += due - p->next;
		p->next = due;
		say_late(p, now);
	}
	pace_stamp(&p->pace, p->next++, &out->stamp);
	pattern_draw(&p->pattern, &out->stamp);
	pattern_lend(&p->pattern, out);
	return SOURCE_FRAME;
}

struct source *source_pattern(const struct video *v, bool fast)
{
	struct pattern_source *p = calloc(1, sizeof *p);
	if (!p)
		return NULL;
	p->source = (struct source){.video = *v, .live = !fast, .read = read_frame};
	p->pace.fast = fast;
	if (pattern_open(&p->pattern, v->width, v->height) < 0) {
		int saved = errno;
		free(p);
		errno = saved;
		return NULL;
	}
	return &p->source;
}
