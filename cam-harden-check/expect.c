#define _GNU_SOURCE
#include "expect.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS_MAX = 4, COMPONENTS_MAX = 4 };

enum argument { ARGUMENT_NONE, ARGUMENT_TEXT, ARGUMENT_NUMBER, ARGUMENT_MAX };

static const struct {
	const char *name;
	enum argument argument;
} tests[] = {
        [TEST_Y] = {"y", ARGUMENT_NONE},
        [TEST_N] = {"n", ARGUMENT_NONE},
        [TEST_M] = {"m", ARGUMENT_NONE},
        [TEST_ABSENT] = {"absent", ARGUMENT_NONE},
        [TEST_PRESENT] = {"present", ARGUMENT_NONE},
        [TEST_EMPTY] = {"empty", ARGUMENT_NONE},
        [TEST_NONEMPTY] = {"nonempty", ARGUMENT_NONE},
        [TEST_REVIEW] = {"review", ARGUMENT_NONE},
        [TEST_IS] = {"is", ARGUMENT_TEXT},
        [TEST_NOT] = {"not", ARGUMENT_TEXT},
        [TEST_AT_LEAST] = {"at-least", ARGUMENT_NUMBER},
        [TEST_AT_MOST] = {"at-most", ARGUMENT_NUMBER},
        [TEST_CONTAINS] = {"contains", ARGUMENT_TEXT},
        [TEST_LACKS] = {"lacks", ARGUMENT_TEXT},
        [TEST_ONLY] = {"only", ARGUMENT_TEXT},
        [TEST_MATCHES] = {"matches", ARGUMENT_TEXT},
        [TEST_MAX] = {"max", ARGUMENT_MAX},
};

const char *expect_group(const char *group, const char *key)
{
	if (strncmp(key, "CONFIG_", 7) == 0)
		return "kconfig";
	return strcmp(group, "netsysctl") == 0 ? "sysctl" : group;
}

/* --- numbers: an integer, or a version of up to four components --- */

static int number_of(const char *s, long long out[COMPONENTS_MAX])
{
	memset(out, 0, COMPONENTS_MAX * sizeof *out);
	for (unsigned i = 0; i < COMPONENTS_MAX; i++) {
		char *end;
		if (!isdigit((unsigned char)*s) && !(i == 0 && *s == '-' && isdigit((unsigned char)s[1])))
			return -1;
		errno = 0;
		out[i] = strtoll(s, &end, 10);
		if (errno)
			return -1;
		if (*end != '.')
			return *end ? -1 : 0;
		s = end + 1;
	}
	return -1;
}

