#define _GNU_SOURCE
#include "keyfile.h"

#include "fdio.h"
#include "number.h"
#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	B64 = sodium_base64_VARIANT_URLSAFE_NO_PADDING,
	FIELDS_MAX = 8,
	CHECK_BYTES = 4,
	CHECKED_BYTES = KEYFILE_KEY_BYTES + CHECK_BYTES
};

static const char *const words[] = {[KEYFILE_RECIPIENT] = "cam-recipient1",
        [KEYFILE_RECIPIENT_SECRET] = "cam-recipient-secret1",
        [KEYFILE_DEVICE] = "cam-device1",
        [KEYFILE_DEVICE_SECRET] = "cam-device-secret1"};

/* wrong_kind[wanted][found] */
static const char *const wrong_kind[4][4] = {
        [KEYFILE_RECIPIENT] = {NULL,
                "a SECRET recipient key, where its public key belongs: it must not be on a camera",
                "a camera's public key, where a recipient's public key belongs",
                "a camera's SECRET signing key, where a recipient's public key belongs"},
        [KEYFILE_RECIPIENT_SECRET] = {"a recipient's public key, where the secret key belongs", NULL,
                "a camera's public key, where a recipient's secret key belongs",
                "a camera's signing key, where a recipient's secret key belongs"},
        [KEYFILE_DEVICE] = {"a recipient's public key, where a camera's public key belongs",
                "a SECRET recipient key, where a camera's public key belongs", NULL,
                "a camera's SECRET signing key, where its public key belongs: it must stay on the camera"},
        [KEYFILE_DEVICE_SECRET] = {"a recipient's public key, where the camera's signing key belongs",
                "a SECRET recipient key, where the camera's signing key belongs: it must not be on a camera",
                "a camera's public key, where its signing key belongs", NULL},
};

static int is_secret(enum keyfile_kind kind)
{
	return kind == KEYFILE_RECIPIENT_SECRET || kind == KEYFILE_DEVICE_SECRET;
}

static int field_decode(const char *text, uint8_t *out, size_t n)
{
	size_t got;
	const char *end;
	return sodium_base642bin(out, n, text, strlen(text), NULL, &got, &end, B64) == 0 && got == n && !*end
	               ? 0
	               : -1;
}

static int line_head(const struct keyfile_key *key, enum keyfile_kind kind, char out[KEYFILE_LINE_BYTES_MAX]);

/* The public key with its check bytes. */
static void checked_key(const struct keyfile_key *key, enum keyfile_kind kind, uint8_t out[CHECKED_BYTES])
{
	uint8_t m[KEYFILE_LINE_BYTES_MAX + KEYFILE_KEY_BYTES], h[RECORD_HASH_BYTES];
	char head[KEYFILE_LINE_BYTES_MAX];
	size_t n = (size_t)line_head(key, kind, head);

	memcpy(m, head, n);
	memcpy(m + n, key->pk, KEYFILE_KEY_BYTES);
	record_hash_ctx(h, NULL, "key", m, n + KEYFILE_KEY_BYTES);
	memcpy(out, key->pk, KEYFILE_KEY_BYTES);
	memcpy(out + KEYFILE_KEY_BYTES, h, CHECK_BYTES);
}

static const char *public_parse(const char *text, struct keyfile_key *key)
{
	uint8_t got[CHECKED_BYTES], want[CHECKED_BYTES];

	if (field_decode(text, got, sizeof got) < 0)
		return "damaged public key";
	memcpy(key->pk, got, KEYFILE_KEY_BYTES);
	checked_key(key, key->kind, want);
	return memcmp(got, want, sizeof got) == 0 ? NULL
	                                          : "damaged public key: a letter or its month is wrong";
}

/* The secret's public key, as its kind derives it. */
static int public_derive(
        enum keyfile_kind kind, const uint8_t secret[KEYFILE_KEY_BYTES], uint8_t pk[KEYFILE_KEY_BYTES])
{
	uint8_t sk[crypto_sign_SECRETKEYBYTES];
	if (kind == KEYFILE_RECIPIENT_SECRET)
		return crypto_scalarmult_base(pk, secret);
	int r = crypto_sign_seed_keypair(pk, sk, secret);
	sodium_memzero(sk, sizeof sk);
	return r;
}

