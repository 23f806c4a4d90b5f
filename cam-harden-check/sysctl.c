#define _GNU_SOURCE
#include "sysctl.h"

#include <string.h>

/* The first separator that comes decides: a/b.c is a, then b.c. */
void sysctl_key_settle(char *key)
{
	char *first = strpbrk(key, "./");

	if (!first || *first == '.')
		return;
	for (; *key; key++)
		*key = (char)(*key == '/' ? '.' : *key == '.' ? '/' : *key);
}

void sysctl_value_settle(char *value)
{
	char *to = value;

	for (char *from = value; *from; from++) {
		int blank = *from == ' ' || *from == '\t';
		if (blank && (to == value || to[-1] == ' '))
			continue;
		*to++ = (char)(blank ? ' ' : *from);
	}
	if (to > value && to[-1] == ' ')
		to--;
	*to = 0;
}

/* -1 when it is no setting. */
static int setting_take(char *line, sysctl_each *each, void *ctx, unsigned number, const char **why)
{
	char *equals = strchr(line, '='), *key = line;

	if (!equals)
		return -1;
	*equals = 0;
	sysctl_value_settle(equals + 1);
	sysctl_value_settle(key);
	if (!*key || strchr(key, ' '))
		return -1;
	sysctl_key_settle(key);
	if (each(ctx, key, equals + 1, number) < 0)
		*why = "a setting that cannot be kept: too long or with control characters";
	return 0;
}

int sysctl_parse(
        char *text, size_t n, int dump, sysctl_each *each, void *ctx, const char **why, unsigned *number)
{
	*number = 0;
	*why = memchr(text, 0, n) ? "not a text" : NULL;
	if (dump && (!n || text[n - 1] != '\n'))
		*why = n ? "the last line does not end: cut off?" : "empty";
	for (char *line = text, *end = text + n; line < end && !*why;) {
		char *newline = memchr(line, '\n', (size_t)(end - line));
		char *next = newline ? newline + 1 : end;
		++*number;
		if (newline)
			*newline = 0;
		char *s = line + strspn(line, " \t");
		int comment = !*s || *s == '#' || *s == ';';
		if (*s == '-')
			s++;
		if ((size_t)(next - line) > SYSCTL_LINE_BYTES_MAX)
			*why = "too long";
		else if (!comment && setting_take(s, each, ctx, *number, why) < 0 && dump)
			*why = "not KEY = VALUE";
		line = next;
	}
	return *why ? -1 : 0;
}
