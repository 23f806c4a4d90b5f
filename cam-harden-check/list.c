#define _GNU_SOURCE
#include "list.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A name of a file can hold anything; evidence is read by people and goes into JSON. */
void list_clean(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || (unsigned char)*s >= 0x7f)
			*s = '?';
}

void list_add(struct list *l, const char *fmt, ...)
{
	char text[LIST_ITEM_BYTES];
	va_list ap;

	if (l->n++ >= LIST_ITEMS_MAX)
		return;
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (n >= (int)sizeof text) {
		memcpy(text + sizeof text - 4, "...", 4);
		list_unseen(l, "something too long");
	}
	list_clean(text);
	if (evidence_item(l->e, l->group, l->key, text, l->source) < 0)
		l->full = 1;
}

void list_unseen(struct list *l, const char *why)
{
	l->unseen = l->unseen ? l->unseen : why;
}

int list_end(struct list *l)
{
	char more[64];

	if (l->n > LIST_ITEMS_MAX) {
		snprintf(more, sizeof more, "and %lu more", l->n - LIST_ITEMS_MAX);
		l->full |= evidence_rest(l->e, l->group, l->key, more, l->source) < 0;
	}
	/* what was found stands, and fails; only where nothing was found does the rest decide */
	if (l->unseen && l->n) {
		snprintf(more, sizeof more, "(not all was seen: %.40s)", l->unseen);
		l->full |= evidence_rest(l->e, l->group, l->key, more, l->source) < 0;
	} else if (l->unseen)
		l->full |= evidence_unseen(l->e, l->group, l->key, l->unseen) < 0;
	else if (!l->n)
		l->full |= evidence_none(l->e, l->group, l->key, l->source) < 0;
	return l->full ? -1 : 0;
}

int fact_put(struct evidence *e, const char *group, const char *key, const char *value, const char *source)
{
	char text[LIST_ITEM_BYTES];

	if (!value)
		return evidence_none(e, group, key, source);
	if (snprintf(text, sizeof text, "%s", value) >= (int)sizeof text)
		return evidence_unseen(e, group, key, "a value that is too long");
	list_clean(text);
	return evidence_fact(e, group, key, text, source);
}
