/* ship: which segment is sent when, and what is said of its fate. One transfer at a time. */
#ifndef SHIP_H
#define SHIP_H
#include "backoff.h"
#include "upload.h"
#include "waiting.h"

enum {
	SHIP_TROUBLES_MAX =
	        3, /* tries in a row of one segment that may be to blame, before others come first */
	SHIP_ONCE_AWAY_MAX = 4,     /* -1: attempts in a row that found no server */
	SHIP_ONCE_TROUBLED_MAX = 3, /* -1: segments in a row that met trouble */
};

struct ship {
	CURLM *multi;
	struct target target;
	struct transfer_setup setup;
	struct waiting waiting;
	struct backoff backoff;
	struct upload upload;
	int busy; /* upload is under way */
	int held; /* name is to be tried again after the backoff */
	struct name name;
	unsigned troubles, troubled, away;
	int once;                      /* -1 */
	int draining;                  /* stdin has ended: leave when all is stored */
	char said[NAME_BYTES_MAX + 1]; /* a line that stdout has not taken yet, or empty */
};

/* Begin with the next segment if nothing speaks against it. */
void ship_start(struct ship *s, int64_t now_ms);
/* The transfer in hand has ended. */
void ship_finished(struct ship *s, CURLcode result, int64_t now_ms);
/* When ship_start may have something to do again; for a transfer in hand the multi handle knows itself. */
int64_t ship_wake_ms(const struct ship *s);
/* Whether it is time to leave, and with what. */
int ship_done(const struct ship *s, int *code);
#endif
