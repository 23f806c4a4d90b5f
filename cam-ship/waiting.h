/* waiting: which segments of a spool directory wait to be shipped, oldest first, in bounded memory.
 *
 * The directory is the truth. It is read whole, but only the next WAITING_WINDOW names are kept. Names are
 * handed out in rounds: each name at most once a round, in order, and a new round begins at the earliest
 * after WAITING_ROUND_MS, or when a name is announced in front of the place that was reached. So neither a
 * heap of bad segments nor a missing cam-reap makes it spin, and nothing new waits behind them. */
#ifndef WAITING_H
#define WAITING_H
#include "acked.h"
#include "aside.h"
#include "name.h"

#include <dirent.h>
#include <stdint.h>

enum {
	WAITING_WINDOW = 256,
	WAITING_ROUND_MS = 30000,
	WAITING_LATE_MS = 1000,      /* between rounds that began because of an announcement */
	WAITING_FORGOT_MS = 3600000, /* between rounds once stored names had to be forgotten */
	WAITING_REPEAT_MS = 600000,  /* between repetitions of names that nobody renamed */
	WAITING_REPEAT_MAX = 64,
};

struct waiting_list {
	struct name name[WAITING_WINDOW];
	unsigned next, count, max;
	int more; /* there were more than fit */
};

struct waiting {
	const char *path; /* for messages */
	DIR *dir;
	int notify_fd;
	struct waiting_list window;
	struct waiting_list repeat; /* stored, but still called .cam */
	int marked, bounded;
	struct name mark;  /* the last name handed out in this round */
	struct name bound; /* the last round ends here */
	int hint;          /* something may have come: look when the window is empty */
	int late;          /* something came in front of the mark */
	int gone;          /* the directory itself was removed or moved away */
	int unreadable;    /* the last scan failed */
	uint64_t scan;     /* number of the last scan; 0 before the first */
	int64_t scan_ms, round_ms, repeat_ms;
	struct acked acked;
	struct aside aside;
};

/* Opens the directory and watches it. path must stay. -1 with errno. */
int waiting_open(struct waiting *w, const char *path, int64_t now_ms);

/* The next name to ship. 1, or 0 when there is none before waiting_wake_ms or an announcement. */
int waiting_next(struct waiting *w, int64_t now_ms, struct name *out);
int64_t waiting_wake_ms(const struct waiting *w);

/* What became of a name that was handed out. Neither: its file is gone, or it is still in hand. */
void waiting_stored(struct waiting *w, const struct name *n);
int64_t waiting_set_aside(struct waiting *w, const struct name *n, int doubt, int64_t now_ms);

/* notify_fd is readable. */
void waiting_notified(struct waiting *w);
/* A doorbell rang. */
void waiting_doorbell(struct waiting *w);

/* A name that was stored long ago and is still called .cam: whoever should rename it may have missed it. 1 or
 * 0. */
int waiting_repeat(struct waiting *w, struct name *out);

/* One more round, from the start to what is the last name now. Then waiting_over says when all were handed
 * out. */
void waiting_last_round(struct waiting *w);
int waiting_over(const struct waiting *w);
#endif
