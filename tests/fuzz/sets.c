/* Fuzz target: parameter sets before IDR pictures. Input: buffers of an encoder, each behind its length in
 * two bytes. Every buffer is an allocation of its own, so that a byte beyond it shows. */
#define _GNU_SOURCE
#include "m2m-sets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct m2m_sets s = {0};

	while (size >= 2) {
		size_t n = (size_t)data[0] << 8 | data[1];
		n = n < size - 2 ? n : size - 2;
		uint8_t *buffer = malloc(n ? n : 1);
		if (!buffer)
			break;
		memcpy(buffer, data + 2, n);
		const uint8_t *p = buffer;
		size_t had = n, out = n;
		bool idr;
		if (m2m_sets_join(&s, &p, &out, &idr)) {
			/* nothing of the picture is lost, and only an IDR picture grows */
			if (out < had || (out > had && !idr) || (p == buffer && out != had) ||
			        (out > had && out != had + s.kept_bytes))
				abort();
		} else if (errno != 0 && errno != EBADMSG && errno != EMSGSIZE) {
			abort();
		}
		free(buffer);
		data += 2 + had;
		size -= 2 + had;
	}
	free(s.joined);
	return 0;
}
