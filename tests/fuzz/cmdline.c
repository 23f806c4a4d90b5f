/* libFuzzer: the kernel's command line. Sources: cam-harden-check/cmdline.c, cam-harden-check/evidence.c. */
#include "cmdline.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *why;
	struct evidence *e = evidence_new();
	char *text = malloc(size + 1);
	size_t at = 0;

	if (!e || !text)
		abort();
	memcpy(text, data, size);
	text[size] = 0;
	int r = cmdline_parse(text, "cmdline", "fuzz", e, &why);
	if ((r < 0) != !!why)
		abort();
	/* No name has a blank or a dash in it, and of all but consoles there is one value. */
	for (const struct fact *f; (f = evidence_next_key(e, &at));) {
		if (strcmp(f->key, "--") != 0 && strpbrk(f->key, "-\t\n"))
			abort();
		if (f->kind == FACT_VALUE && f->next)
			abort();
	}
	evidence_free(e);
	free(text);
	return 0;
}
