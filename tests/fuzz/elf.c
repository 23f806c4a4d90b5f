/* Fuzz: ELF headers. */
#define _GNU_SOURCE
#include "elf-file.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elf f;
	enum elf_result r = elf_parse(data, size, &f);

	if (strnlen(f.interpreter, sizeof f.interpreter) == sizeof f.interpreter || (r == ELF_NOT && f.program) ||
	        (f.library && f.interpreter[0]) || (f.canary && !f.symbols_known))
		abort();
	return 0;
}