static const char *secret_check(struct keyfile_key *key)
{
	uint8_t pk[KEYFILE_KEY_BYTES];
	if (public_derive(key->kind, key->secret, pk) != 0 || sodium_memcmp(pk, key->pk, sizeof pk) != 0)
		return "the secret and the public key do not belong together";
	return NULL;
}

static const char *secret_alloc(struct keyfile_key *key)
{
	key->secret = sodium_malloc(KEYFILE_KEY_BYTES);
	return key->secret ? NULL : "no locked memory for the key";
}

static const char *secret_parse(char *const *field, int fields, struct keyfile_key *key)
{
	if (fields == 4 && strcmp(field[2], "plain") == 0) {
		const char *why = secret_alloc(key);
		if (why)
			return why;
		return field_decode(field[3], key->secret, KEYFILE_KEY_BYTES) < 0 ? "damaged secret key"
		                                                                  : secret_check(key);
	}
	if (fields != 7 || strcmp(field[2], "argon2id") != 0)
		return "a secret key of an unknown form";
	if (number_parse(field[3], crypto_pwhash_OPSLIMIT_MIN, KEYFILE_OPS_MAX, &key->ops) < 0 ||
	        number_parse(field[4], 8, KEYFILE_MEM_KIB_MAX, &key->mem_kib) < 0)
		return "the passphrase's cost is out of range";
	if (field_decode(field[5], key->salt, sizeof key->salt) < 0 ||
	        field_decode(field[6], key->box, sizeof key->box) < 0)
		return "damaged secret key";
	key->locked = 1;
	return NULL;
}

int keyfile_month_parse(const char *text, unsigned *month)
{
	char year[5] = {0};
	uint64_t y, m;

	if (strlen(text) != 7 || text[4] != '-')
		return -1;
	memcpy(year, text, 4);
	if (number_parse(year, 1970, 9999, &y) < 0 || number_parse(text + 5, 1, 12, &m) < 0)
		return -1;
	*month = (unsigned)(12 * y + m - 1);
	return 0;
}

void keyfile_month_text(unsigned month, char out[KEYFILE_MONTH_TEXT_BYTES])
{
	snprintf(out, KEYFILE_MONTH_TEXT_BYTES, "%04u-%02u", month / 12 % 10000, month % 12 + 1);
}

static const char *line_parse(char *line, struct keyfile_key *key)
{
	char *fields_all[FIELDS_MAX], **field = fields_all, *save = NULL;
	int fields = 0;
	unsigned kind;

	for (char *f = strtok_r(line, " ", &save); f; f = strtok_r(NULL, " ", &save)) {
		if (fields == FIELDS_MAX)
			return "not a key line: too many fields";
		field[fields++] = f;
	}
	for (kind = 0; kind < 4; kind++)
		if (fields && strcmp(field[0], words[kind]) == 0)
			break;
	if (kind == 4)
		return "not a key line";
	key->kind = (enum keyfile_kind)kind;
	if (fields > 2 && keyfile_month_parse(field[1], &key->month) == 0) {
		if (key->kind != KEYFILE_RECIPIENT && key->kind != KEYFILE_RECIPIENT_SECRET)
			return "a camera's key is not for a month";
		field++; /* field[0] is read no more */
		fields--;
	}
	if (fields < 2)
		return "damaged public key";
	if (!is_secret(key->kind))
		return fields == 2 ? public_parse(field[1], key) : "not a key line: too many fields";
	if (field_decode(field[1], key->pk, sizeof key->pk) < 0)
		return "damaged public key";
	return secret_parse(field, fields, key);
}

const char *keyfile_parse(const char *line, struct keyfile_key *out)
{
	char copy[KEYFILE_LINE_BYTES_MAX];
	const char *why;

	memset(out, 0, sizeof *out);
	if (strlen(line) >= sizeof copy)
		return "not a key line: too long";
	memcpy(copy, line, strlen(line) + 1);
	why = line_parse(copy, out);
	sodium_memzero(copy, sizeof copy);
	if (why)
		keyfile_wipe(out);
	return why;
}

