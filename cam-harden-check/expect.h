/* expect: what a rule expects, and on what condition, as an expression over facts: cam-policy(5).
 *
 *     EXPRESSION = ALL { " or " ALL }      ALL = TERM { " and " TERM }      TERM = [ GROUP:KEY " " ] TEST
 *     TEST = y | n | m | absent | present | empty | nonempty | review | attested
 *          | is V | not V | at-least N | at-most N | contains V,V | lacks V,V | only V,V | matches GLOB | max
 * GROUP:KEY V
 *
 * Without GROUP:KEY a test is of the rule's own key. What cannot be known is UNKNOWN: it makes neither a yes
 * nor a no, and decides only where nothing known does (Kleene's logic).
 *
 * "review" and "attested" are a person's to decide, who writes down what he saw; what a device shows is held
 * against that. "attested" is of what no device shows. */
#ifndef EXPECT_H
#define EXPECT_H
#include "evidence.h"

enum truth { TRUTH_NO, TRUTH_UNKNOWN, TRUTH_YES };

enum { EXPECT_TERMS_MAX = 16 };

enum test {
	TEST_Y,
	TEST_N,
	TEST_M,
	TEST_ABSENT,
	TEST_PRESENT,
	TEST_EMPTY,
	TEST_NONEMPTY,
	TEST_REVIEW,
	TEST_ATTESTED,
	TEST_IS,
	TEST_NOT,
	TEST_AT_LEAST,
	TEST_AT_MOST,
	TEST_CONTAINS,
	TEST_LACKS,
	TEST_ONLY,
	TEST_MATCHES,
	TEST_MAX,
};

struct term {
	const char *group, *key;         /* key may have one * or {a,b} */
	const char *max_group, *max_key; /* of TEST_MAX */
	const char *value;
	enum test test;
	int or ; /* begins an alternative */
};

struct expect {
	struct term term[EXPECT_TERMS_MAX];
	unsigned terms; /* 0: always true */
};

/* text is cut up in place and must live as long as out. key NULL: a condition, in which a bare name before a
 * test is of the group "device". NULL, or what is wrong. */
const char *expect_parse(char *text, const char *group, const char *key, struct expect *out);

/* May a person judge any of it? */
int expect_has_review(const struct expect *);

/* The group in which the facts of a rule's key are kept: CONFIG_ keys in kconfig, those of netsysctl in
 * sysctl. */
const char *expect_group(const char *group, const char *key);
#endif
