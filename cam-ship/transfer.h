/* transfer: one HTTP request and its answer, by libcurl, streaming a segment out of or against an open file.
 */
#ifndef TRANSFER_H
#define TRANSFER_H
#include "cap.h"
#include "credentials.h"
#include "dialer.h"
#include "digest.h"
#include "objectlock.h"
#include "truetime.h"
#include "trust.h"

#include <curl/curl.h>
#include <sodium.h>
#include <stddef.h>
#include <stdint.h>

enum {
	TRANSFER_PLACES = 32,
	REQUEST_URL_BYTES = 1200,
	RESPONSE_BODY_BYTES = 2048,        /* what is kept of an error's body */
	RESPONSE_BODY_BYTES_MAX = 1 << 20, /* an answer that should be short is cut off here */
};

/* What holds for every request of the process. Strings must stay. */
struct transfer_setup {
	struct trust trust;
	struct truetime time;
	struct credentials credentials; /* S3 only */
	struct objectlock lock;         /* S3 only */
	long patience_s;                /* to connect, and without enough progress */
	int plain_http;                 /* http is possible besides https */
	unsigned jobs;                  /* transfers at the same time, at most */
	const struct dialer *dialer;
	struct cap *cap; /* on what is sent */
};

/* The bytes of a segment. The descriptor stays the caller's. */
struct transfer_file {
	int fd;
	uint64_t bytes;
	uint8_t sha256[DIGEST_BYTES];
};

struct request {
	const char *method; /* GET, HEAD, PUT, MOVE, MKCOL, DELETE */
	char url[REQUEST_URL_BYTES];
	struct curl_slist *header; /* freed by the transfer */
	int http1;                 /* not with HTTP/2, and asking first: see transfer_finish */
};

/* How the body of a 200 to a GET compares to the file. */
enum response_same {
	SAME_NOT, /* other bytes, or more of them */
	SAME_ALL,
	SAME_PREFIX, /* the first bytes of the file, and not all of them */
};

struct response {
	CURLcode result;
	int reached; /* a connection to a verified server was made, and the request went out */
	int shared;  /* with other requests: what broke the connection need not have been this one */
	int changed; /* the file turned out shorter than it was */
	long status; /* 0: no answer */
	enum response_same same;
	int64_t bytes;                  /* Content-Length, or -1 */
	uint64_t body_bytes;            /* that arrived */
	char body[RESPONSE_BODY_BYTES]; /* the first of them; not of a GET that was compared */
	char etag[128];
	char lock_mode[32], lock_until[64]; /* of S3 Object Lock; empty: none was told */
	int64_t retry_after_s;              /* or -1 */
	int64_t date_s;                     /* the server's clock, or -1 */
	char why[CURL_ERROR_SIZE];
};

struct transfer {
	CURL *easy;
	CURLM *multi;
	struct transfer_setup *setup;
	const struct transfer_file *file;
	uint64_t sent, got;
	int stopped; /* by us, in the middle of the answer: what we know is enough */
	int paused;  /* for the cap's sake */
	/* libcurl asks for a connected socket when it has no connection to use. If there is none, the request
	 * fails before anything was sent, the dialer is asked, and the request begins again with its answer.
	 */
	int fd;      /* connected, for libcurl to take, or -1 */
	int starved; /* libcurl asked and there was none */
	int dialing;
	uint32_t dial_id;
	int64_t dial_due_ms; /* by the boot clock: an answer that has not come by then is not waited for */
	struct digest hash;
	struct request req;
	struct response res;
};

/* What is the same for all: the store of CAs, the numeric address that stands in for the host's. 0 or -1. */
int transfers_init(CURLM *multi, const struct transfer_setup *setup);
/* place: less than TRANSFER_PLACES, each transfer has its own. -1 when out of memory. */
int transfer_init(struct transfer *t, CURLM *multi, struct transfer_setup *setup, unsigned place);
/* The place of the transfer that a dial was for; less than TRANSFER_PLACES. */
unsigned transfer_place(uint32_t dial_id);

void request_set(struct request *r, const char *method, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));
void request_header(struct request *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Send t->req: a PUT carries the file, a GET is compared to it. */
void transfer_start(struct transfer *t, const struct transfer_file *file);
/* The multi handle says that t->easy is done. 1: the answer is in t->res. 0: it waits for the dialer. */
int transfer_finish(struct transfer *t, CURLcode result);
/* What the dialer answered. Closes d->fd when nobody waits for it. 1: t->res says that it failed. 0: it goes
 * on.
 */
int transfer_dialed(struct transfer *t, const struct dialed *d);
/* A pause is over: the cap has room again. */
void transfer_resume(struct transfer *t);
#endif