static int compare(const long long a[COMPONENTS_MAX], const long long b[COMPONENTS_MAX])
{
	for (unsigned i = 0; i < COMPONENTS_MAX; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return 0;
}

/* --- parsing --- */

static char *blanks_skip(char *s)
{
	return s + strspn(s, " \t");
}

static char *blanks_trim(char *s)
{
	s = blanks_skip(s);
	for (size_t n = strlen(s); n && (s[n - 1] == ' ' || s[n - 1] == '\t');)
		s[--n] = 0;
	return s;
}

/* Cuts the next word off. */
static char *word(char **s)
{
	char *w = *s = blanks_skip(*s);

	*s += strcspn(*s, " \t");
	if (**s)
		*(*s)++ = 0;
	*s = blanks_skip(*s);
	return w;
}

static int test_find(const char *name, enum test *out)
{
	for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
		if (strcmp(tests[i].name, name) == 0) {
			*out = (enum test)i;
			return 0;
		}
	return -1;
}

static int key_split(char *w, const char **group, const char **key)
{
	char *colon = strchr(w, ':');

	if (!colon || colon == w || !colon[1])
		return -1;
	*colon = 0;
	*group = expect_group(w, colon + 1);
	*key = colon + 1;
	return 0;
}

static int key_acceptable(const char *key)
{
	const char *brace = strchr(key, '{');
	unsigned stars = 0;

	for (const char *s = key; *s; s++)
		stars += *s == '*';
	if (brace && (stars || !strchr(brace, '}') || strchr(brace + 1, '{')))
		return 0;
	return stars <= 1 && strlen(key) < EVIDENCE_KEY_BYTES_MAX;
}

static const char *argument_parse(char *rest, struct term *t)
{
	long long n[COMPONENTS_MAX];

	rest = blanks_trim(rest);
	switch (tests[t->test].argument) {
	case ARGUMENT_NONE: t->value = ""; return *rest ? "more behind a test that takes nothing" : NULL;
	case ARGUMENT_MAX:
		if (key_split(word(&rest), &t->max_group, &t->max_key) < 0)
			return "max: not GROUP:KEY";
		break;
	case ARGUMENT_TEXT:
	case ARGUMENT_NUMBER: break;
	}
	if (!*rest)
		return "a value is missing";
	if (tests[t->test].argument == ARGUMENT_NUMBER && number_of(rest, n) < 0)
		return "not a number";
	t->value = rest;
	return NULL;
}

static const char *term_parse(char *text, const char *group, const char *key, struct term *t)
{
	char *rest = text, *w = word(&rest);

	t->group = key ? expect_group(group, key) : NULL;
	t->key = key;
	if (test_find(w, &t->test) < 0 || (!key && *rest)) {
		if (strchr(w, ':')) {
			if (key_split(w, &t->group, &t->key) < 0)
				return "not GROUP:KEY";
		} else if (!key && *w) {
			t->group = "device";
			t->key = w;
		} else {
			return "unknown test";
		}
		w = word(&rest);
		if (test_find(w, &t->test) < 0)
			return "unknown test";
	}
	if (!t->key || !key_acceptable(t->key))
		return "a key is missing or wrong";
	return argument_parse(rest, t);
}

/* The next " or " or " and " of s, or NULL. */
static char *joint(char *s, int *is_or)
{
	char * or = strstr(s, " or "), *and = strstr(s, " and ");

	*is_or = or &&(!and || or < and);
	return *is_or ? or : and;
}

const char *expect_parse(char *text, const char *group, const char *key, struct expect *out)
{
	int next_or = 1;

	out->terms = 0;
	if (!key && strcmp(text, "-") == 0)
		return NULL;
	for (char *s = text; s;) {
		int is_or = 0;
		char *end = joint(s, &is_or);
		if (out->terms == EXPECT_TERMS_MAX)
			return "too many terms";
		struct term *t = &out->term[out->terms++];
		memset(t, 0, sizeof *t);
		t->or = next_or;
		if (end)
			*end = 0;
		const char *why = term_parse(s, group, key, t);
		if (why)
			return why;
		s = end ? end + (is_or ? strlen(" or ") : strlen(" and ")) : NULL;
		next_or = is_or;
	}
	return NULL;
}

/* --- judging one key --- */

static const char separators[] = ", \t";

/* Is one of the words of list equal to the n bytes at w? */
static int listed(const char *list, const char *w, size_t n)
{
	for (const char *s = list; *s;) {
		s += strspn(s, separators);
		size_t m = strcspn(s, separators);
		if (m && m == n && memcmp(s, w, n) == 0)
			return 1;
		s += m;
	}
	return 0;
}

static int facts_list(const struct fact *f, const char *w, size_t n)
{
	if (f->kind == FACT_VALUE)
		return listed(f->value, w, n);
	for (; f; f = f->next)
		if (f->kind == FACT_ITEM && strlen(f->value) == n && memcmp(f->value, w, n) == 0)
			return 1;
	return 0;
}

/* How many of the words of wanted are in the facts; *all is how many there are. */
static unsigned found(const char *wanted, const struct fact *f, unsigned *all)
{
	unsigned hits = 0;

	*all = 0;
	for (const char *s = wanted; *s;) {
		s += strspn(s, separators);
		size_t n = strcspn(s, separators);
		if (n) {
			(*all)++;
			hits += (unsigned)facts_list(f, s, n);
		}
		s += n;
	}
	return hits;
}

static int only(const char *wanted, const struct fact *f)
{
	if (f->kind == FACT_VALUE) {
		for (const char *s = f->value; *s;) {
			s += strspn(s, separators);
			size_t n = strcspn(s, separators);
			if (n && !listed(wanted, s, n))
				return 0;
			s += n;
		}
		return 1;
	}
	for (; f; f = f->next)
		if (f->kind == FACT_ITEM && !listed(wanted, f->value, strlen(f->value)))
			return 0;
	return 1;
}

static enum truth truth(int yes)
{
	return yes ? TRUTH_YES : TRUTH_NO;
}

/* f is the first fact of a key that is there. */
static enum truth present_judge(const struct term *t, const struct fact *f)
{
	long long have[COMPONENTS_MAX], want[COMPONENTS_MAX];
	const char *v = f->kind == FACT_VALUE ? f->value : f->next ? "" : f->value;
	unsigned all, hits;

	switch (t->test) {
	case TEST_Y: return truth(strcmp(v, "y") == 0);
	case TEST_N: return truth(strcmp(v, "n") == 0);
	case TEST_M: return truth(strcmp(v, "m") == 0);
	case TEST_ABSENT: return TRUTH_NO;
	case TEST_PRESENT: return TRUTH_YES;
	case TEST_EMPTY: return truth(f->kind == FACT_VALUE && !*v);
	case TEST_NONEMPTY: return truth(f->kind == FACT_ITEM || *v);
	case TEST_REVIEW: return TRUTH_UNKNOWN;
	case TEST_IS: return truth(strcmp(v, t->value) == 0);
	case TEST_NOT: return truth(strcmp(v, t->value) != 0);
	case TEST_AT_LEAST:
	case TEST_AT_MOST:
		if (number_of(v, have) < 0 || number_of(t->value, want) < 0)
			return TRUTH_UNKNOWN; /* implausible */
		return truth(t->test == TEST_AT_LEAST ? compare(have, want) >= 0 : compare(have, want) <= 0);
	case TEST_CONTAINS: hits = found(t->value, f, &all); return truth(hits == all);
	case TEST_LACKS: hits = found(t->value, f, &all); return truth(hits == 0);
	case TEST_ONLY: return truth(only(t->value, f));
	case TEST_MATCHES: return truth(fnmatch(t->value, v, 0) == 0);
	case TEST_MAX: break;
	}
	return TRUTH_UNKNOWN;
}

/* Of a key that is known not to be there. */
static enum truth absent_judge(enum test test)
{
	switch (test) {
	case TEST_N:
	case TEST_ABSENT:
	case TEST_EMPTY:
	case TEST_NOT:
	case TEST_LACKS:
	case TEST_ONLY: return TRUTH_YES;
	case TEST_REVIEW: return TRUTH_UNKNOWN;
	default: return TRUTH_NO;
	}
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
	if (f->kind != FACT_ITEM)
		return;
	for (; f && n < sizeof seen->value; f = f->next)
		if (f->kind == FACT_ITEM)
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

static enum truth key_judge(
        const struct term *t, const char *key, const struct evidence *e, struct expect_seen *seen)
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
		seen_put(seen, "not there", f ? f->source : whole);
		return absent_judge(t->test);
	}
	seen_put_fact(seen, f);
	return t->test == TEST_MAX ? max_judge(t, f, e) : present_judge(t, f);
}

