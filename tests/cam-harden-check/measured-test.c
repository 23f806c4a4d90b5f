/* What measured.py cannot make: a log that grew after the register was read, and one cut off at each byte. */
#define _GNU_SOURCE
#include "measured.h"
#include "tap.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { ENTRIES = 3, ENTRY_BYTES = 4 + 20 + 4 + 6 + 4 + 5 };

static uint8_t log_made[ENTRIES * ENTRY_BYTES], state[ENTRIES + 1][MEASURED_HASH_BYTES];

static void entry_make(unsigned i)
{
	const uint32_t at = MEASURED_IMA, name_n = 6, size = 5;
	static const uint8_t name[] = {'i', 'm', 'a', '-', 'n', 'g'};
	const uint8_t data[5] = {1, 0, 0, 0, (uint8_t)i};
	uint8_t both[2 * MEASURED_HASH_BYTES], *p = log_made + i * ENTRY_BYTES;

	memcpy(p, &at, 4);
	memset(p + 4, 0x5a, 20);
	memcpy(p + 24, &name_n, 4);
	memcpy(p + 28, name, sizeof name);
	memcpy(p + 34, &size, 4);
	memcpy(p + 38, data, sizeof data);
	memcpy(both, state[i], MEASURED_HASH_BYTES);
	crypto_hash_sha256(both + MEASURED_HASH_BYTES, data, sizeof data);
	crypto_hash_sha256(state[i + 1], both, sizeof both);
}

static int parse(size_t n, const uint8_t *before, bool *reached, struct measured *m)
{
	uint8_t *p = malloc(n + !n); /* its own, so that a byte too far is seen */
	if (!p)
		abort();
	memcpy(p, log_made, n);
	int r = measured_ima(p, n, before, reached, m);
	free(p);
	return r;
}

int main(void)
{
	static struct measured m;
	bool reached;

	for (unsigned i = 0; i < ENTRIES; i++)
		entry_make(i);
	for (unsigned i = 0; i <= ENTRIES; i++)
		ok(parse(sizeof log_made, state[i], &reached, &m) == 0 && reached &&
		                memcmp(m.value[MEASURED_IMA], state[ENTRIES], MEASURED_HASH_BYTES) == 0,
		        "a register as it was after %u of %d", i, ENTRIES);
	ok(parse(ENTRY_BYTES, state[2], &reached, &m) == 0 && !reached, "one that the log never had");
	int whole = 0;
	for (size_t n = 0; n <= sizeof log_made; n++)
		whole += parse(n, state[0], &reached, &m) == 0;
	ok(whole == ENTRIES + 1, "whole only at the end of an entry");
	log_made[0] = MEASURED_REGISTERS;
	ok(parse(sizeof log_made, state[0], &reached, &m) == -1, "a register that no TPM has");
	return tap_done();
}
