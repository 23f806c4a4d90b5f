#define _GNU_SOURCE
#include "sshsig.h"

#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { NAMESPACE_BYTES_MAX = 64, VERSION = 1 };

static const char begin[] = "-----BEGIN SSH SIGNATURE-----\n", end[] = "-----END SSH SIGNATURE-----";
static const char magic[] = "SSHSIG", kind[] = "ssh-ed25519";

/* Bytes that are still to be read. Numbers are big-endian; a string is its length in four bytes, and it. */
struct string {
	const uint8_t *p;
	size_t n;
};

static bool number_take(struct string *from, uint32_t *out)
{
	if (from->n < 4)
		return false;
	*out = (uint32_t)from->p[0] << 24 | (uint32_t)from->p[1] << 16 | (uint32_t)from->p[2] << 8 |
	       from->p[3];
	from->p += 4;
	from->n -= 4;
	return true;
}

static bool string_take(struct string *from, struct string *out)
{
	uint32_t n;

	if (!number_take(from, &n) || n > from->n)
		return false;
	*out = (struct string){from->p, n};
	from->p += n;
	from->n -= n;
	return true;
}

static bool is(const struct string *s, const char *text)
{
	return s->n == strlen(text) && memcmp(s->p, text, s->n) == 0;
}

/* "ssh-ed25519", and one string of so many bytes: a key, a signature. */
static bool ed25519_take(struct string from, size_t n, struct string *out)
{
	struct string name;

	return string_take(&from, &name) && is(&name, kind) && string_take(&from, out) && out->n == n &&
	       !from.n;
}

struct signature {
	struct string key_blob, key, hash_name, signature;
	uint8_t bytes[SSHSIG_BYTES_MAX];
};

static const char *signature_parse(const char *text, size_t n, const char *name_space, struct signature *s)
{
	const char *head = memmem(text, n, begin, strlen(begin)), *from = head ? head + strlen(begin) : NULL,
	           *to = from ? memmem(from, n - (size_t)(from - text), end, strlen(end)) : NULL;
	struct string all = {s->bytes, 0}, name, reserved, signed_with;
	uint32_t version;

	if (n > SSHSIG_BYTES_MAX || head != text || !to ||
	        sodium_base642bin(s->bytes, sizeof s->bytes, from, (size_t)(to - from), "\n\r", &all.n, NULL,
	                sodium_base64_VARIANT_ORIGINAL) != 0)
		return "not a signature of ssh-keygen -Y sign";
	if (all.n < strlen(magic) || memcmp(all.p, magic, strlen(magic)) != 0)
		return "not a signature of ssh-keygen -Y sign";
	all.p += strlen(magic);
	all.n -= strlen(magic);
	if (!number_take(&all, &version) || version != VERSION || !string_take(&all, &s->key_blob) ||
	        !string_take(&all, &name) || !string_take(&all, &reserved) || reserved.n ||
	        !string_take(&all, &s->hash_name) || !string_take(&all, &signed_with) || all.n)
		return "a signature that is not understood";
	if (!ed25519_take(s->key_blob, crypto_sign_PUBLICKEYBYTES, &s->key) ||
	        !ed25519_take(signed_with, crypto_sign_BYTES, &s->signature))
		return "a signature with a key of another kind than ssh-ed25519";
	return is(&name, name_space) ? NULL : "a signature for something else: its namespace is another";
}

static size_t string_put(uint8_t *to, const void *p, size_t n)
{
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(n >> (24 - 8 * i));
	memcpy(to + 4, p, n);
	return n + 4;
}

static bool hash(const struct string *name, const void *p, size_t n, uint8_t *out, size_t *bytes)
{
	if (is(name, "sha512")) {
		*bytes = crypto_hash_sha512_BYTES;
		return crypto_hash_sha512(out, p, n) == 0;
	}
	*bytes = crypto_hash_sha256_BYTES;
	return is(name, "sha256") && crypto_hash_sha256(out, p, n) == 0;
}

const char *sshsig_verify(const char *sig, size_t sig_bytes, const char *name_space, const void *message,
        size_t message_bytes, char fingerprint[SSHSIG_FINGERPRINT_BYTES])
{
	static struct signature s;
	uint8_t what[sizeof magic + NAMESPACE_BYTES_MAX + 256], digest[crypto_hash_sha512_BYTES],
	        id[crypto_hash_sha256_BYTES];
	char text[sodium_base64_ENCODED_LEN(
	        crypto_hash_sha256_BYTES, sodium_base64_VARIANT_ORIGINAL_NO_PADDING)];
	const char *why = signature_parse(sig, sig_bytes, name_space, &s);
	size_t n = strlen(magic), bytes;

	if (why)
		return why;
	if (strlen(name_space) > NAMESPACE_BYTES_MAX ||
	        !hash(&s.hash_name, message, message_bytes, digest, &bytes))
		return "a signature over a hash that is not computed here: sha512 and sha256 are";
	memcpy(what, magic, sizeof magic - 1);
	n += string_put(what + n, name_space, strlen(name_space));
	n += string_put(what + n, "", 0);
	n += string_put(what + n, s.hash_name.p, s.hash_name.n);
	n += string_put(what + n, digest, bytes);
	if (crypto_sign_verify_detached(s.signature.p, what, n, s.key.p) != 0)
		return "a signature that does not fit";
	crypto_hash_sha256(id, s.key_blob.p, s.key_blob.n);
	sodium_bin2base64(text, sizeof text, id, sizeof id, sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
	snprintf(fingerprint, SSHSIG_FINGERPRINT_BYTES, "SHA256:%s", text);
	return NULL;
}
