#define _GNU_SOURCE
#include "cmdline.h"

#include <ctype.h>
#include <string.h>

struct parameter {
	char *name, *value;
};

/* The kernel's next_arg(): quotes keep blanks together and are not part of the value. */
static char *parameter_next(char *s, struct parameter *p)
{
	int quoted = *s == '"', in = quoted;
	char *equals = NULL, *start = s + quoted, *end;

	for (end = start; *end && (in || !isspace((unsigned char)*end)); end++) {
		if (*end == '=' && !equals)
			equals = end;
		if (*end == '"')
			in = !in;
	}
	char *next = *end ? end + 1 : end;
	*end = 0;
	if (quoted && end > start && end[-1] == '"')
		end[-1] = 0;
	p->name = start;
	p->value = NULL;
	if (equals) {
		*equals = 0;
		p->value = equals + 1;
		size_t n = strlen(p->value);
		if (*p->value == '"') {
			p->value++;
			n--;
			if (n && p->value[n - 1] == '"')
				p->value[n - 1] = 0;
		}
	}
	return next;
}

static void name_settle(char *name)
{
	for (; *name; name++)
		if (*name == '-')
			*name = '_';
}

static int every_one_counts(const char *name)
{
	return strcmp(name, "console") == 0 || strcmp(name, "earlycon") == 0 ||
	       strcmp(name, "module_blacklist") == 0;
}

static int parameters_put(
        const struct parameter *p, size_t n, const char *group, const char *source, struct evidence *e)
{
	for (size_t i = 0; i < n; i++) {
		int repeated = 0;
		for (size_t j = i + 1; j < n; j++)
			repeated |= strcmp(p[i].name, p[j].name) == 0;
		char none[] = "", *value = p[i].value ? p[i].value : none;
		if (strcmp(p[i].name, "console") == 0)
			value[strcspn(value, ",")] = 0; /* the device, without speed and parity */
		int r = every_one_counts(p[i].name) ? evidence_item(e, group, p[i].name, value, source)
		        : repeated                  ? 0
		                                    : evidence_fact(e, group, p[i].name, value, source);
		if (r < 0)
			return -1;
	}
	return 0;
}

int cmdline_parse(char *text, const char *group, const char *source, struct evidence *e, const char **why)
{
	struct parameter p[CMDLINE_PARAMETERS_MAX];
	size_t n = 0, length = strlen(text);

	*why = length > CMDLINE_BYTES_MAX ? "longer than a kernel takes" : NULL;
	for (char *s = text; *s; s++)
		if (isspace((unsigned char)*s))
			*s = ' ';
	while (length && text[length - 1] == ' ')
		text[--length] = 0;
	for (char *s = text; !*why;) {
		while (isspace((unsigned char)*s))
			s++;
		if (!*s)
			break;
		if (n == CMDLINE_PARAMETERS_MAX) {
			*why = "too many parameters";
			break;
		}
		if (strncmp(s, "--", 2) == 0 && (!s[2] || isspace((unsigned char)s[2]))) {
			if (evidence_fact(e, group, "--", s[2] ? s + 3 : "", source) < 0)
				*why = "what is for init cannot be kept";
			break;
		}
		s = parameter_next(s, &p[n]);
		name_settle(p[n].name);
		n += *p[n].name != 0;
	}
	if (!*why && parameters_put(p, n, group, source, e) < 0)
		*why = "a parameter that cannot be kept: too long or with control characters";
	return *why ? -1 : 0;
}
