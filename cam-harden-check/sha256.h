/* sha256: the fingerprint of something that a release names, as people compare it: 64 digits. */
#ifndef SHA256_H
#define SHA256_H
#include <stddef.h>

enum { SHA256_TEXT_BYTES = 65 };

void sha256_text(const void *p, size_t n, char out[SHA256_TEXT_BYTES]);
#endif
