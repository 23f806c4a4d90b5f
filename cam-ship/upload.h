/* upload: one segment or stub on its way to the server, from opening its file to a verdict. */
#ifndef UPLOAD_H
#define UPLOAD_H
#include "backoff.h"
#include "name.h"
#include "target.h"
#include "transfer.h"

#include <sys/stat.h>

enum verdict {
	UPLOAD_GOES_ON, /* a request is on its way */
	UPLOAD_STORED,  /* the server has exactly these bytes under the segment's key */
	UPLOAD_GONE,    /* the file is no longer there */
	UPLOAD_AWAY,    /* there is no server to speak of: it is not this segment's fault */
	UPLOAD_TROUBLE, /* it failed, perhaps because of this segment, perhaps because of the server */
	UPLOAD_ASIDE,   /* it failed because of this segment */
};

enum webdav_step {
	WEBDAV_ORPHAN,
	WEBDAV_LOOK,
	WEBDAV_LOOK_COMPARE,
	WEBDAV_PUT,
	WEBDAV_MKCOL,
	WEBDAV_READ_BACK,
	WEBDAV_MOVE,
	WEBDAV_CONFIRM,
	WEBDAV_TAKEN,
	WEBDAV_CLEAN,
};

struct webdav {
	enum webdav_step step;
	char tmp[TARGET_KEY_BYTES + 48]; /* key of a temporary object that may be on the server, or empty */
	int direct;         /* the PUT went to the key itself: others may learn only now that MOVE fails */
	int torn;           /* a torn copy of this segment lies at its key */
	int collections;    /* how many of the collections above the key have been asked for */
	unsigned depth;     /* of the next one, counted from the key */
	enum verdict after; /* what comes out when the temporary object is gone */
};

enum s3_step { S3_LOOK, S3_PUT, S3_HEAD, S3_COMPARE };

struct s3 {
	enum s3_step step;
	int existed;                       /* the key was taken already */
	int unconditional;                 /* the PUT goes without If-None-Match */
	int redated;                       /* the PUT was sent again by the server's clock */
	int relocked;                      /* the PUT was sent again because what is there is not locked */
	char until[OBJECTLOCK_DATE_BYTES]; /* what was asked for with the PUT */
};

struct upload {
	struct target *target;
	int dir_fd;
	struct transfer transfer;
	struct webdav webdav; /* webdav.tmp stays from one segment to the next */
	struct s3 s3;
	struct name name;
	char file_name[NAME_BYTES_MAX];
	char key[TARGET_KEY_BYTES];
	struct transfer_file file;
	struct stat st;
	int hashing; /* nothing was sent yet */
	struct digest hash;
	/* With every verdict but GOES_ON and STORED: */
	char why[BACKOFF_WHY_BYTES];
	int64_t retry_after_s;
};

enum { UPLOAD_SLICE_BYTES = 256 * 1024 }; /* hashed in one turn */

/* place: see transfer_init. 0, or -1 when out of memory. */
int upload_init(struct upload *u, struct target *target, int dir_fd, CURLM *multi,
        struct transfer_setup *setup, unsigned place);

/* Open n. Then u->hashing says that upload_hash is to be called. */
enum verdict upload_start(struct upload *u, const struct name *n);
/* Hash a slice; after the last one the first request is sent. */
enum verdict upload_hash(struct upload *u);

/* The multi handle has finished u->transfer. */
enum verdict upload_continue(struct upload *u, CURLcode result);
/* The dialer's answer for u->transfer. */
enum verdict upload_dialed(struct upload *u, const struct dialed *d);

/* For webdav.c and s3.c: write why and return the verdict. */
enum verdict upload_say(struct upload *u, enum verdict v, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));
/* The verdict on an answer that a step of a protocol has no use for: by the transport's error or the status.
 */
enum verdict upload_unexpected(struct upload *u, const char *doing);
#endif
