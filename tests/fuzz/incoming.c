/* Fuzz target for record reassembly (cam-spool/incoming.c). The first byte chooses the size of the pieces.
 * Whatever the bytes are: every one is either part of an accepted record or counted as passed over, records
 * come in order, and the pieces make no difference.
 *
 * Sources: tests/fuzz/incoming.c cam-spool/incoming.c lib/record.c; libsodium; -Icam-spool -Ilib */
#include "incoming.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct outcome {
	uint64_t taken, passed, events;
	uint8_t hash[32];
};

static void check(int good)
{
	if (!good)
		abort();
}

static void pull(
        struct incoming *in, struct outcome *o, crypto_generichash_state *st, uint32_t *last, int final)
{
	enum incoming_event e;

	while ((e = incoming_pull(in, final)) != INCOMING_MORE) {
		o->events++;
		if (e == INCOMING_GAP) {
			check(in->told.bytes > 0);
			o->passed += in->told.bytes;
			continue;
		}
		check(in->record_bytes >= RECORD_PREFIX_BYTES && in->record_bytes <= RECORD_BYTES_MAX);
		check(in->record >= in->bytes && in->record + in->record_bytes <= in->bytes + in->have);
		check(in->record_offset == o->taken + o->passed);
		check(e == INCOMING_HEADER ? in->last == 0
		                           : in->last > *last && in->missing == in->last - *last - 1);
		*last = in->last;
		check(in->open == (e != INCOMING_END));
		o->taken += in->record_bytes;
		crypto_generichash_update(st, in->record, in->record_bytes);
	}
}

static void run(struct outcome *o, const uint8_t *p, size_t n, size_t step)
{
	static struct incoming in;
	crypto_generichash_state st;
	size_t total = n;
	uint32_t last = 0;

	memset(&in, 0, sizeof in);
	memset(o, 0, sizeof *o);
	crypto_generichash_init(&st, NULL, 0, sizeof o->hash);
	while (n) {
		size_t room, wants = incoming_wants(&in);
		uint8_t *to = incoming_room(&in, &room);
		check(room > 0 && wants > 0 && wants <= room);
		size_t k = step ? step : wants;
		k = k < room ? k : room;
		k = k < n ? k : n;
		memcpy(to, p, k);
		incoming_pushed(&in, k);
		p += k;
		n -= k;
		pull(&in, o, &st, &last, 0);
	}
	pull(&in, o, &st, &last, 1);
	crypto_generichash_final(&st, o->hash, sizeof o->hash);
	check(o->taken + o->passed == total);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const size_t steps[] = {0, 1, 7, 24, 100, 4095, 4097};
	struct outcome whole, pieces;

	if (sodium_init() < 0 || !n)
		return 0;
	run(&whole, p + 1, n - 1, INCOMING_BYTES);
	run(&pieces, p + 1, n - 1, steps[*p % (sizeof steps / sizeof *steps)]);
	check(memcmp(&whole, &pieces, sizeof whole) == 0);
	return 0;
}
