#define _GNU_SOURCE
#include "objectlock.h"

#include "number.h"

#include <string.h>
#include <time.h>

int objectlock_parse(const char *text, struct objectlock *out)
{
	static const struct {
		const char *head, *mode;
	} known[] = {{"governance:", "GOVERNANCE"}, {"compliance:", "COMPLIANCE"}};
	uint64_t days;

	for (unsigned i = 0; i < sizeof known / sizeof *known; i++) {
		const size_t n = strlen(known[i].head);
		if (strncmp(text, known[i].head, n) != 0)
			continue;
		if (number_parse(text + n, 1, OBJECTLOCK_DAYS_MAX, &days) < 0)
			return -1;
		*out = (struct objectlock){.mode = known[i].mode, .days = (int64_t)days};
		return 0;
	}
	return -1;
}

void objectlock_until(char out[OBJECTLOCK_DATE_BYTES], const struct objectlock *l, int64_t now_s)
{
	static const int64_t date_s_max = 253402300799; /* the format has four digits for the year */
	int64_t at_s = now_s + l->days * 86400;
	time_t t = (time_t)(at_s < date_s_max ? at_s : date_s_max);
	struct tm tm;
	gmtime_r(&t, &tm);
	strftime(out, OBJECTLOCK_DATE_BYTES, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

/* Servers add fractions of seconds. -1 when it is no such date. */
static int64_t date_s(const char *text)
{
	struct tm tm = {0};
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	if (!end || (*end != 'Z' && *end != '.' && *end != '+'))
		return -1;
	return (int64_t)timegm(&tm);
}

const char *objectlock_judge(
        const struct objectlock *l, const char *until, const char *got_mode, const char *got_until)
{
	if (!*got_mode)
		return "not locked";
	if (strcmp(got_mode, l->mode) != 0 && strcmp(got_mode, "COMPLIANCE") != 0)
		return "locked, but in another mode";
	int64_t got_s = date_s(got_until);
	if (got_s < 0)
		return "locked until nobody knows when";
	if (until && got_s < date_s(until))
		return "locked, but for a shorter time";
	return NULL;
}
