#define _GNU_SOURCE
#include "room.h"

#include "incoming.h"
#include "msg.h"
#include "removal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
	FLOOR_BYTES = 256 << 20,
	FLOOR_PERCENT = 5,
	PENDING_MS = 600000, /* so long what was removed is believed to become free */
	DRIFT_MS = 600000,   /* after so long the account is checked before anything unsent goes */
	AGAIN_MS = 5000,     /* while waiting, it is checked this often, */
	AGAIN_COST = 20,     /* and no more than a twentieth of the time */
};

enum shortage { NOT_SHORT, SHORT_OF_FLOOR, SHORT_OF_QUOTA };

void room_init(struct room *r, struct dir *d, const struct part *p, const struct part *ending,
        uint64_t quota_bytes, uint64_t floor_bytes, bool keep_unsent)
{
	struct statvfs fs;

	memset(r, 0, sizeof *r);
	r->dir = d;
	r->part = p;
	r->ending = ending;
	r->quota_bytes = quota_bytes;
	r->floor_bytes = floor_bytes;
	r->keep_unsent = keep_unsent;
	if (floor_bytes == ROOM_FLOOR_DEFAULT) {
		r->floor_bytes = FLOOR_BYTES;
		if (fstatvfs(d->fd, &fs) == 0 &&
		        (uint64_t)fs.f_blocks * fs.f_frsize / 100 * FLOOR_PERCENT < FLOOR_BYTES)
			r->floor_bytes = (uint64_t)fs.f_blocks * fs.f_frsize / 100 * FLOOR_PERCENT;
	}
	pack_init(&r->pack, d, quota_bytes);
	removal_init(r);
	d->room = r;
}

void room_start(struct room *r)
{
	struct pack_lost lost;

	pack_recover(&r->pack);
	pack_shorten(&r->pack, &lost);
}

/* --- looking --- */

/* Free space, and how much of what was removed has become free by now: more is free than our own writing
 * explains. */
static void free_look(struct room *r)
{
	struct statvfs fs;

	if (fstatvfs(r->dir->fd, &fs) < 0)
		return;
	uint64_t now_free = (uint64_t)fs.f_bavail * fs.f_frsize;
	uint64_t shown = now_free + r->grown > r->free_bytes ? now_free + r->grown - r->free_bytes : 0;
	r->pending -= shown < r->pending ? shown : r->pending;
	if (r->pending && dir_now_ms() - r->pending_ms > PENDING_MS)
		r->pending = 0;
	r->free_bytes = now_free;
	r->grown = 0;
}

static void part_look(struct room *r)
{
	struct stat st;
	uint64_t takes = 0;

	if (r->part->fd >= 0) {
		takes = r->part->length;
		if (fstat(r->part->fd, &st) == 0 && dir_taken(&st) > takes)
			takes = dir_taken(&st);
	}
	if (takes > r->part_bytes)
		r->grown += takes - r->part_bytes;
	r->part_bytes = takes;
}

/* All that the directory takes, itself included. */
static uint64_t total_bytes(const struct room *r)
{
	struct stat st;
	return r->bytes + r->part_bytes + (fstat(r->dir->fd, &st) == 0 ? dir_taken(&st) : 0);
}

static enum shortage shortage(struct room *r, uint64_t ahead)
{
	part_look(r);
	if (r->quota_bytes && !r->counted)
		removal_scan(r);
	if (r->quota_bytes && total_bytes(r) + ahead > r->quota_bytes) {
		r->why = "the quota is used up";
		return SHORT_OF_QUOTA;
	}
	if (!r->floor_bytes)
		return NOT_SHORT;
	free_look(r);
	r->why = "too little space is free";
	return r->free_bytes + r->pending < r->floor_bytes + ahead ? SHORT_OF_FLOOR : NOT_SHORT;
}

/* --- making --- */

/* Removes until there is enough. *failed: it ended because something could not be removed. */
static enum shortage make(struct room *r, uint64_t ahead, bool *failed)
{
	enum shortage s;

	*failed = false;
	while ((s = shortage(r, ahead))) {
		if (s == SHORT_OF_QUOTA && dir_now_ms() - r->scan_ms > DRIFT_MS && !removal_sent_waits(r)) {
			removal_scan(r);
			continue;
		}
		int removed = removal_next(r);
		*failed = removed < 0;
		if (removed <= 0)
			break;
	}
	return s;
}

