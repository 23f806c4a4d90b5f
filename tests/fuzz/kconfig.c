/* libFuzzer: kernel configurations. Sources: cam-harden-check/kconfig.c, cam-harden-check/evidence.c. */
#include "kconfig.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kconfig_head looked, head;
	const char *why, *again;
	struct evidence *e = evidence_new();
	char *text = malloc(size + 1), *copy = malloc(size + 1);

	if (!e || !text || !copy)
		abort();
	memcpy(text, data, size);
	memcpy(copy, data, size);
	text[size] = copy[size] = 0;
	int only = kconfig_parse(copy, size, "fuzz", NULL, &looked, &why);
	int r = kconfig_parse(text, size, "fuzz", e, &head, &again);
	/* Looking and taking come to the same answer, but for what evidence refuses to keep. */
	if (only == 0 && r == 0 && memcmp(&looked, &head, sizeof head) != 0)
		abort();
	if ((only < 0) != !!why || (r < 0) != !!again || (only < 0 && r == 0))
		abort();
	if (r == 0 && (head.symbols < KCONFIG_SYMBOLS_MIN || head.unset < KCONFIG_UNSET_MIN || !head.arch[0]))
		abort();
	evidence_free(e);
	free(text);
	free(copy);
	return 0;
}
