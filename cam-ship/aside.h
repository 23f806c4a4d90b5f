/* aside: segments that failed for a reason of their own, each with the time of its next try. */
#ifndef ASIDE_H
#define ASIDE_H
#include "name.h"

#include <stdint.h>

enum { ASIDE_MAX = 256, ASIDE_FIRST_MS = 30000, ASIDE_CAP_MS = 600000 };

struct aside_entry {
	struct name name;
	int64_t due_ms; /* INT64_MAX: in hand */
	unsigned tries;
	int doubt;    /* perhaps it was the server's fault */
	uint64_t met; /* the scan that last met it in the directory, or in which it was made */
};

struct aside {
	struct aside_entry entry[ASIDE_MAX];
	unsigned count;
};

/* Returns how long it is set aside. */
int64_t aside_add(struct aside *a, const struct name *n, int doubt, int64_t now_ms, uint64_t scan);
/* 1 when n is set aside, or was and is being tried again; notes that scan met it. */
int aside_has(struct aside *a, const struct name *n, uint64_t scan);
/* The next one whose time has come: 1, and it does not come again before it is added again; or 0. */
int aside_due(struct aside *a, int64_t now_ms, struct name *out);
/* When that will be; INT64_MAX: never. */
int64_t aside_wake_ms(const struct aside *a);
void aside_remove(struct aside *a, const struct name *n);
/* Drop what was not met in this scan, which saw the whole directory: evicted, or renamed by hand. */
void aside_prune(struct aside *a, uint64_t scan);
/* How many, only those in doubt when asked so. */
unsigned aside_count(const struct aside *a, int doubt_only);
#endif