/* --- judging a term: all keys that its pattern means --- */

static enum truth braces_judge(const struct term *t, const struct evidence *e, struct expect_seen *seen)
{
	const char *open = strchr(t->key, '{'), *close = strchr(open, '}');
	char key[EVIDENCE_KEY_BYTES_MAX];
	enum truth all = TRUTH_YES;

	for (const char *s = open + 1; s < close;) {
		size_t n = strcspn(s, ",}");
		struct expect_seen one = {.review = 0};
		snprintf(key, sizeof key, "%.*s%.*s%s", (int)(open - t->key), t->key, (int)n, s, close + 1);
		enum truth is = key_judge(t, key, e, &one);
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
		return key_judge(t, t->key, e, seen);
	for (const struct fact *f; (f = evidence_next_key(e, &at));) {
		struct expect_seen one = {.review = 0};
		if (strcmp(f->group, t->group) != 0 || !expect_key_matches(t->key, f->key))
			continue;
		enum truth is = key_judge(t, f->key, e, &one);
		if (is == TRUTH_NO || is == TRUTH_UNKNOWN)
			snprintf(one.source + strlen(one.source), sizeof one.source - strlen(one.source),
			        " (%.128s)", f->key);
		if (is < all || !matched++) {
			all = is < all ? is : all;
			*seen = one;
		}
	}
	return matched ? all : key_judge(t, t->key, e, seen);
}

static enum truth term_judge(const struct term *t, const struct evidence *e, struct expect_seen *seen)
{
	enum truth is = strchr(t->key, '{')   ? braces_judge(t, e, seen)
	                : strchr(t->key, '*') ? star_judge(t, e, seen)
	                                      : key_judge(t, t->key, e, seen);
	seen->review = is == TRUTH_UNKNOWN && t->test == TEST_REVIEW;
	return is;
}

/* Seen is of the term that decided: of a yes its first, of anything else the first term that did not say yes.
 */
enum truth expect_judge(const struct expect *x, const struct evidence *e, struct expect_seen *seen)
{
	enum truth best = TRUTH_NO, all = TRUTH_YES;
	struct expect_seen decided = {.review = 0};
	unsigned first = 1;

	*seen = decided;
	if (!x->terms)
		return TRUTH_YES;
	for (unsigned i = 0; i < x->terms; i++) {
		struct expect_seen one = {.review = 0};
		enum truth is = term_judge(&x->term[i], e, &one);
		if (x->term[i].or || is < all) {
			all = x->term[i].or ? is : is < all ? is : all;
			decided = one;
		}
		if (i + 1 < x->terms && !x->term[i + 1].or)
			continue;
		if (all > best || first) {
			best = all > best ? all : best;
			*seen = decided;
		}
		first = 0;
	}
	return best;
}
