#define _GNU_SOURCE
#include "mountinfo.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* One field up to a space, with \040 and its like undone. The rest, or NULL: no field, or it does not fit. */
static const char *field_take(const char *s, char *out, size_t max)
{
	size_t n = 0;

	s += strspn(s, " ");
	if (!*s)
		return NULL;
	while (*s && *s != ' ') {
		unsigned c = (unsigned char)*s++;
		if (c == '\\' && s[0] >= '0' && s[0] <= '3' && s[1] >= '0' && s[1] <= '7' && s[2] >= '0' &&
		        s[2] <= '7') {
			c = (unsigned)(s[0] - '0') * 64 + (unsigned)(s[1] - '0') * 8 + (unsigned)(s[2] - '0');
			s += 3;
		}
		if (!c || n + 1 >= max)
			return NULL;
		out[n++] = (char)c;
	}
	out[n] = 0;
	return s;
}

/* A decimal number that ends with this character, or at the end of the line when that is 0. */
static const char *number_take(const char *s, char end, unsigned *out)
{
	uint64_t v = 0;
	const char *begin = s;

	for (; *s >= '0' && *s <= '9'; s++)
		if ((v = v * 10 + (uint64_t)(*s - '0')) > UINT32_MAX)
			return NULL;
	if (s == begin || *s != end)
		return NULL;
	*out = (unsigned)v;
	return end ? s + 1 : s;
}

/* The filesystem's options behind those of the mount. */
static int options_join(struct mount *m, const char *more)
{
	size_t n = strlen(m->options), k = strlen(more);

	if (n + k + 2 > sizeof m->options)
		return -1;
	m->options[n] = ',';
	memcpy(m->options + n + 1, more, k + 1);
	return 0;
}

int mountinfo_parse(const char *line, struct mount *m)
{
	char word[MOUNTINFO_TEXT_BYTES];
	const char *s = line;

	*m = (struct mount){0};
	if (!(s = number_take(s, ' ', &m->id)) || !(s = number_take(s, ' ', &m->parent)) ||
	        !(s = number_take(s, ':', &m->major)) || !(s = number_take(s, ' ', &m->minor)) ||
	        !(s = field_take(s, m->root, sizeof m->root)) ||
	        !(s = field_take(s, m->point, sizeof m->point)) ||
	        !(s = field_take(s, m->options, sizeof m->options)))
		return -1;
	do /* optional fields: shared, master, ... */
		if (!(s = field_take(s, word, sizeof word)))
			return -1;
	while (strcmp(word, "-") != 0);
	if (!(s = field_take(s, m->type, sizeof m->type)))
		return -1;
	/* an empty source is two blanks in a row */
	if (strncmp(s, "  ", 2) != 0 && !(s = field_take(s, m->source, sizeof m->source)))
		return -1;
	if (!(s = field_take(s, word, sizeof word)) || *s)
		return -1;
	return options_join(m, word);
}

const char *mount_value(const struct mount *m, const char *name, unsigned long *n)
{
	size_t k = strlen(name);

	for (const char *s = m->options; *s;) {
		size_t len = strcspn(s, ",");
		if (len > k && strncmp(s, name, k) == 0 && s[k] == '=') {
			*n = len - k - 1;
			return s + k + 1;
		}
		s += len + (s[len] == ',');
	}
	return NULL;
}

int mount_has(const struct mount *m, const char *option)
{
	size_t k = strlen(option);

	for (const char *s = m->options; *s;) {
		size_t len = strcspn(s, ",");
		if (len == k && strncmp(s, option, k) == 0)
			return 1;
		s += len + (s[len] == ',');
	}
	return 0;
}

int mount_holds_files(const struct mount *m)
{
	static const char *const none[] = {"proc", "sysfs", "devpts", "cgroup", "cgroup2", "securityfs",
	        "selinuxfs", "tracefs", "debugfs", "pstore", "efivarfs", "mqueue", "configfs", "fusectl",
	        "binfmt_misc", "nsfs", "autofs", "bpf", "rpc_pipefs"};

	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		if (strcmp(m->type, none[i]) == 0)
			return 0;
	return 1;
}
