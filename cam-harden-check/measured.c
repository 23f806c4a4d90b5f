/* Reads the logs below /sys/kernel/security and the registers below /sys/class/tpm. */
#define _GNU_SOURCE
#include "measured.h"

#include "list.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	LOG_BYTES_MAX = 32 << 20,
	ALGORITHMS_MAX = 16,
	ALGORITHM_SHA256 = 0x0b,
	SHA1_BYTES = 20,
	EVENT_NO_ACTION = 3, /* is logged, and extends nothing */
	FIRMWARE_REGISTERS = 10,
};

static const char group[] = "integrity";

struct bytes {
	const uint8_t *p;
	size_t n;
	bool bad;
};

static const uint8_t *take(struct bytes *b, size_t n)
{
	const uint8_t *p = b->p;

	if (b->n < n) {
		b->bad = true;
		b->n = 0;
		return NULL;
	}
	b->p += n;
	b->n -= n;
	return p;
}

/* Little endian, as the TCG has it. */
static uint32_t number(struct bytes *b, unsigned size)
{
	const uint8_t *p = take(b, size);
	uint32_t v = 0;

	for (unsigned i = 0; p && i < size; i++)
		v |= (uint32_t)p[i] << (8 * i);
	return v;
}

static void extend(struct measured *m, uint32_t i, const uint8_t hash[MEASURED_HASH_BYTES])
{
	uint8_t both[2 * MEASURED_HASH_BYTES];

	memcpy(both, m->value[i], MEASURED_HASH_BYTES);
	memcpy(both + MEASURED_HASH_BYTES, hash, MEASURED_HASH_BYTES);
	crypto_hash_sha256(m->value[i], both, sizeof both);
	m->used[i] = true;
}

/* --- the firmware's --- */

struct algorithms {
	uint32_t id[ALGORITHMS_MAX], bytes[ALGORITHMS_MAX], n;
};

/* The first event, in the older form, says which hashes the others have. */
static int algorithms_take(struct bytes *b, struct algorithms *out)
{
	static const char name[16] = "Spec ID Event03";
	uint32_t register_i = number(b, 4), type = number(b, 4);

	(void)take(b, SHA1_BYTES);
	uint32_t size = number(b, 4);
	struct bytes event = {take(b, size), size, false};
	if (b->bad || register_i != 0 || type != EVENT_NO_ACTION)
		return -1;
	const uint8_t *head = take(&event, sizeof name + 8);
	out->n = number(&event, 4);
	if (event.bad || memcmp(head, name, sizeof name) != 0 || out->n > ALGORITHMS_MAX)
		return -1;
	for (uint32_t i = 0; i < out->n; i++) {
		out->id[i] = number(&event, 2);
		out->bytes[i] = number(&event, 2);
	}
	return event.bad ? -1 : 0;
}

static int digest_bytes(const struct algorithms *a, uint32_t id)
{
	for (uint32_t i = 0; i < a->n; i++)
		if (a->id[i] == id)
			return (int)a->bytes[i];
	return -1;
}

/* The digest by SHA-256 of an event's digests, or NULL. */
static const uint8_t *digests_take(struct bytes *b, const struct algorithms *a)
{
	const uint8_t *found = NULL;
	uint32_t n = number(b, 4);

	for (uint32_t i = 0; i < n && !b->bad; i++) {
		uint32_t id = number(b, 2);
		int size = digest_bytes(a, id);
		const uint8_t *p = size < 0 ? NULL : take(b, (size_t)size);
		b->bad |= !p;
		if (id == ALGORITHM_SHA256 && size == MEASURED_HASH_BYTES)
			found = p;
	}
	return b->bad ? NULL : found;
}

/* "StartupLocality", and how far the register was from zero before anything else. */
static void locality_take(struct measured *out, const uint8_t *event, uint32_t size)
{
	static const char name[16] = "StartupLocality";

	if (size == sizeof name + 1 && memcmp(event, name, sizeof name) == 0)
		out->value[0][MEASURED_HASH_BYTES - 1] = event[sizeof name];
}

int measured_firmware(const uint8_t *p, size_t n, struct measured *out)
{
	struct bytes b = {p, n, false};
	struct algorithms a;

	*out = (struct measured){0};
	if (algorithms_take(&b, &a) < 0)
		return -1;
	while (b.n) {
		uint32_t i = number(&b, 4), type = number(&b, 4);
		const uint8_t *hash = digests_take(&b, &a);
		uint32_t size = number(&b, 4);
		const uint8_t *event = take(&b, size);
		if (b.bad || !hash || i >= MEASURED_REGISTERS)
			return -1;
		if (type != EVENT_NO_ACTION)
			extend(out, i, hash);
		else if (i == 0 && !out->used[0])
			locality_take(out, event, size);
	}
	return 0;
}

/* --- IMA's --- */

static uint32_t native(struct bytes *b)
{
	const uint8_t *p = take(b, 4);
	uint32_t v = 0;

	if (p)
		memcpy(&v, p, 4);
	return v;
}

