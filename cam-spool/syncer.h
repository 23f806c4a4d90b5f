/* syncer: a thread that waits for the disk, so that reading goes on meanwhile.
 *
 * It gets one job at a time, by value, through a pipe, makes the system calls of that job, and sends the
 * answer, by value, through another pipe. It shares no memory with anybody, decides nothing, writes no
 * message, and takes no signal. Whoever gave the job keeps its descriptors open until the answer is there. */
#ifndef SYNCER_H
#define SYNCER_H
#include "name.h"

#include <stdbool.h>

/* The steps of a job, in this order. */
enum syncer_step {
	SYNCER_DATA,      /* fdatasync(file) */
	SYNCER_ENTRY,     /* dir_sync(), if its entry is to be synced */
	SYNCER_RENAME,    /* rename from, to; if to is a name */
	SYNCER_DIRECTORY, /* dir_sync() after that */
	SYNCER_DONE,
};

struct syncer_job {
	int file, dir;
	bool entry;
	char from[NAME_BYTES_MAX], to[NAME_BYTES_MAX]; /* to: "" for none */
};

struct syncer_answer {
	enum syncer_step step; /* where it ended: the steps before it are done */
	int err;               /* 0, or the errno of that step */
};

struct syncer {
	bool busy;
	int jobs, answers; /* answers is readable: syncer_answer() will not wait */
};

/* Starts the thread, which lives as long as the process. Dies when it cannot. */
void syncer_start(struct syncer *s);
/* Only when it is not busy. */
void syncer_give(struct syncer *s, const struct syncer_job *job);
/* Only when it is busy: waits for the answer. */
struct syncer_answer syncer_answer(struct syncer *s);
#endif
