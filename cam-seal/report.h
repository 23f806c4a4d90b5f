/* report: what cam-open says of segments: messages, verdicts, a table, or JSON. Writes stdout and messages.
 */
#ifndef REPORT_H
#define REPORT_H
#include "reader.h"

#include <stdint.h>

enum report_form {
	REPORT_MESSAGES, /* findings as messages, nothing on stdout */
	REPORT_VERDICTS, /* a line for each verdict, "ok" for a segment without findings */
	REPORT_TABLE,    /* a line for each segment */
	REPORT_JSON,     /* an object for each segment and each finding outside of one, a line each */
};

void report_begin(enum report_form form);
/* For struct reader_sink. */
void report_verdict(void *ctx, enum reader_verdict v, const struct reader_segment *segment, const char *text);
void report_closed(void *ctx, const struct reader_segment *segment);
/* UTC of the newest verified mark or header that was reported, INT64_MIN when there was none. */
int64_t report_newest_utc_ns(void);
/* Says on a terminal how far reading has come; nothing elsewhere. */
void report_progress(unsigned files_done, unsigned files, uint64_t bytes);
void report_progress_clear(void);
#endif
