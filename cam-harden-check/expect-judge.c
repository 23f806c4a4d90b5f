/* Holds an expression against what was seen, and what was seen against what a person has judged. Reads
 * nothing itself; what was not seen never becomes a yes. */
#define _GNU_SOURCE
#include "expect-judge.h"

#include "value.h"

#include <stdio.h>
#include <string.h>

/* --- judging one key --- */

static enum truth truth(int yes)
{
	return yes ? TRUTH_YES : TRUTH_NO;
}

static void seen_put(struct expect_seen *seen, const char *value, const char *source)
{
	snprintf(seen->value, sizeof seen->value, "%s", value);
	snprintf(seen->source, sizeof seen->source, "%s", source);
}

static void seen_put_fact(struct expect_seen *seen, const struct fact *f)
{
	size_t n = 0;

	seen_put(seen, f->value, f->source);
	if (!value_is_item(f))
		return;
	for (; f && n < sizeof seen->value; f = f->next)
		if (value_is_item(f))
			n += (size_t)snprintf(
			        seen->value + n, sizeof seen->value - n, "%s%s", n ? "," : "", f->value);
}

static enum truth max_judge(const struct term *t, const struct fact *f, const struct evidence *e)
{
	const struct fact *max = evidence_first(e, t->max_group, t->max_key);

	if (!max || max->kind != FACT_VALUE || evidence_group_unseen(e, t->max_group))
		return TRUTH_UNKNOWN;
	return truth(strcmp(f->value, max->value) == 0);
}

/* --- what a person has judged --- */

static enum truth reviewed_judge(const char *reviewed, struct expect_seen *seen)
{
	if (!reviewed) {
		seen->review = REVIEW_NEEDED;
		return TRUTH_UNKNOWN;
	}
	int held = strcmp(reviewed, seen->value) == 0;
	seen->review = held ? REVIEW_HELD : REVIEW_CHANGED;
	return truth(held);
}

/* Nobody can say of a part of it that it is what was judged. */
static enum truth review_judge(const struct fact *f, const char *reviewed, struct expect_seen *seen)
{
	if (value_goes_on(f) || review_text(seen->value, sizeof seen->value, f) < 0) {
		seen_put_fact(seen, f);
		snprintf(seen->source, sizeof seen->source, "%s",
		        value_goes_on(f) ? "not all of it was seen"
		                         : "more than a line of a policy can hold");
		return TRUTH_UNKNOWN;
	}
	return reviewed_judge(reviewed, seen);
}

static enum truth key_judge(const struct term *t, const char *key, const struct evidence *e,
        const char *reviewed, struct expect_seen *seen)
{
	const char *why = evidence_group_unseen(e, t->group), *whole = evidence_group_whole(e, t->group);
	const struct fact *f = evidence_first(e, t->group, key);

	if (why) {
		seen_put(seen, "not seen", why);
		return TRUTH_UNKNOWN;
	}
	for (const struct fact *u = f; u; u = u->next)
		if (u->kind == FACT_UNSEEN) {
			seen_put(seen, "not seen", u->value);
			return TRUTH_UNKNOWN;
		}
	if (!f && !whole) {
		snprintf(seen->value, sizeof seen->value, "not seen");
		snprintf(seen->source, sizeof seen->source, "nothing tells %s:%s", t->group, key);
		return TRUTH_UNKNOWN;
	}
	if (!f || f->kind == FACT_NONE) {
		seen_put(seen, REVIEW_NOT_THERE, f ? f->source : whole);
		return t->test == TEST_REVIEW ? reviewed_judge(reviewed, seen) : value_absent(t->test);
	}
	seen_put_fact(seen, f);
	if (t->test == TEST_REVIEW)
		return review_judge(f, reviewed, seen);
	return t->test == TEST_MAX ? max_judge(t, f, e) : value_judge(t, f);
}

/* --- judging a term: all keys that its pattern means --- */

static enum truth braces_judge(const struct term *t, const struct evidence *e, struct expect_seen *seen)
{
	const char *open = strchr(t->key, '{'), *close = strchr(open, '}');
	char key[EVIDENCE_KEY_BYTES_MAX];
	enum truth all = TRUTH_YES;

	for (const char *s = open + 1; s < close;) {
		size_t n = strcspn(s, ",}");
		struct expect_seen one = {.review = REVIEW_NONE};
		snprintf(key, sizeof key, "%.*s%.*s%s", (int)(open - t->key), t->key, (int)n, s, close + 1);
		enum truth is = key_judge(t, key, e, NULL, &one);
		if (is < all || s == open + 1) {
			all = is < all ? is : all;
			*seen = one;
		}
		s += n + 1;
	}
	return all;
}

