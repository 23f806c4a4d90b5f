/* keep: names that were acknowledged, until they have been so for a while, in bounded memory. */
#ifndef KEEP_H
#define KEEP_H
#include "name.h"

#include <stdbool.h>

enum { KEEP_NAMES = 1 << 16, KEEP_BUCKETS = 1 << 16 };

struct keep {
	uint64_t keep_ns;
	unsigned at, n; /* the oldest one, how many */
	struct {
		struct name name;
		uint64_t due_ns;
		unsigned next; /* in its bucket: number + 1, 0 none */
	} kept[KEEP_NAMES];
	unsigned bucket[KEEP_BUCKETS];
};

enum keep_answer { KEEP_TAKEN, KEEP_KNOWN, KEEP_FULL };

/* One that comes again keeps the time of its first coming. */
enum keep_answer keep_add(struct keep *k, const struct name *n, uint64_t now_ns);
/* The next one whose time has come. */
bool keep_due(struct keep *k, uint64_t now_ns, struct name *out);
/* Until then, ms rounded up; -1: nothing is kept. */
int keep_timeout_ms(const struct keep *k, uint64_t now_ns);
#endif
