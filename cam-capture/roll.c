/* The last seconds of access units, and whether they are let through. */
#define _GNU_SOURCE
#include "roll.h"

#include <stdlib.h>

void roll_init(struct roll *r, uint64_t before_ns, uint64_t after_ns, size_t limit_bytes)
{
	*r = (struct roll){.before_ns = before_ns, .after_ns = after_ns, .limit_bytes = limit_bytes};
	r->end = &r->head;
}

static struct au *head_take(struct roll *r)
{
	struct au *au = r->head;

	r->head = au->next;
	if (!r->head)
		r->end = &r->head;
	r->bytes -= sizeof *au + au->bytes;
	return au;
}

static const struct au *second_idr(const struct roll *r)
{
	const struct au *au = r->head ? r->head->next : NULL;
	while (au && !au->idr)
		au = au->next;
	return au;
}

/* Whole groups of pictures go, from the oldest on, as long as what stays begins early enough. */
static void trim(struct roll *r, uint64_t now_ns)
{
	const struct au *next;

	while ((next = second_idr(r))) {
		bool early = next->stamp.clocks.boot_ns + r->before_ns <= now_ns;
		if (!early && r->bytes <= r->limit_bytes)
			return;
		while (r->head != next) {
			free(head_take(r));
			r->left_out++;
		}
	}
}

void roll_push(struct roll *r, struct au *au, bool moving)
{
	const uint64_t now_ns = au->stamp.clocks.boot_ns;

	/* what begins with an IDR picture can be left out from there on */
	if (au->idr && now_ns > r->until_ns)
		r->recording = false;
	au->next = NULL;
	*r->end = au;
	r->end = &au->next;
	r->bytes += sizeof *au + au->bytes;
	if (!r->recording)
		trim(r, now_ns);
	if (moving) {
		r->recording = true;
		r->until_ns = now_ns + r->after_ns;
	}
}

struct au *roll_take(struct roll *r)
{
	if (!r->recording || !r->head)
		return NULL;
	struct au *au = head_take(r);
	au->next = NULL;
	au->stamp.number -= r->left_out;
	return au;
}

void roll_clear(struct roll *r)
{
	while (r->head) {
		free(head_take(r));
		r->left_out++;
	}
}