static int braces_match(const char *pattern, const char *key)
{
	const char *open = strchr(pattern, '{'), *close = strchr(open, '}');
	size_t head = (size_t)(open - pattern);

	if (strncmp(pattern, key, head) != 0)
		return 0;
	for (const char *s = open + 1; s < close;) {
		size_t n = strcspn(s, ",}");
		if (strncmp(key + head, s, n) == 0 && strcmp(key + head + n, close + 1) == 0)
			return 1;
		s += n + 1;
	}
	return 0;
}

int expect_key_matches(const char *pattern, const char *key)
{
	if (strchr(pattern, '{'))
		return braces_match(pattern, key);
	const char *star = strchr(pattern, '*');
	size_t head = (size_t)(star - pattern), tail = strlen(star + 1), n = strlen(key);

	return n > head + tail && memcmp(pattern, key, head) == 0 && strcmp(key + n - tail, star + 1) == 0;
}

static enum truth star_judge(const struct term *t, const struct evidence *e, struct expect_seen *seen)
{
	enum truth all = TRUTH_YES;
	const struct fact *none = evidence_first(e, t->group, t->key);
	unsigned matched = 0;
	size_t at = 0;

	/* The running kernel has none of them; what files would set them to decides nothing. */
	if (none && none->kind == FACT_NONE)
		return key_judge(t, t->key, e, NULL, seen);
	for (const struct fact *f; (f = evidence_next_key(e, &at));) {
		struct expect_seen one = {.review = REVIEW_NONE};
		if (strcmp(f->group, t->group) != 0 || !expect_key_matches(t->key, f->key))
			continue;
		enum truth is = key_judge(t, f->key, e, NULL, &one);
		if (is == TRUTH_NO || is == TRUTH_UNKNOWN)
			snprintf(one.source + strlen(one.source), sizeof one.source - strlen(one.source),
			        " (%.128s)", f->key);
		if (is < all || !matched++) {
			all = is < all ? is : all;
			*seen = one;
		}
	}
	return matched ? all : key_judge(t, t->key, e, NULL, seen);
}

static enum truth term_judge(
        const struct term *t, const struct evidence *e, const char *reviewed, struct expect_seen *seen)
{
	if (t->test == TEST_ATTESTED) {
		seen_put(seen, "-", "no device shows it");
		return reviewed_judge(reviewed, seen);
	}
	return strchr(t->key, '{')   ? braces_judge(t, e, seen)
	       : strchr(t->key, '*') ? star_judge(t, e, seen)
	                             : key_judge(t, t->key, e, reviewed, seen);
}

/* Of two terms that came to the same: a yes is a person's where one said so; what was not seen is missing
 * also for a person. */
static int decides(enum truth is, const struct expect_seen *by, const struct expect_seen *before)
{
	return is == TRUTH_YES ? by->review == REVIEW_HELD
	                       : is == TRUTH_UNKNOWN && before->review == REVIEW_NEEDED;
}

/* Does an alternative that came to this, and was decided by this, say more than the best one before? Of those
 * that do not hold, the one that a person would look at again. */
static int says_more(
        enum truth is, const struct expect_seen *by, enum truth best, const struct expect_seen *best_by)
{
	return is > best || (is == best && is != TRUTH_YES && by->review > best_by->review);
}

/* Seen is of the term that decided: of a yes its first, or the one that a person has judged; of anything else
 * the first term that did not say yes. */
enum truth expect_judge(
        const struct expect *x, const struct evidence *e, const char *reviewed, struct expect_seen *seen)
{
	enum truth best = TRUTH_NO, all = TRUTH_YES;
	struct expect_seen decided = {.review = REVIEW_NONE};
	unsigned first = 1;

	*seen = decided;
	if (!x->terms)
		return TRUTH_YES;
	for (unsigned i = 0; i < x->terms; i++) {
		struct expect_seen one = {.review = REVIEW_NONE};
		enum truth is = term_judge(&x->term[i], e, reviewed, &one);
		if (x->term[i].or || is < all || (is == all && decides(is, &one, &decided))) {
			all = x->term[i].or ? is : is < all ? is : all;
			decided = one;
		}
		if (i + 1 < x->terms && !x->term[i + 1].or)
			continue;
		if (first || says_more(all, &decided, best, seen)) {
			best = all > best ? all : best;
			*seen = decided;
		}
		first = 0;
	}
	return best;
}
