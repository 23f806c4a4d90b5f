/* objectlock: retention that is asked for with each object (S3 Object Lock). Pure. */
#ifndef OBJECTLOCK_H
#define OBJECTLOCK_H
#include <stdint.h>

enum { OBJECTLOCK_DAYS_MAX = 36500, OBJECTLOCK_DATE_BYTES = 32 };

struct objectlock {
	const char *mode; /* "GOVERNANCE" or "COMPLIANCE"; NULL: nothing is asked for */
	int64_t days;
};

/* governance:30. 0, or -1. */
int objectlock_parse(const char *text, struct objectlock *out);
/* 2026-12-31T23:59:59Z: until when an object that is stored now is to be kept. */
void objectlock_until(char out[OBJECTLOCK_DATE_BYTES], const struct objectlock *l, int64_t now_s);
/* What the server says of an object ("" for what it does not say). until: what was asked for with it, or NULL
 * for an object that was there before. NULL, or what is wrong with it. */
const char *objectlock_judge(
        const struct objectlock *l, const char *until, const char *got_mode, const char *got_until);
#endif
