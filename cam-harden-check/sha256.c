#include "sha256.h"

#include <sodium.h>

void sha256_text(const void *p, size_t n, char out[SHA256_TEXT_BYTES])
{
	unsigned char hash[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(hash, p, n);
	sodium_bin2hex(out, SHA256_TEXT_BYTES, hash, sizeof hash);
}
