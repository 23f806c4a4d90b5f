/* expect-judge: what an expression comes to on what was seen. */
#ifndef EXPECT_JUDGE_H
#define EXPECT_JUDGE_H
#include "expect.h"
#include "review.h"

enum { EXPECT_SEEN_BYTES_MAX = REVIEW_BYTES_MAX, EXPECT_SOURCE_BYTES_MAX = 512 };

enum review {
	REVIEW_NONE,    /* it is not that what decided */
	REVIEW_NEEDED,  /* unknown until a person judges the value */
	REVIEW_HELD,    /* the value is the one that was judged */
	REVIEW_CHANGED, /* it is another one */
};

/* What decided it, for people. The value of a review is whole, in one form whatever the order of a list. */
struct expect_seen {
	char value[EXPECT_SEEN_BYTES_MAX];
	char source[EXPECT_SOURCE_BYTES_MAX];
	enum review review;
};

/* reviewed: the value that a person has judged, or NULL. */
enum truth expect_judge(
        const struct expect *, const struct evidence *, const char *reviewed, struct expect_seen *);

/* Does a key with one * or {a,b} mean this one? A * stands for at least one character. */
int expect_key_matches(const char *pattern, const char *key);
#endif
