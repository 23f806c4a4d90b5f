#define _GNU_SOURCE
#include "review.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REVIEW_ITEMS_MAX = 256 };

static const char blanks[] = " \t";

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The elements sorted, with commas between them; a comma or \ within one has a \ before it. -1: they do not
 * fit. */
static int review_list(char *out, size_t max, const struct fact *f)
{
	const char *item[REVIEW_ITEMS_MAX] = {NULL};
	size_t items = 0, n = 0;

	for (; f; f = f->next) {
		if (f->kind != FACT_ITEM)
			continue;
		if (items == REVIEW_ITEMS_MAX)
			return -1;
		item[items++] = f->value;
	}
	qsort(item, items, sizeof *item, by_text);
	for (size_t i = 0; i < items; i++) {
		if (i)
			out[n++] = ',';
		for (const char *s = item[i]; *s; s++) {
			if (n + 4 > max)
				return -1;
			if (*s == ',' || *s == '\\')
				out[n++] = '\\';
			out[n++] = *s;
		}
		if (n + 4 > max)
			return -1;
	}
	out[n] = 0;
	return 0;
}

static char *trim(char *s)
{
	s += strspn(s, blanks);
	for (size_t n = strlen(s); n && strchr(blanks, s[n - 1]);)
		s[--n] = 0;
	return s;
}

int review_text(char *out, size_t max, const struct fact *f)
{
	char raw[REVIEW_BYTES_MAX];

	if (f->kind == FACT_ITEM ? review_list(raw, sizeof raw, f) < 0
	                         : snprintf(raw, sizeof raw, "%s", f->value) >= (int)sizeof raw)
		return -1;
	const char *v = trim(raw);
	int quoted = !*v || *v == '"' || strcmp(v, "-") == 0 || strcmp(v, REVIEW_NOT_THERE) == 0;
	return snprintf(out, max, quoted ? "\"%s\"" : "%s", v) < (int)max ? 0 : -1;
}
