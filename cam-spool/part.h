/* part: the one segment that is being written, from NAME.part to a durable NAME.cam.
 *
 * What was written since the last successful sync is kept in memory too, because after a failed sync the
 * page cache proves nothing: then the synced beginning is copied and the rest written again from memory into
 * NAME.part.new, which is synced and renamed over NAME.part. Functions return 0, or -1 with errno;
 * those that meet a full or failing disk try until it works or, with ECANCELED, until the program is told to
 * stop.
 *
 * part_sync() and part_publish() wait for the disk. With a syncer, part_sync_begin() and part_publish_begin()
 * leave the waiting to it, and part_answered() goes on from its answer: when that is a failure, by the two
 * that wait, so there is one way only in which failures are dealt with. Meanwhile records can be appended. */
#ifndef PART_H
#define PART_H
#include "dir.h"
#include "syncer.h"

#include <stddef.h>

enum {
	PART_TAIL_BYTES = 1 << 20,             /* at most so much unsynced */
	PART_SYNC_BYTES = PART_TAIL_BYTES / 2, /* a sync is due */
	PART_PAGE_BYTES = 4096,
};

struct part {
	struct dir *dir;
	int fd; /* -1: none is open */
	struct name name;
	char text[NAME_BYTES_MAX]; /* NAME.part */
	uint64_t length;           /* whole records */
	uint64_t written, synced;  /* <= length */
	uint64_t tail_from;        /* tail holds the bytes from here to length; a multiple of the page size */
	uint8_t *tail;             /* PART_TAIL_BYTES and a page */
	bool suspect;              /* the file may not hold what was written: rewrite it */
	bool listed;               /* its directory entry is durable */
	bool renamed;              /* it is NAME.cam, but that entry may not be durable */
	uint64_t synced_ms;        /* when the last sync began */
	struct syncer *syncer;     /* NULL: none */
	bool syncing, publishing;  /* the syncer has a job of ours; to publish it */
	uint64_t syncing_to;       /* what that job will have synced */
};

void part_init(struct part *p, struct dir *d, struct syncer *s);

/* NAME.part.new of an interrupted rewrite. 0, and the name of the NAME.part it was for; or -1. */
int part_temporary(const char *entry, struct name *out);

/* A new NAME.part. EEXIST: this segment is in the spool already. A damaged file in its place is put aside as
 * NAME.part.damaged-N. */
int part_create(struct part *p, const struct name *n);
/* An open NAME.part is taken over (fd belongs to p then) and synced. Its first length bytes are whole
 * records; unreadable: some of them cannot be read, so what can be is written to a new file. */
int part_adopt(struct part *p, const struct name *n, int fd, uint64_t length, bool unreadable);
/* A whole record. EFBIG: the file may not grow any more, the record is not in it. */
int part_append(struct part *p, const uint8_t *record, size_t n);
int part_sync(struct part *p);
/* Sync, rename to NAME.cam, sync the directory, close. EEXIST: there is one already, NAME.part stays. */
int part_publish(struct part *p);
void part_close(struct part *p);

/* Only when the syncer is not busy. */
void part_sync_begin(struct part *p);
/* EEXIST: as above, at once. */
int part_publish_begin(struct part *p);
/* What the syncer says to the job that it has of ours. When it was to publish, p is closed or EEXIST. */
int part_answered(struct part *p, struct syncer_answer a);
#endif
