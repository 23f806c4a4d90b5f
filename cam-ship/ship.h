/* ship: which segment is sent when, and what is said of its fate. */
#ifndef SHIP_H
#define SHIP_H
#include "backoff.h"
#include "upload.h"
#include "waiting.h"

enum {
	SHIP_JOBS_MAX = 16,
	/* One place more than jobs: a name that waits for its next try does not keep the others from theirs.
	 */
	SHIP_PLACES_MAX = SHIP_JOBS_MAX + 1,
	SHIP_SAID_BYTES = 4096,
	SHIP_TROUBLES_MAX =
	        3, /* tries in a row of one segment that may be to blame, before others come first */
	SHIP_ONCE_AWAY_MAX = 4,     /* -1: attempts in a row that found no server */
	SHIP_ONCE_TROUBLED_MAX = 3, /* -1: segments in a row that met trouble */
};

enum place_state {
	PLACE_FREE,
	PLACE_BUSY, /* its upload is under way */
	PLACE_HELD, /* its name is to be tried again after the backoff */
};

struct place {
	enum place_state state;
	struct upload upload; /* upload.name is the name in hand */
	unsigned troubles;    /* of this name, in a row */
	int alone;            /* it may have broken a connection that others shared */
	unsigned outage;      /* ship.outage when it began */
	uint64_t stored;      /* ship.stored when it last failed */
};

struct ship {
	CURLM *multi;
	struct target target;
	struct transfer_setup setup;
	struct cap cap;
	struct dialer dialer;
	struct waiting waiting;
	struct backoff backoff;
	struct place place[SHIP_PLACES_MAX];
	unsigned turn;   /* the place to look at first: each gets its turn */
	unsigned active; /* places that are busy */
	unsigned limit; /* how many may be: it doubles with each success and falls to one with each failure */
	unsigned outage; /* counts failures: what began before the last one is part of it */
	unsigned troubled, away;
	uint64_t stored, stored_bytes;
	int once;                   /* -1 */
	int draining;               /* stdin has ended: leave when all is stored */
	char said[SHIP_SAID_BYTES]; /* lines that stdout has not taken yet, or empty */
};

/* After setup, waiting and multi are set. 0, or -1 when out of memory. */
int ship_init(struct ship *s);
/* Begin with what is next if nothing speaks against it. */
void ship_start(struct ship *s, int64_t now_ms);
/* A slice of what can be done without the network. 1: there is more to do at once. */
int ship_turn(struct ship *s, int64_t now_ms);
/* This easy handle's transfer has ended. */
void ship_finished(struct ship *s, const CURL *easy, CURLcode result, int64_t now_ms);
/* The dialer has answered. */
void ship_dialed(struct ship *s, const struct dialed *d, int64_t now_ms);
/* When one of these may have something to do again; for a transfer in hand the multi handle knows itself. */
int64_t ship_wake_ms(const struct ship *s, int64_t now_ms);
/* Whether it is time to leave, and with what. */
int ship_done(const struct ship *s, int *code);
#endif
