/* evicted: which stubs the camera itself says it made. A stub could as well have been cut out of a segment by
 * whoever keeps the files; a signed report of the same camera (cam-status(1)) that names it settles that. */
#ifndef EVICTED_H
#define EVICTED_H
#include "record.h"

#include <stddef.h>
#include <stdint.h>

enum { EVICTED_MAX = 1 << 17 }; /* of stubs, and of names in reports; what is beyond is not compared */

/* A stub with this verified header is in the input. -1 with errno. */
int evicted_stub(const struct record_header *h);
/* Content of reports that a verified mark stands behind, of this camera, in order; anything may be in it. -1
 * with errno. */
int evicted_report(const uint8_t device_pk[RECORD_PK_BYTES], const uint8_t *p, size_t n);
/* Of the stubs: how many a report names. */
uint64_t evicted_named(void);
void evicted_free(void);
#endif
