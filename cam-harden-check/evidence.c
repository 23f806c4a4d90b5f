#define _GNU_SOURCE
#include "evidence.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES = 256 << 10, GROUPS_MAX = 64, SLOTS_FIRST = 1024 };

struct chunk {
	struct chunk *next;
	size_t used, room;
	char bytes[];
};

/* What has been said of a whole group. */
struct group {
	const char *name, *unseen, *whole;
	struct fact missing; /* stands for each key without a fact, when it has a value */
};

struct evidence {
	struct chunk *chunk;
	size_t bytes;
	struct fact **slot; /* first fact of a key, open addressing */
	size_t slots, keys, facts;
	struct fact **order; /* the same in the order of coming; room for slots / 2 */
	struct group group[GROUPS_MAX];
	size_t groups;
	int overflow;
	char overflow_what[512];
};

struct evidence *evidence_new(void)
{
	return calloc(1, sizeof(struct evidence));
}

void evidence_free(struct evidence *e)
{
	if (!e)
		return;
	for (struct chunk *c = e->chunk, *next; c; c = next) {
		next = c->next;
		free(c);
	}
	free(e->slot);
	free(e->order);
	free(e);
}

static int refused(struct evidence *e, const char *group, const char *key, int err)
{
	if (!e->overflow)
		snprintf(e->overflow_what, sizeof e->overflow_what, "%.64s:%.256s: %s", group, key,
		        err == EINVAL ? "too long, or unprintable" : strerror(err));
	e->overflow = 1;
	errno = err;
	return -1;
}

/* --- strings --- */

static void *bytes_take(struct evidence *e, size_t n)
{
	n = (n + 7) & ~(size_t)7;
	if (!e->chunk || e->chunk->room - e->chunk->used < n) {
		size_t room = n > CHUNK_BYTES ? n : CHUNK_BYTES;
		if (e->bytes + room > EVIDENCE_BYTES_MAX) {
			errno = E2BIG;
			return NULL;
		}
		struct chunk *c = malloc(sizeof *c + room);
		if (!c)
			return NULL;
		*c = (struct chunk){.next = e->chunk, .room = room};
		e->chunk = c;
		e->bytes += room;
	}
	void *p = e->chunk->bytes + e->chunk->used;
	e->chunk->used += n;
	return p;
}

/* Printable, UTF-8 passed through but for the control characters in it (U+0080 to U+009F); tabs come in
 * values of sysctls. */
static int acceptable(const char *s, size_t max)
{
	size_t n = 0;

	for (; s[n]; n++) {
		unsigned char c = (unsigned char)s[n], next = (unsigned char)s[n + 1];
		if (n >= max || (c < 0x20 && c != '\t') || c == 0x7f ||
		        (c == 0xc2 && next >= 0x80 && next < 0xa0))
			return 0;
	}
	return 1;
}

static const char *copy(struct evidence *e, const char *s)
{
	size_t n = strlen(s) + 1;
	char *p = bytes_take(e, n);
	return p ? memcpy(p, s, n) : NULL;
}

/* Sources and groups repeat: the newest copy is used again. */
static const char *copy_again(struct evidence *e, const char *s, const char *last)
{
	return last && strcmp(last, s) == 0 ? last : copy(e, s);
}

/* --- keys --- */

