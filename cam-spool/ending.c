#define _GNU_SOURCE
#include "ending.h"

#include "hints.h"
#include "msg.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

/* There is one under this name already: NAME.part stays as it is. */
static void leave_alone(struct ending *e)
{
	msg("%s: left alone: this segment is in the spool already", e->part.text);
	part_close(&e->part);
}

static void say(const struct ending *e)
{
	struct name cam = e->part.name;
	char text[NAME_BYTES_MAX];

	cam.state = NAME_CAM;
	name_put(text, &cam);
	if (!e->complete)
		msg("%s: truncated after record %lu", text, (unsigned long)e->last);
	hints_say(&cam);
}

void ending_go_on(struct ending *e)
{
	if (e->part.fd >= 0 && !e->failing && !e->syncer->busy && part_publish_begin(&e->part) < 0)
		leave_alone(e);
}

int ending_take(struct ending *e, bool complete, uint32_t last)
{
	if (e->open->fd < 0)
		return 0;
	while (ending_go_on(e), e->part.fd >= 0)
		if (ending_answer(e) < 0)
			return -1;
	room_ended(e->room);
	struct part ended = *e->open;
	*e->open = e->part; /* with the memory of the one before, which is closed */
	e->part = ended;
	e->complete = complete;
	e->last = last;
	ending_go_on(e);
	return 0;
}

void ending_sync_open(struct ending *e)
{
	if (e->open->fd >= 0 && !e->syncer->busy)
		part_sync_begin(e->open);
}

int ending_answer(struct ending *e)
{
	struct syncer_answer a = syncer_answer(e->syncer);
	struct part *p = e->part.syncing ? &e->part : e->open;
	bool publish = p->publishing;

	e->failing = publish && a.err;
	int r = part_answered(p, a);
	e->failing = false;
	if (r < 0) {
		if (!publish || errno != EEXIST)
			return -1;
		leave_alone(e);
	} else if (publish) {
		say(e);
	}
	ending_go_on(e);
	return 0;
}

int ending_wait(struct ending *e)
{
	while (ending_go_on(e), e->syncer->busy)
		if (ending_answer(e) < 0)
			return -1;
	return 0;
}

/* While the disk does not do something else, what it did or does for the syncer goes on. That we are told to
 * stop meanwhile is seen by whoever waits, too. */
static void meanwhile(void *arg)
{
	struct ending *e = arg;
	struct pollfd p = {.fd = e->syncer->answers, .events = POLLIN};

	ending_go_on(e);
	if (e->syncer->busy && poll(&p, 1, 0) == 1)
		(void)ending_answer(e);
}

void ending_init(struct ending *e, struct part *open, struct syncer *s, struct room *r)
{
	*e = (struct ending){.open = open, .syncer = s, .room = r};
	part_init(&e->part, open->dir, s);
	open->dir->meanwhile = meanwhile;
	open->dir->meanwhile_arg = e;
}