void keyfile_wipe(struct keyfile_key *key)
{
	if (key->secret)
		sodium_free(key->secret);
	sodium_memzero(key, sizeof *key);
}

static const char *text_load(
        char *text, enum keyfile_kind want, struct keyfile_key *out, size_t max, size_t *n)
{
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct keyfile_key key;
		const char *why;
		if (line[strspn(line, " \t\r")] == '\0' || *line == '#')
			continue;
		if ((why = keyfile_parse(line, &key)))
			return why;
		if (key.kind != want) {
			why = wrong_kind[want][key.kind];
			keyfile_wipe(&key);
			return why;
		}
		if (*n == max) {
			keyfile_wipe(&key);
			return max == 1 ? "more than one key" : "too many keys";
		}
		out[(*n)++] = key;
	}
	return *n ? NULL : "no key in it";
}

const char *keyfile_load(
        const char *path, enum keyfile_kind want, struct keyfile_key *out, size_t max, size_t *n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return strerror(errno);
	char *text = sodium_malloc(KEYFILE_BYTES_MAX + 1);
	if (!text) {
		close(fd);
		return "no locked memory for the key";
	}
	ssize_t got = fd_read(fd, text, KEYFILE_BYTES_MAX + 1);
	const char *why = got < 0 ? strerror(errno) : NULL;
	close(fd);
	*n = 0;
	if (!why && (got > KEYFILE_BYTES_MAX || memchr(text, 0, (size_t)got)))
		why = "not a key file";
	if (!why) {
		text[got] = '\0';
		why = text_load(text, want, out, max, n);
	}
	sodium_free(text);
	if (why)
		while (*n)
			keyfile_wipe(&out[--*n]);
	return why;
}

/* --- writing --- */

const char *keyfile_generate(enum keyfile_kind kind, unsigned month, struct keyfile_key *out)
{
	memset(out, 0, sizeof *out);
	out->kind = kind;
	out->month = month;
	const char *why = secret_alloc(out);
	if (why)
		return why;
	randombytes_buf(out->secret, KEYFILE_KEY_BYTES);
	return public_derive(kind, out->secret, out->pk) == 0 ? NULL : "the key could not be made";
}

void keyfile_salt(struct keyfile_key *key, size_t keys)
{
	randombytes_buf(key[0].salt, sizeof key[0].salt);
	for (size_t i = 1; i < keys; i++)
		memcpy(key[i].salt, key[0].salt, sizeof key[0].salt);
}

/* "WORD " or "WORD YYYY-MM " */
static int line_head(const struct keyfile_key *key, enum keyfile_kind kind, char out[KEYFILE_LINE_BYTES_MAX])
{
	char month[KEYFILE_MONTH_TEXT_BYTES] = "";

	if (key->month)
		keyfile_month_text(key->month, month);
	return snprintf(out, KEYFILE_LINE_BYTES_MAX, "%s %s%s", words[kind], month, *month ? " " : "");
}

void keyfile_public_line(const struct keyfile_key *key, char out[KEYFILE_LINE_BYTES_MAX])
{
	const enum keyfile_kind kind = key->kind == KEYFILE_RECIPIENT_SECRET ? KEYFILE_RECIPIENT
	                               : key->kind == KEYFILE_DEVICE_SECRET  ? KEYFILE_DEVICE
	                                                                     : key->kind;
	uint8_t checked[CHECKED_BYTES];
	char text[64];

	checked_key(key, kind, checked);
	sodium_bin2base64(text, sizeof text, checked, sizeof checked, B64);
	int n = line_head(key, kind, out);
	snprintf(out + n, (size_t)(KEYFILE_LINE_BYTES_MAX - n), "%s\n", text);
}

/* The line up to the box, which is the box's additional data. */
static int locked_head(const struct keyfile_key *key, char out[KEYFILE_LINE_BYTES_MAX])
{
	char pk[64], salt[32];
	sodium_bin2base64(pk, sizeof pk, key->pk, sizeof key->pk, B64);
	sodium_bin2base64(salt, sizeof salt, key->salt, sizeof key->salt, B64);
	int n = line_head(key, key->kind, out);
	return n + snprintf(out + n, (size_t)(KEYFILE_LINE_BYTES_MAX - n), "%s argon2id %llu %llu %s ", pk,
	                   (unsigned long long)key->ops, (unsigned long long)key->mem_kib, salt);
}

