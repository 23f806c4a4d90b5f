#define _GNU_SOURCE
#include "modprobe.h"

#include <string.h>

static char *word(char **s)
{
	char *w = *s + strspn(*s, " \t");

	*s = w + strcspn(w, " \t");
	if (**s)
		*(*s)++ = 0;
	return w;
}

static int blocks(const char *command)
{
	static const char *const harmless[] = {"/bin/true", "/bin/false", "/usr/bin/true", "/usr/bin/false"};

	for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++)
		if (strcmp(command, harmless[i]) == 0)
			return 1;
	return 0;
}

static int line_take(char *line, const char *source, struct evidence *e)
{
	char *verb = word(&line), *module = word(&line), *command = word(&line);

	if (*verb == '#' || !*module)
		return 0;
	for (char *s = module; *s; s++)
		if (*s == '-')
			*s = '_';
	if (strcmp(verb, "install") == 0)
		return evidence_fact(e, "modprobe", module, blocks(command) ? "blocked" : command, source);
	if (strcmp(verb, "blacklist") == 0)
		return evidence_fact(e, "modprobe", module, "blacklisted", source);
	return 0;
}

int modprobe_parse(char *text, size_t n, const char *source, struct evidence *e, const char **why)
{
	*why = memchr(text, 0, n) ? "not a text" : NULL;
	for (char *line = text, *end = text + n; line < end && !*why;) {
		char *newline = memchr(line, '\n', (size_t)(end - line));
		char *next = newline ? newline + 1 : end;
		if (newline)
			*newline = 0;
		if (line_take(line, source, e) < 0)
			*why = "a line that cannot be kept: too long or with control characters";
		line = next;
	}
	return *why ? -1 : 0;
}
