/* phases: looks at the running device, each part in a process of its own with as few rights as it needs,
 * before the audit enters its sandbox. What they found comes back as text, and becomes evidence in the
 * sandbox.
 *
 * device: everything that needs no rights once it is open; programs and processes: CAP_SYS_PTRACE and
 * CAP_DAC_READ_SEARCH, since processes that may not be dumped show themselves to nobody else; files:
 * CAP_DAC_READ_SEARCH; attempts: the rights it was started with. Without root a phase sees less, and says so.
 */
#ifndef PHASES_H
#define PHASES_H
#include "evidence.h"
#include "where.h"

#include <stdbool.h>

enum { PHASES = 4, PHASE_BYTES_MAX = 8 << 20 };

struct phase_result {
	bool ran; /* it was asked for */
	char *text;
	size_t n;
	char failed[64]; /* why nothing in the text is to be relied on, or empty */
};

struct phases {
	struct phase_result phase[PHASES];
};

/* files: the file walk too. attempts: the attempts to run something too. Offline only the file walk is there.
 */
void phases_run(const struct where *, int files, int attempts, struct phases *out);
/* Puts in what they found, and frees it. 0, or -1: evidence full. */
int phases_take(struct evidence *, const struct where *, struct phases *);
#endif
