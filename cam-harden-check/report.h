/* report: findings in the form that is asked for. Data only, to a stream; whether it got there is the
 * caller's to see. */
#ifndef REPORT_H
#define REPORT_H
#include "judge.h"

#include <stdio.h>

struct report {
	const struct findings *findings;
	const struct policy *policy;
	const char *arch, *board, *kernel; /* "" unknown */
	const char *nonce;                 /* of a verifier, or NULL */
	int every, colour;                 /* text: passes too; escape sequences */
};

/* -1 with ENOMEM. */
int report_text(const struct report *, FILE *);
int report_json(const struct report *, FILE *);
int report_tap(const struct report *, FILE *);
int report_sarif(const struct report *, FILE *);
int report_junit(const struct report *, FILE *);
int report_release(const struct report *, FILE *);

/* The same bytes as report_json() writes, to be freed; NULL with ENOMEM. */
char *report_json_text(const struct report *);

/* The report with a quote of the TPM over it, or why there is none: for cam-seal -R. */
struct quoter;
int report_attested(const struct report *, struct quoter *, const char *key, FILE *);

/* What is different from an older report in JSON: lines of text. How many, or -1 when text is no such report
 * (why). */
int report_changes(const struct report *, const char *text, size_t n, FILE *, char why[POLICY_WHY_BYTES_MAX]);
#endif