void room_freed(struct room *r, uint64_t bytes)
{
	r->bytes -= bytes < r->bytes ? bytes : r->bytes;
	r->files -= r->files > 0;
	r->pending += bytes;
	r->pending_ms = dir_now_ms();
	free_look(r);
}

void room_freeing(struct room *r)
{
	part_look(r);
	free_look(r);
}

static void waiting_tell(struct room *r, enum shortage s)
{
	if (r->full_ms)
		return;
	r->full_ms = dir_now_ms();
	removal_tell(r, true);
	msg("no room: %s, and %s: input waits",
	        s == SHORT_OF_QUOTA ? "the quota is used up" : "too little space is free",
	        r->keep_unsent && removal_cam_waits(r) ? "nothing of what is left has been stored (-N)"
	                                               : "nothing is left to remove");
}

static void waiting_over(struct room *r)
{
	if (r->full_ms)
		msg("there is room again after %llu s",
		        (unsigned long long)(dir_now_ms() - r->full_ms) / 1000);
	r->full_ms = 0;
}

/* Would there be enough without the open segment, and is there no other to remove? */
static bool alone(struct room *r)
{
	return r->part->fd >= 0 && !removal_cam_waits(r) &&
	       total_bytes(r) - r->part_bytes + 2 * ROOM_AHEAD_BYTES <= r->quota_bytes;
}

static enum room_answer grant(struct room *r)
{
	waiting_over(r);
	r->granted_from = r->part->length;
	r->granted = r->part->fd >= 0 ? r->part->length + ROOM_GRANT_BYTES : 0;
	return ROOM_OK;
}

static bool check_again(const struct room *r)
{
	uint64_t pause = AGAIN_COST * r->scan_cost_ms > AGAIN_MS ? AGAIN_COST * r->scan_cost_ms : AGAIN_MS;
	return dir_now_ms() - r->scan_ms > pause;
}

enum room_answer room_ahead(struct room *r)
{
	bool failed;

	if (r->part->fd >= 0 && r->part->length >= r->granted_from &&
	        r->part->length + INCOMING_BYTES <= r->granted)
		return ROOM_OK;
	enum shortage s = make(r, ROOM_AHEAD_BYTES, &failed);
	if (s && !failed && check_again(r)) {
		removal_scan(r);
		s = make(r, ROOM_AHEAD_BYTES, &failed);
	}
	if (s == SHORT_OF_FLOOR && !failed && !(r->keep_unsent && removal_cam_waits(r))) {
		if (!r->low)
			msg("less than %llu bytes are free, and nothing is left to remove: recording goes on",
			        (unsigned long long)r->floor_bytes);
		r->low = true;
		return grant(r);
	}
	if (!s) {
		r->low = false;
		return grant(r);
	}
	if (s == SHORT_OF_QUOTA && alone(r))
		return ROOM_ALONE;
	waiting_tell(r, s);
	return ROOM_WAIT;
}

void room_make(struct room *r, uint64_t bytes)
{
	bool failed;
	(void)make(r, bytes + ROOM_AHEAD_BYTES, &failed);
}

int room_evict(struct room *r)
{
	r->why = "the disk is full";
	if (removal_next(r) <= 0)
		return 0;
	/* open elsewhere: it has not helped yet, and the next one should not go at once */
	return r->pending < ROOM_AHEAD_BYTES || r->free_bytes >= ROOM_AHEAD_BYTES;
}

void room_ended(struct room *r)
{
	part_look(r);
	r->bytes += r->part_bytes;
	r->files++;
	r->part_bytes = r->granted = r->granted_from = 0;
}

/* --- time --- */

void room_tick(struct room *r)
{
	removal_tell(r, false);
	if (r->pack.fd >= 0 && dir_now_ms() - r->pack.added_ms >= ROOM_PACK_MS)
		pack_close(&r->pack);
}

int room_timeout_ms(const struct room *r)
{
	uint64_t now = dir_now_ms(), due = UINT64_MAX;

	if (r->full_ms)
		return ROOM_RETRY_MS;
	if (r->sent_tally.n || r->cam_tally.n)
		due = now + ROOM_RETRY_MS;
	if (r->pack.fd >= 0 && r->pack.added_ms + ROOM_PACK_MS < due)
		due = r->pack.added_ms + ROOM_PACK_MS;
	return due == UINT64_MAX ? -1 : due > now ? (int)(due - now) : 0;
}

void room_close(struct room *r)
{
	removal_tell(r, true);
	pack_close(&r->pack);
}
