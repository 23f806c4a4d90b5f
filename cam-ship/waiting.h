/* waiting: which segments and stubs of a spool directory wait to be shipped, in bounded memory.
 *
 * The directory is the truth. It is read whole, a slice at a time, but only the WINDOW_MAX oldest and newest
 * names are kept. Names are handed out in rounds: each at most once a round, from the oldest upwards and from
 * the newest downwards until the two meet; then, or when the windows have run out, the directory is read
 * again. What is announced meanwhile comes at once and needs no reading, what was set aside comes when it is
 * due. So neither a heap of bad segments nor a missing cam-reap makes it spin, and nothing new waits behind
 * them. */
#ifndef WAITING_H
#define WAITING_H
#include "acked.h"
#include "aside.h"
#include "name.h"
#include "window.h"

#include <dirent.h>
#include <stdint.h>

enum {
	WAITING_SLICE = 512,      /* names read in one turn */
	WAITING_SHARE = 4,        /* newest first: each fourth start is of the oldest, or of one set aside */
	WAITING_FRESH_MAX = 256,  /* announced, but out of the round's turn */
	WAITING_HAND_MAX = 32,    /* handed out and not settled */
	WAITING_ROUND_MS = 30000, /* between rounds, */
	WAITING_PER_NAME_MS = 2,  /* or, in a large directory, this for each name in it */
	WAITING_LATE_MS = 1000,   /* between rounds that began because of an announcement or a doorbell */
	WAITING_FORGOT_MS = 3600000, /* between rounds once stored names had to be forgotten */
	WAITING_REPEAT_MS = 600000,  /* between repetitions of names that nobody renamed */
	WAITING_REPEAT_MAX = 64,
};

struct waiting {
	const char *path; /* for messages */
	DIR *dir;
	int notify_fd;
	int newest;                  /* the order */
	struct window low, high;     /* the round's oldest and newest; high stays empty when oldest first */
	struct window fresh;         /* announced beyond a mark */
	struct window repeat;        /* stored, but not renamed */
	int low_marked, high_marked; /* something was handed out from there in this round */
	struct name low_mark, high_mark; /* the last of it: what is between the two is still to come */
	int bounded;                     /* 1: the last round; -1: its end is found by the scan under way */
	struct name bound, last;         /* the last round ends here; the last name that the scan met */
	struct name hand[WAITING_HAND_MAX];
	unsigned in_hand, starts;
	int scanning;   /* a reading is under way: the windows are not complete */
	int announced;  /* a doorbell rang, or more was announced than could be kept: a new round soon */
	int gone;       /* the directory itself was removed or moved away */
	int unreadable; /* the last scan failed */
	uint64_t scan;  /* number of the last scan; 0 before the first */
	int64_t round_ms, repeat_ms;
	uint64_t names;   /* that the scan met so far; of the last one when none is under way */
	uint64_t waiting; /* about so many are still to be handed out */
	struct acked acked;
	struct aside aside;
};

/* Opens the directory and watches it. path must stay. -1 with errno. */
int waiting_open(struct waiting *w, const char *path, int newest, int64_t now_ms);

/* Go on with reading the directory if that is under way or due. 1: there is more to do at once. */
int waiting_turn(struct waiting *w, int64_t now_ms);
/* The next name to ship, which is then in hand. 1, or 0 when there is none just now. */
int waiting_next(struct waiting *w, int64_t now_ms, struct name *out);
/* When waiting_turn or waiting_next may have something to do again. */
int64_t waiting_wake_ms(const struct waiting *w);

/* What became of a name in hand: stored, failed for a reason of its own, or its file is gone. */
void waiting_stored(struct waiting *w, const struct name *n);
int64_t waiting_set_aside(struct waiting *w, const struct name *n, int doubt, int64_t now_ms);
void waiting_vanished(struct waiting *w, const struct name *n);

/* notify_fd is readable. */
void waiting_notified(struct waiting *w);
/* A doorbell rang. */
void waiting_doorbell(struct waiting *w);

/* A name that was stored long ago and is still there as it was: whoever should rename it may have missed it.
 * 1 or 0. */
int waiting_repeat(struct waiting *w, struct name *out);

/* One more round, to what is the last name now. Then waiting_over says when all were handed out. */
void waiting_last_round(struct waiting *w);
int waiting_over(const struct waiting *w);
#endif
