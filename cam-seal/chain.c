#include "chain.h"

#include <stdlib.h>
#include <string.h>

static int camera_is(const struct chain_camera *k, const struct record_header *h)
{
	return k->channel == h->channel && k->kind == h->kind &&
	       memcmp(k->device_pk, h->device_pk, sizeof k->device_pk) == 0;
}

/* The camera of this header. make: a new one when it is not known, in place of the longest unused one when
 * there is no room. */
static struct chain_camera *camera_find(struct chain *c, const struct record_header *h, int make)
{
	struct chain_camera **place = &c->camera[0];

	for (int i = 0; i < CHAIN_CAMERAS_MAX; i++) {
		struct chain_camera *k = c->camera[i];
		if (k && camera_is(k, h)) {
			k->used = ++c->clock;
			return k;
		}
		if (*place && (!k || k->used < (*place)->used))
			place = &c->camera[i];
	}
	if (!make)
		return NULL;
	if (!*place && !(*place = malloc(sizeof **place)))
		return NULL;
	memset(*place, 0, sizeof **place);
	memcpy((*place)->device_pk, h->device_pk, sizeof h->device_pk);
	(*place)->channel = h->channel;
	(*place)->kind = h->kind;
	(*place)->oldest_epoch = UINT64_MAX;
	(*place)->used = ++c->clock;
	return *place;
}

static struct chain_position *mark_find(
        struct chain_camera *k, uint64_t epoch, const uint8_t *stream, uint32_t segment, uint32_t record)
{
	unsigned n = k->marks < CHAIN_MARKS_MAX ? k->marks : CHAIN_MARKS_MAX;
	for (unsigned i = 0; i < n; i++) {
		struct chain_position *m = &k->mark[i];
		if (m->epoch == epoch && m->segment == segment && m->record == record &&
		        memcmp(m->stream, stream, sizeof m->stream) == 0)
			return m;
	}
	return NULL;
}

/* Was this epoch seen under another stream id? */
static int epoch_cloned(const struct chain_camera *k, const struct record_header *h)
{
	unsigned n = k->marks < CHAIN_MARKS_MAX ? k->marks : CHAIN_MARKS_MAX;
	for (unsigned i = 0; i < n; i++)
		if (k->mark[i].epoch == h->epoch &&
		        memcmp(k->mark[i].stream, h->prefix.stream, sizeof k->mark[i].stream) != 0)
			return 1;
	return 0;
}

static int position_compare(uint64_t epoch, uint32_t segment, const struct chain_position *p)
{
	if (epoch != p->epoch)
		return epoch < p->epoch ? -1 : 1;
	return segment < p->segment ? -1 : segment > p->segment;
}

static void position_add(struct chain_camera *k, const struct record_header *h, const struct record_prefix *p,
        const uint8_t *hash)
{
	struct chain_position *m = &k->mark[k->marks++ % CHAIN_MARKS_MAX];

	m->epoch = h->epoch;
	memcpy(m->stream, p->stream, sizeof m->stream);
	m->segment = p->segment;
	m->record = p->record;
	m->type = p->type;
	m->whole = 0;
	memcpy(m->hash, hash, sizeof m->hash);
	if (k->marks == 1 || position_compare(h->epoch, p->segment, &k->newest) >= 0)
		k->newest = *m;
}

static void oldest_update(struct chain_camera *k, const struct record_header *h)
{
	if (h->epoch > k->oldest_epoch ||
	        (h->epoch == k->oldest_epoch && h->prefix.segment >= k->oldest_segment))
		return;
	k->oldest_epoch = h->epoch;
	k->oldest_segment = h->prefix.segment;
}

/* Does the header link to a mark that was seen? Any that is remembered will do: after a power cut the camera
 * may have forgotten its last ones. */
static enum chain_place link_place(struct chain_camera *k, const struct record_header *h)
{
	const struct record_link *l = &h->previous;

