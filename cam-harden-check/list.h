/* list: one list of the evidence while it is being put together: an end without elements says that there are
 * none, and more elements than a person would read are counted. */
#ifndef LIST_H
#define LIST_H
#include "evidence.h"

enum { LIST_ITEMS_MAX = 200, LIST_ITEM_BYTES = 512 };

struct list {
	struct evidence *e;
	const char *group, *key, *source;
	unsigned long n;
	const char *unseen; /* why it is not whole, or NULL */
	int full;           /* the evidence is */
};

/* Control characters become '?'; what is too long ends in "...", and the list is not whole. */
void list_add(struct list *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Control characters become '?'. */
void list_clean(char *text);
/* Something of it could not be looked at. */
void list_unseen(struct list *l, const char *why);
/* 0, or -1 when the evidence is full. */
int list_end(struct list *l);
/* The same as list_add's text, for single facts. NULL value: it is not there. */
int fact_put(struct evidence *e, const char *group, const char *key, const char *value, const char *source);
#endif
