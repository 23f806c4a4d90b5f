#define _GNU_SOURCE
#include "device-tree.h"

#include <stdbool.h>
#include <string.h>

enum { MAGIC = 0xd00dfeed, BEGIN_NODE = 1, END_NODE = 2, PROPERTY = 3, NOTHING = 4, END = 9 };

static uint32_t word(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

size_t tree_bytes(const uint8_t *p, size_t n)
{
	if (n < TREE_HEAD_BYTES || word(p) != MAGIC)
		return 0;
	uint32_t total = word(p + 4), version = word(p + 20), compatible = word(p + 24);
	return total < TREE_HEAD_BYTES || total > n || version < 16 || compatible > 17 ? 0 : total;
}

struct walk {
	const uint8_t *structure, *strings;
	size_t structure_n, strings_n, at;
	const char *node[TREE_DEPTH_MAX];
	unsigned depth;
};

static bool token_take(struct walk *w, uint32_t *token)
{
	if (w->structure_n - w->at < 4)
		return false;
	*token = word(w->structure + w->at);
	w->at += 4;
	return true;
}

/* n bytes and what fills them up to a whole word. */
static const uint8_t *bytes_take(struct walk *w, size_t n)
{
	const uint8_t *p = w->structure + w->at;
	size_t whole = (n + 3) & ~(size_t)3;

	if (whole < n || w->structure_n - w->at < whole)
		return NULL;
	w->at += whole;
	return p;
}

static bool node_begin(struct walk *w, tree_look *look, void *arg)
{
	const char *name = (const char *)w->structure + w->at;
	size_t room = w->structure_n - w->at, n = strnlen(name, room);

	if (n == room || w->depth == TREE_DEPTH_MAX || !bytes_take(w, n + 1))
		return false;
	w->node[w->depth++] = name;
	look(arg, w->node, w->depth, NULL, NULL, 0);
	return true;
}

static bool property_take(struct walk *w, tree_look *look, void *arg)
{
	uint32_t n, name;

	if (!w->depth || !token_take(w, &n) || !token_take(w, &name) || name >= w->strings_n)
		return false;
	const uint8_t *value = bytes_take(w, n);
	const char *s = (const char *)w->strings + name;
	if (!value || strnlen(s, w->strings_n - name) == w->strings_n - name)
		return false;
	look(arg, w->node, w->depth, s, value, n);
	return true;
}

/* Where the two blocks lie. Version 16 does not say how long the first is. */
static bool blocks_find(const uint8_t *p, size_t total, struct walk *w)
{
	uint32_t structure = word(p + 8), strings = word(p + 12), strings_n = word(p + 32);

	if (structure > total || strings > total || strings_n > total - strings)
		return false;
	size_t room = total - structure, n = word(p + 20) > 16 ? word(p + 36) : room;
	*w = (struct walk){
	        .structure = p + structure, .structure_n = n, .strings = p + strings, .strings_n = strings_n};
	return n <= room;
}

int tree_walk(const uint8_t *p, size_t n, tree_look *look, void *arg)
{
	size_t total = tree_bytes(p, n);
	struct walk w;
	uint32_t token;
	bool good = total && blocks_find(p, total, &w);

	while (good && token_take(&w, &token))
		switch (token) {
		case BEGIN_NODE: good = node_begin(&w, look, arg); break;
		case PROPERTY: good = property_take(&w, look, arg); break;
		case END_NODE: good = w.depth && w.depth--; break;
		case NOTHING: break;
		case END: return w.depth ? -1 : 0;
		default: good = false;
		}
	return -1;
}
