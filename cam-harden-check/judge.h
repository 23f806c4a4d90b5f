/* judge: the findings about a device: one for each rule, and one for each disagreement of sources. */
#ifndef JUDGE_H
#define JUDGE_H
#include "policy.h"

enum verdict { VERDICT_PASS, VERDICT_FAIL, VERDICT_SKIP, VERDICT_WAIVED, VERDICT_INCOMPLETE, VERDICTS };

struct finding {
	const char *id, *group, *key, *expected, *rule_source, *why, *breaks;
	enum severity severity;
	enum verdict verdict;
	char *fix;           /* a line of configuration or, of a review, of a policy; or "" */
	int review;          /* a person has to judge it, and the fix is that line */
	char *seen, *source; /* what the device shows, and where */
	char *reason;        /* of everything but a pass that no person has judged */
};

struct findings {
	struct finding *finding;
	size_t n, room;
	unsigned count[VERDICTS];
	unsigned score_got, score_all; /* cam-harden-check(8) */
};

const char *verdict_name(enum verdict);
/* -1 with ENOMEM. Strings of the policy are borrowed. */
int judge(const struct policy *, const struct evidence *, struct findings *out);
void findings_free(struct findings *);
/* The exit code: 0 all that applies passes, 1 a failure, 3 something could not be seen. */
int findings_exit(const struct findings *);
#endif