	if (l->previous == RECORD_PREVIOUS_NONE)
		return CHAIN_BROKEN;
	const struct chain_position *m = mark_find(k, l->epoch, l->stream, l->segment, l->record);
	if (!m || memcmp(m->hash, l->hash, sizeof m->hash) != 0 ||
	        (l->previous == RECORD_PREVIOUS_ENDED) != (m->type == RECORD_END))
		return CHAIN_GAP;
	return l->epoch == h->epoch ? CHAIN_FOLLOWS : CHAIN_RESTARTED;
}

static enum chain_place place(struct chain_camera *k, const struct record_header *h, const uint8_t *hash)
{
	const struct chain_position *seen = mark_find(k, h->epoch, h->prefix.stream, h->prefix.segment, 0);

	if (!k->marks)
		return CHAIN_FIRST;
	if (seen && memcmp(seen->hash, hash, sizeof seen->hash) != 0)
		return CHAIN_CONFLICT;
	if (seen)
		return seen->whole ? CHAIN_DUPLICATE : CHAIN_AGAIN;
	if (epoch_cloned(k, h))
		return CHAIN_CLONED;
	if (position_compare(h->epoch, h->prefix.segment, &k->newest) < 0)
		return CHAIN_REORDERED;
	return link_place(k, h);
}

int chain_header(struct chain *c, const struct record_header *h, const uint8_t hash[RECORD_HASH_BYTES],
        struct chain_position *before)
{
	struct chain_camera *k = camera_find(c, h, 1);

	if (!k)
		return -1;
	enum chain_place p = place(k, h, hash);
	oldest_update(k, h);
	*before = k->newest;
	if (p != CHAIN_DUPLICATE && p != CHAIN_AGAIN && p != CHAIN_CONFLICT)
		position_add(k, h, &h->prefix, hash);
	return (int)p;
}

int chain_stub(struct chain *c, const struct record_header *h, const uint8_t hash[RECORD_HASH_BYTES])
{
	struct chain_camera *k = camera_find(c, h, 1);

	if (!k)
		return -1;
	const struct chain_position *seen = mark_find(k, h->epoch, h->prefix.stream, h->prefix.segment, 0);
	oldest_update(k, h);
	if (seen)
		return memcmp(seen->hash, hash, sizeof seen->hash) == 0 ? CHAIN_DUPLICATE : CHAIN_CONFLICT;
	return epoch_cloned(k, h) ? CHAIN_CLONED : CHAIN_FOLLOWS;
}

int chain_link_seen(struct chain *c, const struct record_header *h)
{
	struct chain_camera *k = camera_find(c, h, 0);
	enum chain_place p = k ? link_place(k, h) : CHAIN_GAP;
	return p == CHAIN_FOLLOWS || p == CHAIN_RESTARTED;
}

int chain_older_seen(struct chain *c, const struct record_header *h)
{
	const struct chain_camera *k = camera_find(c, h, 0);
	return k && (k->oldest_epoch < h->epoch ||
	                    (k->oldest_epoch == h->epoch && k->oldest_segment < h->prefix.segment));
}

void chain_mark(struct chain *c, const struct record_header *h, const struct record_prefix *p,
        const uint8_t hash[RECORD_HASH_BYTES])
{
	struct chain_camera *k = camera_find(c, h, 0);
	if (k)
		position_add(k, h, p, hash);
}

void chain_whole(struct chain *c, const struct record_header *h)
{
	struct chain_camera *k = camera_find(c, h, 0);
	struct chain_position *header =
	        k ? mark_find(k, h->epoch, h->prefix.stream, h->prefix.segment, 0) : NULL;

	if (header)
		header->whole = 1;
}

void chain_free(struct chain *c)
{
	for (int i = 0; i < CHAIN_CAMERAS_MAX; i++)
		free(c->camera[i]);
	memset(c, 0, sizeof *c);
}
