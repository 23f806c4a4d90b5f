/* acked: which segments this process has seen stored, in bounded memory.
 *
 * Segments of one stream are numbered in a row and are stored in nearly that order, from one end or from
 * both, so runs of numbers are kept instead of names: a hundred thousand segments of one recording are one
 * entry or two. A segment and its stub are different things. */
#ifndef ACKED_H
#define ACKED_H
#include "name.h"

#include <stdint.h>

enum { ACKED_RUNS_MAX = 256 };

struct acked_run {
	uint64_t epoch;
	uint8_t stream[NAME_STREAM_BYTES];
	enum name_state state;
	uint32_t first, last;
	uint64_t met; /* the scan that last met one of these in the directory, or in which it was made */
};

struct acked {
	struct acked_run run[ACKED_RUNS_MAX];
	unsigned count;
	int forgot; /* a run had to be dropped although its files still wait to be renamed */
};

void acked_add(struct acked *a, const struct name *n, uint64_t scan);
/* The file was replaced: what was stored is no longer what it holds. */
void acked_remove(struct acked *a, const struct name *n, uint64_t scan);
/* 1 when n was added and not dropped since; notes that scan met it. */
int acked_has(struct acked *a, const struct name *n, uint64_t scan);
#endif