static uint64_t hash(const char *group, const char *key)
{
	uint64_t h = 0xcbf29ce484222325; /* FNV-1a */

	for (const char *s = group; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3;
	h = (h ^ ':') * 0x100000001b3;
	for (const char *s = key; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3;
	return h;
}

/* Where the first fact of the key is or belongs. */
static struct fact **slot_of(const struct evidence *e, const char *group, const char *key)
{
	size_t i = hash(group, key) & (e->slots - 1);

	while (e->slot[i] && (strcmp(e->slot[i]->key, key) != 0 || strcmp(e->slot[i]->group, group) != 0))
		i = (i + 1) & (e->slots - 1);
	return &e->slot[i];
}

static int slots_grow(struct evidence *e)
{
	size_t slots = e->slots ? e->slots * 2 : SLOTS_FIRST;
	struct fact **slot = calloc(slots, sizeof(struct fact *));
	struct fact **order = realloc(e->order, slots / 2 * sizeof(struct fact *));

	if (order)
		e->order = order;
	if (!slot || !order) {
		free(slot);
		return -1;
	}
	free(e->slot);
	e->slot = slot;
	e->slots = slots;
	for (size_t i = 0; i < e->keys; i++)
		*slot_of(e, order[i]->group, order[i]->key) = order[i];
	return 0;
}

static int add(struct evidence *e, enum fact_kind kind, const char *group, const char *key, const char *value,
        const char *source)
{
	if (!*key || !acceptable(group, EVIDENCE_KEY_BYTES_MAX) || !acceptable(key, EVIDENCE_KEY_BYTES_MAX) ||
	        !acceptable(value, EVIDENCE_VALUE_BYTES_MAX) || !acceptable(source, EVIDENCE_VALUE_BYTES_MAX))
		return refused(e, group, key, EINVAL);
	if (e->facts >= EVIDENCE_FACTS_MAX)
		return refused(e, group, key, E2BIG);
	if (e->keys >= e->slots / 2 && slots_grow(e) < 0)
		return refused(e, group, key, ENOMEM);
	const struct fact *last = e->keys ? e->order[e->keys - 1] : NULL;
	struct fact **slot = slot_of(e, group, key), *f = bytes_take(e, sizeof *f);
	if (!f)
		return refused(e, group, key, errno);
	*f = (struct fact){.kind = kind,
	        .group = copy_again(e, group, last ? last->group : NULL),
	        .key = *slot ? (*slot)->key : copy(e, key),
	        .value = copy_again(e, value, last ? last->value : NULL),
	        .source = copy_again(e, source, last ? last->source : NULL)};
	if (!f->group || !f->key || !f->value || !f->source)
		return refused(e, group, key, errno);
	e->facts++;
	if (!*slot) {
		e->order[e->keys++] = f;
		*slot = f;
		return 0;
	}
	struct fact *end = *slot;
	while (end->next)
		end = (struct fact *)end->next;
	end->next = f;
	return 0;
}

/* --- groups --- */

static struct group *group_find(const struct evidence *e, const char *name)
{
	for (size_t i = 0; i < e->groups; i++)
		if (strcmp(e->group[i].name, name) == 0)
			return (struct group *)&e->group[i];
	return NULL;
}

static struct group *group_make(struct evidence *e, const char *name)
{
	struct group *g = group_find(e, name);

	if (g)
		return g;
	if (e->groups == GROUPS_MAX) {
		errno = E2BIG;
		return NULL;
	}
	g = &e->group[e->groups];
	if (!(g->name = copy(e, name)))
		return NULL;
	e->groups++;
	return g;
}

/* --- what collectors call --- */

int evidence_fact(
        struct evidence *e, const char *group, const char *key, const char *value, const char *source)
{
	return add(e, FACT_VALUE, group, key, value, source);
}

int evidence_item(
        struct evidence *e, const char *group, const char *key, const char *item, const char *source)
{
	return add(e, FACT_ITEM, group, key, item, source);
}

int evidence_rest(
        struct evidence *e, const char *group, const char *key, const char *what, const char *source)
{
	return add(e, FACT_REST, group, key, what, source);
}

int evidence_none(struct evidence *e, const char *group, const char *key, const char *source)
{
	return add(e, FACT_NONE, group, key, "", source);
}

int evidence_unseen(struct evidence *e, const char *group, const char *key, const char *why)
{
	if (key)
		return add(e, FACT_UNSEEN, group, key, why, why);
	struct group *g = group_make(e, group);
	if (!g || (!g->unseen && !(g->unseen = copy(e, why))))
		return refused(e, group, "*", errno);
	return 0;
}

int evidence_missing(struct evidence *e, const char *group, const char *why)
{
	char both[EVIDENCE_VALUE_BYTES_MAX];
	struct group *g = group_make(e, group);

	if (!g)
		return refused(e, group, "*", errno);
	snprintf(both, sizeof both, "%s%s%s", g->missing.value ? g->missing.value : "",
	        g->missing.value ? "; " : "", why);
	g->missing = (struct fact){
	        .group = g->name, .key = "*", .value = copy(e, both), .source = "", .kind = FACT_UNSEEN};
	return g->missing.value ? 0 : refused(e, group, "*", errno);
}

int evidence_whole(struct evidence *e, const char *group, const char *source)
{
	struct group *g = group_make(e, group);
	if (!g || (!g->whole && !(g->whole = copy(e, source))))
		return refused(e, group, "*", errno);
	return 0;
}

/* --- what the judge asks --- */

const struct fact *evidence_first(const struct evidence *e, const char *group, const char *key)
{
	const struct fact *f = e->slots ? *slot_of(e, group, key) : NULL;
	const struct group *g = f ? NULL : group_find(e, group);

	return g && g->missing.value ? &g->missing : f;
}

const char *evidence_group_unseen(const struct evidence *e, const char *group)
{
	const struct group *g = group_find(e, group);
	return g ? g->unseen : NULL;
}

const char *evidence_group_whole(const struct evidence *e, const char *group)
{
	const struct group *g = group_find(e, group);
	return g ? g->whole : NULL;
}

const struct fact *evidence_next_key(const struct evidence *e, size_t *at)
{
	return *at < e->keys ? e->order[(*at)++] : NULL;
}

const char *evidence_overflow(const struct evidence *e)
{
	return e->overflow ? e->overflow_what : NULL;
}
