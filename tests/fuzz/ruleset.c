/* Fuzz: nft's JSON. Whatever it says, each of the six hooks is judged or not seen, and never twice. */
#define _GNU_SOURCE
#include "evidence.h"
#include "ruleset.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const keys[] = {"nft:ip:input", "nft:ip:forward", "nft:ip:output", "nft:ip6:input", "nft:ip6:forward",
	        "nft:ip6:output", "nft:accept-everything", "nft:egress-uid"};
	struct evidence *e = evidence_new();

	if (!e)
		return 0;
	if (ruleset_judge((const char *)data, size, true, false, e) == 0 && !evidence_overflow(e))
		for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
			const struct fact *f = evidence_first(e, "net", keys[i]);
			if (!f || (i < 6 && f->next))
				abort();
			if (i < 6 && f->kind == FACT_VALUE && strcmp(f->value, "drop") != 0 && strcmp(f->value, "accept") != 0)
				abort();
		}
	evidence_free(e);
	return 0;
}
