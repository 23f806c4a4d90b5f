/* keyfile: keys as one line of text, in files and in memory that is locked and wiped.
 *
 *     cam-recipient1 [MONTH] PUBLIC                                       who may open: X25519 public key
 *     cam-recipient-secret1 [MONTH] PUBLIC plain SECRET                   who opens: X25519 secret key
 *     cam-recipient-secret1 [MONTH] PUBLIC argon2id OPS MEM_KIB SALT BOX  the same under a passphrase
 *     cam-device1 PUBLIC                                                  a camera: Ed25519 public key
 *     cam-device-secret1 PUBLIC plain SEED                                its signing key: Ed25519 seed
 *
 * A recipient's key may be for one month, YYYY-MM; a file of them is a calendar. Where PUBLIC is all there
 * is, its 32 bytes are followed by the first 4 of H(ctx("key") + the line up to it + its bytes): with a wrong
 * letter in it, footage would be sealed to nobody. Fields are separated by one space, binary ones are
 * base64url without padding. BOX is a 24-byte nonce and the XChaCha20-Poly1305 box of the secret under
 * crypto_pwhash(Argon2id) of the passphrase; additional data is the line up to the box, so neither the public
 * key nor the cost can be exchanged. Blank lines and lines that begin with '#' are skipped.
 *
 * Functions that return text return NULL when all is well, else a static reason to show after the file's
 * name. */
#ifndef KEYFILE_H
#define KEYFILE_H
#include <stddef.h>
#include <stdint.h>

enum {
	KEYFILE_KEY_BYTES = 32,
	KEYFILE_BYTES_MAX = 256 << 10,
	KEYFILE_MONTHS_MAX = 600, /* keys in a file */
	KEYFILE_MONTH_TEXT_BYTES = 8,
	KEYFILE_LINE_BYTES_MAX = 512,
	KEYFILE_OPS_MAX = 16,
	KEYFILE_MEM_KIB_MAX = 1 << 20, /* 1 GiB: a file must not be able to ask for more */
};

enum keyfile_kind { KEYFILE_RECIPIENT, KEYFILE_RECIPIENT_SECRET, KEYFILE_DEVICE, KEYFILE_DEVICE_SECRET };

struct keyfile_key {
	enum keyfile_kind kind;
	unsigned month; /* 12 * year + month - 1; 0: for always */
	uint8_t pk[KEYFILE_KEY_BYTES];
	uint8_t *secret; /* sodium_malloc'd, KEYFILE_KEY_BYTES; NULL for a public key or one still locked */
	int locked;      /* needs keyfile_unlock */
	uint64_t ops, mem_kib;
	uint8_t salt[16], box[24 + KEYFILE_KEY_BYTES + 16];
};

/* One line without its newline. The caller frees the secret with keyfile_wipe. */
const char *keyfile_parse(const char *line, struct keyfile_key *out);
/* Up to max keys of one kind from a file, at least one; *n is their number. A key of another kind is an error
 * that names both. */
const char *keyfile_load(
        const char *path, enum keyfile_kind want, struct keyfile_key *out, size_t max, size_t *n);
/* Opens a locked key with a passphrase of n bytes. Keys with the same salt cost one stretching in a row. */
const char *keyfile_unlock(struct keyfile_key *key, const char *passphrase, size_t n);
void keyfile_wipe(struct keyfile_key *key);

/* A new pair; kind is one of the secret ones. */
const char *keyfile_generate(enum keyfile_kind kind, unsigned month, struct keyfile_key *out);
/* The line of a secret key, with newline; under a passphrase when that is not NULL, with the key's salt. */
const char *keyfile_secret_line(
        const struct keyfile_key *key, const char *passphrase, size_t n, char out[KEYFILE_LINE_BYTES_MAX]);
/* A new salt, for all the keys of a file. */
void keyfile_salt(struct keyfile_key *key, size_t keys);
/* The line of its public key, with newline. */
void keyfile_public_line(const struct keyfile_key *key, char out[KEYFILE_LINE_BYTES_MAX]);

/* YYYY-MM, whole. 0, or -1. */
int keyfile_month_parse(const char *text, unsigned *month);
void keyfile_month_text(unsigned month, char out[KEYFILE_MONTH_TEXT_BYTES]);
#endif
