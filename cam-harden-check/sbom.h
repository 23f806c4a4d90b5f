/* sbom: the list of what the root is made of, which whoever hears of a hole looks it up in. */
#ifndef SBOM_H
#define SBOM_H
#include "evidence.h"
#include "where.h"

#include <stddef.h>

enum { SBOM_BYTES_MAX = 8 << 20, SBOM_SAID_BYTES = 96 };

/* What a list says that it is, in SPDX's or CycloneDX's JSON: "SPDX-2.3, 40 components". NULL, or why it is
 * none. */
const char *sbom_parse(const char *json, size_t n, char said[SBOM_SAID_BYTES]);

/* The keys "sbom" and "sbom-..." of the group "image". 0, or -1: evidence full. */
int sbom_collect(struct evidence *, const struct where *);
#endif
