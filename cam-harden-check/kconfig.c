#define _GNU_SOURCE
#include "kconfig.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *linux_name, *name;
} architectures[] = {{"x86", "amd64"}, {"x86_64", "amd64"}, {"i386", "i386"}};

static void arch_put(char out[16], const char *name, size_t n)
{
	for (size_t i = 0; i < sizeof architectures / sizeof *architectures; i++)
		if (strlen(architectures[i].linux_name) == n &&
		        memcmp(architectures[i].linux_name, name, n) == 0) {
			snprintf(out, 16, "%s", architectures[i].name);
			return;
		}
	snprintf(out, 16, "%.*s", (int)(n < 15 ? n : 15), name);
}

/* "# Linux/arm64 6.12.0 Kernel Configuration" */
static void head_take(const char *line, struct kconfig_head *head)
{
	const char *s = line + strlen("# Linux/"), *blank = strchr(s, ' ');
	const char *end = blank ? strstr(blank, " Kernel Configuration") : NULL;

	if (!end || end == blank || head->arch[0])
		return;
	arch_put(head->arch, s, (size_t)(blank - s));
	size_t n = strspn(blank + 1, "0123456789.");
	while (n && blank[n] == '.')
		n--;
	snprintf(head->version, sizeof head->version, "%.*s", (int)(n < 63 ? n : 63), blank + 1);
}

static size_t symbol_length(const char *s)
{
	size_t n = strlen("CONFIG_");

	if (strncmp(s, "CONFIG_", n) != 0)
		return 0;
	while (isalnum((unsigned char)s[n]) || s[n] == '_')
		n++;
	return n > strlen("CONFIG_") ? n : 0;
}

/* Takes quotes and backslashes off, in place. -1 when the string does not end. */
static int unquote(char *s)
{
	char *to = s;

	for (s++; *s && *s != '"'; s++) {
		if (*s == '\\' && s[1])
			s++;
		*to++ = *s;
	}
	if (*s != '"' || s[1])
		return -1;
	*to = 0;
	return 0;
}

static const char *set_take(
        char *line, size_t n, const char *source, struct evidence *e, struct kconfig_head *head)
{
	char *value = line + n + 1;

	line[n] = 0;
	if (!*value)
		return "a symbol without a value: cut off?";
	if (*value == '"' && unquote(value) < 0)
		return "a string that does not end: cut off?";
	if (e && evidence_fact(e, "kconfig", line, value, source) < 0)
		return "a value that cannot be kept: too long or with control characters";
	head->symbols++;
	return NULL;
}

static const char *line_take(char *line, const char *source, struct evidence *e, struct kconfig_head *head)
{
	size_t n;

	if (strncmp(line, "# Linux/", 8) == 0) {
		head_take(line, head);
		return NULL;
	}
	if (strncmp(line, "# end of ", 9) == 0) {
		head->menus++;
		head->last_menu |= strcmp(line, "# end of Kernel hacking") == 0;
		return NULL;
	}
	if (strncmp(line, "# ", 2) == 0 && (n = symbol_length(line + 2)) &&
	        strcmp(line + 2 + n, " is not set") == 0) {
		line[2 + n] = 0;
		if (e && evidence_fact(e, "kconfig", line + 2, "n", source) < 0)
			return "a symbol that cannot be kept";
		head->unset++;
		return NULL;
	}
	if (!*line || *line == '#')
		return NULL;
	if ((n = symbol_length(line)) && line[n] == '=')
		return set_take(line, n, source, e, head);
	return "a line that is neither a symbol nor a comment";
}

/* Since Linux 5.3 the ends of menus are marked. */
static int marks_menus(const char *version)
{
	char *end;
	unsigned long major = strtoul(version, &end, 10);
	unsigned long minor = *end == '.' ? strtoul(end + 1, NULL, 10) : 0;

	return major > 5 || (major == 5 && minor >= 3);
}

static const char *head_judge(const struct kconfig_head *head)
{
	if (!head->arch[0])
		return "no \"Linux/ARCH VERSION Kernel Configuration\" in its head";
	if (head->symbols < KCONFIG_SYMBOLS_MIN)
		return "too few symbols for a whole configuration: cut off, or a fragment";
	if (head->unset < KCONFIG_UNSET_MIN)
		return "hardly a symbol is not set: a defconfig or a fragment, not a whole configuration";
	if (!head->last_menu && (head->menus || marks_menus(head->version)))
		return "its last menu, Kernel hacking, does not end: cut off?";
	return NULL;
}

int kconfig_parse(char *text, size_t n, const char *source, struct evidence *e, struct kconfig_head *head,
        const char **why)
{
	*why = NULL;
	memset(head, 0, sizeof *head);
	if (!n)
		*why = "empty";
	else if (memchr(text, 0, n))
		*why = "not a text";
	else if (text[n - 1] != '\n')
		*why = "the last line does not end: cut off?";
	for (char *line = text, *end = text + n; line < end && !*why;) {
		char *newline = memchr(line, '\n', (size_t)(end - line));
		*newline = 0;
		*why = line_take(line, source, e, head);
		line = newline + 1;
	}
	if (!*why)
		*why = head_judge(head);
	return *why ? -1 : 0;
}
