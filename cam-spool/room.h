/* room: space for what is to be recorded, made ahead of it.
 *
 * The quota holds for all that is in the directory, by an account of our own: counted once by a scan, kept by
 * what we write and remove, and corrected by another scan when names to remove are used up. The floor holds
 * for the file system, which still counts what was removed but is open elsewhere: what has not shown up yet
 * is remembered, so that one slow uploader does not cost the whole spool.
 *
 * Goes first: what is stored (.sent), oldest first by epoch and segment; then, unless told otherwise, what is
 * not (.cam), of which a stub is kept: pack.h. Memory is bounded: a window of the oldest names of each kind,
 * kept up to date by what inotify(7) tells of renames. Used by one thread at a time. */
#ifndef ROOM_H
#define ROOM_H
#include "pack.h"
#include "part.h"
#include "window.h"

enum {
	ROOM_QUOTA_MIN = 1 << 20,
	ROOM_AHEAD_BYTES = 128 << 10, /* made at a time */
	ROOM_GRANT_BYTES = 64 << 10,  /* of it for records; the rest is for what files cost besides */
	ROOM_PACK_MS = 60000,         /* a pack that gets no stub for so long is closed */
	ROOM_RETRY_MS = 1000,
};

#define ROOM_FLOOR_DEFAULT UINT64_MAX /* 5 % of the file system, at most 256 MiB */

enum room_answer {
	ROOM_OK,
	ROOM_WAIT,  /* there is none and none can be made now */
	ROOM_ALONE, /* the open segment alone takes all there is */
};

/* The oldest names of one state. */
struct candidates {
	struct window window; /* sorted from at on */
	size_t at;
	bool complete; /* there are no others */
};

/* What was removed and not told yet. */
struct tally {
	unsigned long n, without; /* a stub */
	uint64_t bytes, told_ms;
	struct name first, last;
	const char *no_stub;
};

struct room {
	struct dir *dir;
	const struct part *part;   /* being written */
	const struct part *ending; /* has ended and is being published; it counts as a file */
	uint64_t quota_bytes; /* 0: none */
	uint64_t floor_bytes;
	bool keep_unsent;
	struct pack pack;

	bool counted;
	uint64_t bytes, files;          /* without the open segment and the directory itself */
	uint64_t part_bytes;            /* what the open segment took when looked at */
	uint64_t granted_from, granted; /* it may grow from this length to that without another look */
	uint64_t scan_ms, scan_cost_ms;
	struct candidates sent, cam;
	int notify;

	uint64_t free_bytes, grown;   /* free when looked at, and what we wrote since */
	uint64_t pending, pending_ms; /* removed, but not free yet; since when */

	struct tally sent_tally, cam_tally;
	const char *why;
	bool low;         /* below the floor, with nothing to remove: told */
	uint64_t full_ms; /* waiting since; 0: not */
};

/* quota_bytes 0: none; floor_bytes may be ROOM_FLOOR_DEFAULT. Sets d->room. */
void room_init(struct room *r, struct dir *d, const struct part *p, const struct part *ending,
        uint64_t quota_bytes, uint64_t floor_bytes, bool keep_unsent);
/* Once the segments of an earlier run are recovered: so are its packs. */
void room_start(struct room *r);
/* Before INCOMING_BYTES of records are taken: room for them. */
enum room_answer room_ahead(struct room *r);
/* As much of it as can be had, now. */
void room_make(struct room *r, uint64_t bytes);
/* There was no space or no inode. 1: something was removed, and it is free; 0: not. */
int room_evict(struct room *r);
/* The open segment is about to be the ending one. */
void room_ended(struct room *r);
/* What is due by time; when that is next (ms from now, -1: never). */
void room_tick(struct room *r);
int room_timeout_ms(const struct room *r);
/* At the end. */
void room_close(struct room *r);
#endif
