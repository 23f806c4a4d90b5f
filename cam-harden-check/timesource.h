/* timesource: who sets the clock of the running device, and whether he can tell whose time he takes. */
#ifndef TIMESOURCE_H
#define TIMESOURCE_H
#include "evidence.h"
#include "lines.h"
#include "where.h"

#include <stdbool.h>

enum { TIMESOURCE_INCLUDES_MAX = 16 };

/* What the lines of a configuration come to. */
struct timesource {
	unsigned nts, keyed, plain;
	bool required;                                         /* plain ones are passed over */
	struct lines_include include[TIMESOURCE_INCLUDES_MAX]; /* more files that were named */
	unsigned includes;
	bool strange; /* something that is not understood */
};

/* A line of chrony.conf(5) or ntp.conf(5), cut up in place; what is no such directive says nothing. */
void timesource_line(char *line, void *timesource);
/* "nts", "key" (some are known by a shared key), "plain" (some are not known at all), or NULL: nobody. */
const char *timesource_kind(const struct timesource *);

/* The keys "ntp" of the group "net" and "clock-source" of the group "integrity". Live only. 0, or -1:
 * evidence full. */
int timesource_collect(struct evidence *, const struct where *);
#endif
