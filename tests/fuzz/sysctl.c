/* libFuzzer: settings, as dumped and as declared. Sources: cam-harden-check/sysctl.c. */
#include "sysctl.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int each(void *ctx, const char *key, const char *value, unsigned line)
{
	size_t n = strlen(value);

	(void)ctx;
	if (!*key || strpbrk(key, " \t\n") || strchr(value, '\n') || !line)
		abort();
	if (n && (value[0] == ' ' || value[n - 1] == ' ' || strstr(value, "  ") || strchr(value, '\t')))
		abort();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int dump = 0; dump < 2; dump++) {
		const char *why;
		unsigned line;
		char *text = malloc(size + 1);
		if (!text)
			abort();
		memcpy(text, data, size);
		text[size] = 0;
		if ((sysctl_parse(text, size, dump, each, NULL, &why, &line) < 0) != !!why)
			abort();
		free(text);
	}
	return 0;
}
