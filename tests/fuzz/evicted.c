/* What a report may say, in pieces of any length, against stubs of two cameras. */
#include "evicted.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const uint8_t camera[2][RECORD_PK_BYTES] = {{1}, {2}};
	struct record_header h = {.prefix = {.segment = 7}};
	size_t stubs = 0;

	memcpy(h.prefix.stream, "\x01\x23\x45\x67\x89\xab\xcd\xef", sizeof h.prefix.stream);
	for (size_t i = 0; i < 2; i++) {
		memcpy(h.device_pk, camera[i], sizeof h.device_pk);
		stubs += evicted_stub(&h) == 0;
	}
	for (size_t at = 0, step; at < n; at += step) {
		step = 1 + p[at] % 61;
		step = step < n - at ? step : n - at;
		if (evicted_report(camera[p[at] & 1], p + at, step) < 0)
			abort();
	}
	if (evicted_named() > stubs)
		abort();
	evicted_free();
	return 0;
}