/* The 32 bytes that Argon2id makes of the passphrase; the latest ones are kept for the next key of the file.
 */
static const char *stretch(const struct keyfile_key *key, const char *passphrase, size_t n, uint8_t out[32])
{
	static struct cache {
		uint64_t ops, mem_kib;
		uint8_t salt[16], of[32], out[32];
	} * cache;
	uint8_t of[32];

	if (!cache && !(cache = sodium_allocarray(1, sizeof *cache)))
		return "no locked memory for the passphrase";
	crypto_generichash(of, sizeof of, (const uint8_t *)passphrase, n, NULL, 0);
	if (cache->ops == key->ops && cache->mem_kib == key->mem_kib &&
	        memcmp(cache->salt, key->salt, sizeof key->salt) == 0 &&
	        sodium_memcmp(cache->of, of, sizeof of) == 0) {
		memcpy(out, cache->out, 32);
		return NULL;
	}
	if (crypto_pwhash(out, 32, passphrase, n, key->salt, key->ops, (size_t)key->mem_kib * 1024,
	            crypto_pwhash_ALG_ARGON2ID13) != 0)
		return "not enough memory for the passphrase's cost";
	cache->ops = key->ops;
	cache->mem_kib = key->mem_kib;
	memcpy(cache->salt, key->salt, sizeof cache->salt);
	memcpy(cache->of, of, sizeof of);
	memcpy(cache->out, out, sizeof cache->out);
	sodium_memzero(of, sizeof of);
	return NULL;
}

const char *keyfile_secret_line(
        const struct keyfile_key *key, const char *passphrase, size_t n, char out[KEYFILE_LINE_BYTES_MAX])
{
	struct keyfile_key k = *key;
	char pk[64], text[2 * sizeof k.box];
	uint8_t stretched[32];
	const char *why;

	if (!passphrase) {
		sodium_bin2base64(pk, sizeof pk, k.pk, sizeof k.pk, B64);
		sodium_bin2base64(text, sizeof text, k.secret, KEYFILE_KEY_BYTES, B64);
		int at = line_head(&k, k.kind, out);
		snprintf(out + at, (size_t)(KEYFILE_LINE_BYTES_MAX - at), "%s plain %s\n", pk, text);
		sodium_memzero(text, sizeof text);
		return NULL;
	}
	k.ops = crypto_pwhash_OPSLIMIT_MODERATE;
	k.mem_kib = crypto_pwhash_MEMLIMIT_MODERATE / 1024;
	randombytes_buf(k.box, 24);
	if ((why = stretch(&k, passphrase, n, stretched)))
		return why;
	int head = locked_head(&k, out);
	crypto_aead_xchacha20poly1305_ietf_encrypt(k.box + 24, NULL, k.secret, KEYFILE_KEY_BYTES,
	        (const uint8_t *)out, (unsigned long long)head, NULL, k.box, stretched);
	sodium_memzero(stretched, sizeof stretched);
	sodium_bin2base64(text, sizeof text, k.box, sizeof k.box, B64);
	snprintf(out + head, (size_t)(KEYFILE_LINE_BYTES_MAX - head), "%s\n", text);
	return NULL;
}

const char *keyfile_unlock(struct keyfile_key *key, const char *passphrase, size_t n)
{
	char head[KEYFILE_LINE_BYTES_MAX];
	uint8_t stretched[32];
	const char *why;

	if ((why = stretch(key, passphrase, n, stretched)) || (why = secret_alloc(key)))
		return why;
	int head_bytes = locked_head(key, head);
	int r = crypto_aead_xchacha20poly1305_ietf_decrypt(key->secret, NULL, NULL, key->box + 24,
	        sizeof key->box - 24, (const uint8_t *)head, (unsigned long long)head_bytes, key->box,
	        stretched);
	sodium_memzero(stretched, sizeof stretched);
	why = r != 0 ? "wrong passphrase, or a damaged key" : secret_check(key);
	if (why) {
		sodium_free(key->secret);
		key->secret = NULL;
		return why;
	}
	key->locked = 0;
	return NULL;
}
