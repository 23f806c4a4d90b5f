#define _GNU_SOURCE
#include "secret-key.h"

#include <string.h>

static bool is_base64(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
	       c == '_';
}

static bool key_line(const char *s, size_t n)
{
	size_t at = 0, run = 0;

	if (n > 8 && s[4] == '-' && s[7] == ' ')
		at = 8; /* a month */
	for (; at < n && is_base64(s[at]); at++)
		run++;
	if (run < 43 || at >= n || s[at] != ' ')
		return false;
	at++;
	return (n - at > 6 && memcmp(s + at, "plain ", 6) == 0) ||
	       (n - at > 9 && memcmp(s + at, "argon2id ", 9) == 0);
}

bool secret_key_is_in(const char *text, size_t n, const char *word)
{
	size_t k = strlen(word);
	const char *end = text + n, *s = text;

	while ((s = memmem(s, (size_t)(end - s), word, k))) {
		const char *after = s + k;
		if ((s == text || s[-1] == '\n') && after < end && *after == ' ' &&
		        key_line(after + 1, (size_t)(end - after - 1)))
			return true;
		s = after;
	}
	return false;
}