/* What was measured while it was written is logged as zeros, and extends with ones. */
static void entry_hash(
        const uint8_t *sha1, const uint8_t *data, uint32_t size, uint8_t hash[MEASURED_HASH_BYTES])
{
	if (sodium_is_zero(sha1, SHA1_BYTES))
		memset(hash, 0xff, MEASURED_HASH_BYTES);
	else
		crypto_hash_sha256(hash, data, size);
}

/* Register, SHA-1, name of the template, its data; the first template had no length. */
int measured_ima(const uint8_t *p, size_t n, const uint8_t before[MEASURED_HASH_BYTES], bool *reached,
        struct measured *out)
{
	struct bytes b = {p, n, false};
	uint8_t hash[MEASURED_HASH_BYTES];

	*out = (struct measured){0};
	*reached = sodium_is_zero(before, MEASURED_HASH_BYTES);
	while (b.n) {
		uint32_t i = native(&b);
		const uint8_t *sha1 = take(&b, SHA1_BYTES);
		uint32_t name_n = native(&b);
		const uint8_t *name = take(&b, name_n);
		uint32_t size = native(&b);
		const uint8_t *data = take(&b, size);
		if (b.bad || i >= MEASURED_REGISTERS || (name_n == 3 && memcmp(name, "ima", 3) == 0))
			return -1;
		entry_hash(sha1, data, size, hash);
		extend(out, i, hash);
		*reached |= memcmp(out->value[MEASURED_IMA], before, MEASURED_HASH_BYTES) == 0;
	}
	return 0;
}

/* --- the device --- */

/* A register, 64 digits. false: it cannot be read. */
static bool register_read(const struct where *w, unsigned i, uint8_t out[MEASURED_HASH_BYTES])
{
	char path[64];
	size_t n = 0;

	snprintf(path, sizeof path, "sys/class/tpm/tpm0/pcr-sha256/%u", i);
	char *s = where_line(w, path);
	bool good = s && sodium_hex2bin(out, MEASURED_HASH_BYTES, s, strlen(s), NULL, &n, NULL) == 0 &&
	            n == MEASURED_HASH_BYTES;
	free(s);
	return good;
}

static int firmware_put(struct evidence *e, const struct where *w)
{
	static const char path[] = "sys/kernel/security/tpm0/binary_bios_measurements";
	struct list l = {e, group, "tpm.log-differs", path, 0, NULL, 0};
	uint8_t is[MEASURED_HASH_BYTES];
	static struct measured m;
	size_t n;
	char *log = where_read(w, path, LOG_BYTES_MAX, &n);

	if (!log && errno == ENOENT)
		list_unseen(&l, "there is no log");
	else if (!log || measured_firmware((const uint8_t *)log, n, &m) < 0)
		list_unseen(&l, "a log that is not understood");
	for (unsigned i = 0; !l.unseen && i < FIRMWARE_REGISTERS; i++)
		if (!register_read(w, i, is))
			list_unseen(&l, "a register cannot be read");
		else if (memcmp(is, m.value[i], sizeof is) != 0)
			list_add(&l, "PCR %u", i);
	free(log);
	return list_end(&l);
}

static int ima_put(struct evidence *e, const struct where *w)
{
	static const char path[] = "sys/kernel/security/ima/binary_runtime_measurements",
	                  key[] = "ima.replay";
	uint8_t before[MEASURED_HASH_BYTES], after[MEASURED_HASH_BYTES];
	static struct measured m;
	bool reached;
	size_t n;

	if (!where_exists(w, "sys/kernel/security/ima"))
		return where_exists(w, "sys/kernel/security/lsm")
		               ? evidence_none(e, group, key, path)
		               : evidence_unseen(e, group, key, "securityfs is not mounted");
	if (!register_read(w, MEASURED_IMA, before))
		return evidence_unseen(e, group, key, "the register cannot be read");
	char *log = where_read(w, path, LOG_BYTES_MAX, &n);
	int r = log ? measured_ima((const uint8_t *)log, n, before, &reached, &m) : -1;
	free(log);
	if (r < 0 || !register_read(w, MEASURED_IMA, after))
		return evidence_unseen(e, group, key, "the log cannot be read, or is not understood");
	/* quiet, or something was measured meanwhile */
	bool same = memcmp(m.value[MEASURED_IMA], before, sizeof before) == 0 ||
	            memcmp(m.value[MEASURED_IMA], after, sizeof after) == 0 ||
	            (reached && memcmp(before, after, sizeof before) != 0);
	return fact_put(e, group, key, same ? "matches" : "the log does not lead to register 10", path);
}

int measured_collect(struct evidence *e, const struct where *w)
{
	static const char *const keys[] = {"tpm.log-differs", "ima.replay"};
	int r = 0;

	if (!w->live)
		return 0;
	if (where_exists(w, "sys/class/tpm/tpm0"))
		return firmware_put(e, w) | ima_put(e, w);
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		r |= where_exists(w, "sys/class") ? evidence_none(e, group, keys[i], "/sys/class/tpm")
		                                  : evidence_unseen(e, group, keys[i], "/sys is not mounted");
	return r;
}
