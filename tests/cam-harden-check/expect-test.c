/* Expressions: which combinations of known and unknown make a yes, a no, or neither; patterns; numbers. */
#define _GNU_SOURCE
#include "expect-judge.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>

static struct evidence *e;

static struct expect_seen seen; /* by the last one that was judged */

static enum truth judged(const char *group, const char *key, const char *text, const char *reviewed)
{
	static struct expect x;
	char *copy = strdup(text);
	const char *why = copy ? expect_parse(copy, group, key, &x) : "memory";
	enum truth is = why ? (enum truth)99 : expect_judge(&x, e, reviewed, &seen);

	free(copy);
	return is;
}

static enum truth of(const char *group, const char *key, const char *text)
{
	return judged(group, key, text, NULL);
}

static void three_values(void)
{
	static const struct {
		const char *text;
		enum truth is;
	} cases[] = {
	        {"y", TRUTH_YES},
	        {"n", TRUTH_NO},
	        {"sysctl:unseen is 1", TRUTH_UNKNOWN},
	        {"y or sysctl:unseen is 1", TRUTH_YES},
	        {"sysctl:unseen is 1 or y", TRUTH_YES},
	        {"n or sysctl:unseen is 1", TRUTH_UNKNOWN},
	        {"y and sysctl:unseen is 1", TRUTH_UNKNOWN},
	        {"n and sysctl:unseen is 1", TRUTH_NO},
	        {"sysctl:unseen is 1 and n", TRUTH_NO},
	        {"n and y or y", TRUTH_YES},
	        {"y or n and n", TRUTH_YES},
	        {"sysctl:denied absent", TRUTH_UNKNOWN},
	        {"sysctl:denied empty or n", TRUTH_UNKNOWN},
	        {"group:thing empty", TRUTH_UNKNOWN},
	        {"review", TRUTH_UNKNOWN},
	        {"review or y", TRUTH_YES},
	        {"attested", TRUTH_UNKNOWN},
	        {"attested or y", TRUTH_YES},
	        {"attested and n", TRUTH_NO},
	        {"kconfig:CONFIG_NOT_THERE n", TRUTH_YES},
	        {"kconfig:CONFIG_NOT_THERE is 3", TRUTH_NO},
	        {"kconfig:CONFIG_NOT_THERE absent", TRUTH_YES},
	        {"sysctl:none absent", TRUTH_YES},
	        {"sysctl:none is 1", TRUTH_NO},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		ok(of("kconfig", "CONFIG_A", cases[i].text) == cases[i].is, "%s", cases[i].text);
}

static void tests_of_values(void)
{
	static const struct {
		const char *key, *text;
		enum truth is;
	} cases[] = {
	        {"number", "at-least 10", TRUTH_YES},
	        {"number", "at-least 11", TRUTH_NO},
	        {"number", "at-most 10", TRUTH_YES},
	        {"number", "at-least -5", TRUTH_YES},
	        {"number", "is 010", TRUTH_NO},
	        {"version", "at-least 6.2", TRUTH_YES},
	        {"version", "at-least 6.12.48", TRUTH_YES},
	        {"version", "at-least 6.13", TRUTH_NO},
	        {"version", "at-most 6.12.999", TRUTH_YES},
	        {"words", "at-least 1", TRUTH_UNKNOWN},
	        {"words", "contains b", TRUTH_YES},
	        {"words", "contains a,c", TRUTH_YES},
	        {"words", "contains a,d", TRUTH_NO},
	        {"words", "contains bb", TRUTH_NO},
	        {"words", "lacks d,e", TRUTH_YES},
	        {"words", "lacks d,a", TRUTH_NO},
	        {"words", "only a,b,c,d", TRUTH_YES},
	        {"words", "only a,b", TRUTH_NO},
	        {"list", "contains one", TRUTH_YES},
	        {"list", "lacks three", TRUTH_YES},
	        {"list", "only one", TRUTH_NO},
	        {"list", "only one,two", TRUTH_YES},
	        {"list", "empty", TRUTH_NO},
	        {"blank", "empty", TRUTH_YES},
	        {"blank", "present", TRUTH_YES},
	        {"blank", "nonempty", TRUTH_NO},
	        {"path", "matches /dev/dm-*", TRUTH_YES},
	        {"path", "matches /dev/sd*", TRUTH_NO},
	        {"number", "max sysctl:most 3", TRUTH_YES},
	        {"words", "max sysctl:most 3", TRUTH_NO},
	        {"number", "max sysctl:unseen 3", TRUTH_UNKNOWN},
	        {"net.*.on", "is 1", TRUTH_NO},
	        {"net.{a,b}.on", "is 1", TRUTH_YES},
	        {"net.{a,c}.on", "is 1", TRUTH_NO},
	        {"net.{a,d}.on", "is 1", TRUTH_UNKNOWN},
	        {"nothing.*", "is 1", TRUTH_UNKNOWN},
	        {"gone.*.on", "is 1 or absent", TRUTH_YES},
	        {"gone.*.on", "is 0", TRUTH_NO},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		ok(of("sysctl", cases[i].key, cases[i].text) == cases[i].is, "%s %s", cases[i].key,
		        cases[i].text);
}

static void refused(void)
{
	static const char *const texts[] = {"", "yes", "is", "y 1", "at-least x",
	        "at-most 99999999999999999999", "max CONFIG_X 3", "max a:b", "y or", "y and and y", "a: y",
	        ":b y", "a:b{ y", "a:b{c y", "a:**b y", "review y", "attested -", "a:b* review",
	        "a:b{c,d} review", "review or review", "review or attested"};
	char many[1024] = "y";

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		ok(of("sysctl", "number", texts[i]) == (enum truth)99, "refused: \"%s\"", texts[i]);
	for (int i = 0; i < EXPECT_TERMS_MAX; i++)
		snprintf(many + strlen(many), sizeof many - strlen(many), " or y");
	ok(of("sysctl", "number", many) == (enum truth)99, "refused: too many terms");
	ok(of("kconfig", NULL, "board review") == (enum truth)99,
	        "refused: a condition that waits for a person");
	ok(of("kconfig", NULL, "a:b attested") == (enum truth)99, "refused: one that nothing shows");
}

/* What a person has judged holds for that value in one form, and for no other. */
static void reviews(void)
{
	static const struct {
		const char *key, *text, *reviewed;
		enum truth is;
		enum review by;
	} cases[] = {
	        {"number", "review", NULL, TRUTH_UNKNOWN, REVIEW_NEEDED},
	        {"number", "review", "10", TRUTH_YES, REVIEW_HELD},
	        {"number", "review", "1", TRUTH_NO, REVIEW_CHANGED},
	        {"number", "review", "100", TRUTH_NO, REVIEW_CHANGED},
	        {"number", "review", "-", TRUTH_NO, REVIEW_CHANGED},
	        {"list", "review", "one,two", TRUTH_YES, REVIEW_HELD},
	        {"list", "review", "two,one", TRUTH_NO, REVIEW_CHANGED},
	        {"list", "review", "one", TRUTH_NO, REVIEW_CHANGED},
	        {"tsil", "review", "one,two", TRUTH_YES, REVIEW_HELD},
	        {"comma", "review", "one\\,two\\\\", TRUTH_YES, REVIEW_HELD},
	        {"comma", "review", "one,two", TRUTH_NO, REVIEW_CHANGED},
	        {"rest", "review", NULL, TRUTH_UNKNOWN, REVIEW_NONE},
	        {"rest", "review", "one", TRUTH_UNKNOWN, REVIEW_NONE},
	        {"rest", "review", "one,and 3 more", TRUTH_UNKNOWN, REVIEW_NONE},
	        {"rest", "lacks two", NULL, TRUTH_UNKNOWN, REVIEW_NONE},
	        {"rest", "lacks one", NULL, TRUTH_NO, REVIEW_NONE},
	        {"rest", "empty", NULL, TRUTH_NO, REVIEW_NONE},
	        {"rest", "contains one", NULL, TRUTH_YES, REVIEW_NONE},
	        {"long", "review", NULL, TRUTH_UNKNOWN, REVIEW_NONE},
	        {"many", "review", NULL, TRUTH_UNKNOWN, REVIEW_NONE},
	        {"none", "review", "not there", TRUTH_YES, REVIEW_HELD},
	        {"none", "review", "\"not there\"", TRUTH_NO, REVIEW_CHANGED},
	        {"posing", "review", "not there", TRUTH_NO, REVIEW_CHANGED},
	        {"posing", "review", "\"not there\"", TRUTH_YES, REVIEW_HELD},
	        {"dash", "review", "-", TRUTH_NO, REVIEW_CHANGED},
	        {"dash", "review", "\"-\"", TRUTH_YES, REVIEW_HELD},
	        {"blank", "review", "\"\"", TRUTH_YES, REVIEW_HELD},
	        {"quoted", "review", "\"-\"", TRUTH_NO, REVIEW_CHANGED},
	        {"padded", "review", "x y", TRUTH_YES, REVIEW_HELD},
	        {"denied", "review", "not seen", TRUTH_UNKNOWN, REVIEW_NONE},
	        {"denied", "review", "permission", TRUTH_UNKNOWN, REVIEW_NONE},
	        {"nobody-looked", "review", "-", TRUTH_UNKNOWN, REVIEW_NONE},
	        {"nobody-looked", "attested", "-", TRUTH_YES, REVIEW_HELD},
	        {"nobody-looked", "attested", NULL, TRUTH_UNKNOWN, REVIEW_NEEDED},
	        {"nobody-looked", "attested", "yes", TRUTH_NO, REVIEW_CHANGED},
	        {"number", "attested", "10", TRUTH_NO, REVIEW_CHANGED},
	        {"list", "empty or review", "one", TRUTH_NO, REVIEW_CHANGED},
	        {"list", "empty or review", NULL, TRUTH_UNKNOWN, REVIEW_NEEDED},
	        {"list", "empty or review", "one,two", TRUTH_YES, REVIEW_HELD},
	        {"none", "empty or review", "one,two", TRUTH_YES, REVIEW_NONE},
	        {"number", "is 10 and review", "10", TRUTH_YES, REVIEW_HELD},
	        {"number", "is 11 and review", "10", TRUTH_NO, REVIEW_NONE},
	        {"number", "review and is 11", "10", TRUTH_NO, REVIEW_NONE},
	        {"number", "review and sysctl:denied is 1", "10", TRUTH_UNKNOWN, REVIEW_NONE},
	        {"number", "review and sysctl:denied is 1", NULL, TRUTH_UNKNOWN, REVIEW_NONE},
	        {"number", "sysctl:denied is 1 and review", NULL, TRUTH_UNKNOWN, REVIEW_NONE},
	        {"number", "sysctl:denied is 1 or review", NULL, TRUTH_UNKNOWN, REVIEW_NEEDED},
	        {"number", "sysctl:path review", "/dev/dm-0", TRUTH_YES, REVIEW_HELD},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		enum truth is = judged("sysctl", cases[i].key, cases[i].text, cases[i].reviewed);
		ok(is == cases[i].is && seen.review == cases[i].by, "%s %s, judged %s: %s", cases[i].key,
		        cases[i].text, cases[i].reviewed ? cases[i].reviewed : "by nobody", seen.value);
	}
}

static int reviews_facts(void)
{
	static char longer[EXPECT_SEEN_BYTES_MAX + 1], item[16];
	int r = 0;

	memset(longer, 'x', sizeof longer - 1);
	r |= evidence_item(e, "sysctl", "tsil", "two", "t") | evidence_item(e, "sysctl", "tsil", "one", "t");
	r |= evidence_item(e, "sysctl", "comma", "one,two\\", "t");
	r |= evidence_item(e, "sysctl", "rest", "one", "t") |
	     evidence_rest(e, "sysctl", "rest", "and 3 more", "t");
	r |= evidence_fact(e, "sysctl", "long", longer, "t");
	for (int i = 0; i < 300; i++) {
		snprintf(item, sizeof item, "%d", i);
		r |= evidence_item(e, "sysctl", "many", item, "t");
	}
	r |= evidence_fact(e, "sysctl", "posing", "not there", "t");
	r |= evidence_fact(e, "sysctl", "dash", "-", "t") |
	     evidence_fact(e, "sysctl", "quoted", "\"-\"", "t");
	return r | evidence_fact(e, "sysctl", "padded", " x y\t", "t");
}

static void bounds(void)
{
	static char big[EVIDENCE_VALUE_BYTES_MAX + 2];
	struct evidence *own = evidence_new();

	memset(big, 'x', sizeof big - 1);
	ok(own && evidence_fact(own, "g", "k", big, "s") < 0 && evidence_overflow(own),
	        "a value that is too long is refused, and known");
	evidence_free(own);
	own = evidence_new();
	ok(own && evidence_fact(own, "g", "k", "a\033b", "s") < 0 && evidence_overflow(own),
	        "so is one with an escape in it");
	evidence_free(own);
	own = evidence_new();
	char key[32];
	int r = own ? 0 : -1, added = 0;
	for (int i = 0; i <= EVIDENCE_FACTS_MAX && !r; i++, added += !r) {
		snprintf(key, sizeof key, "k%d", i);
		r = evidence_fact(own, "g", key, "v", "s");
	}
	ok(r < 0 && added == EVIDENCE_FACTS_MAX && evidence_overflow(own), "%d facts, and no more", added);
	ok(evidence_first(own, "g", "k77777") && !evidence_first(own, "h", "k77777"), "each is found");
	evidence_free(own);
}

int main(void)
{
	e = evidence_new();
	int r = !e;
	r |= evidence_fact(e, "kconfig", "CONFIG_A", "y", "t") | evidence_whole(e, "kconfig", "t");
	r |= evidence_fact(e, "sysctl", "number", "10", "t") | evidence_fact(e, "sysctl", "most", "10", "t");
	r |= evidence_fact(e, "sysctl", "version", "6.12.48", "t") |
	     evidence_fact(e, "sysctl", "words", "a,b c", "t");
	r |= evidence_item(e, "sysctl", "list", "one", "t") | evidence_item(e, "sysctl", "list", "two", "t");
	r |= evidence_fact(e, "sysctl", "blank", "", "t") |
	     evidence_fact(e, "sysctl", "path", "/dev/dm-0", "t");
	r |= evidence_none(e, "sysctl", "gone.*.on", "no such folder");
	r |= evidence_fact(e, "sysctl", "gone.all.on", "0", "a file");
	r |= evidence_fact(e, "sysctl", "net.a.on", "1", "t") |
	     evidence_fact(e, "sysctl", "net.b.on", "1", "t");
	r |= evidence_fact(e, "sysctl", "net.c.on", "0", "t") | evidence_none(e, "sysctl", "none", "t");
	r |= evidence_unseen(e, "sysctl", "denied", "permission") |
	     evidence_fact(e, "group", "thing", "x", "t");
	r |= evidence_unseen(e, "group", NULL, "cut off") | reviews_facts();
	ok(!r, "evidence is taken");
	three_values();
	tests_of_values();
	refused();
	reviews();
	bounds();
	evidence_free(e);
	return tap_done();
}
