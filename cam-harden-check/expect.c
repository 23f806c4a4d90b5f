/* Takes the text of an expression apart. Reads nothing itself, and looks at no fact. */
#define _GNU_SOURCE
#include "expect.h"

#include "value.h"

#include <string.h>

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
        [TEST_ATTESTED] = {"attested", ARGUMENT_NONE},
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
	if (tests[t->test].argument == ARGUMENT_NUMBER && !value_is_number(rest))
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

static int for_a_person(const struct term *t)
{
	return t->test == TEST_REVIEW || t->test == TEST_ATTESTED;
}

int expect_has_review(const struct expect *x)
{
	for (unsigned i = 0; i < x->terms; i++)
		if (for_a_person(&x->term[i]))
			return 1;
	return 0;
}

/* There is one line for a rule with one value in it, and none for a condition. */
static const char *review_wrong(const struct expect *x, int condition)
{
	unsigned n = 0;

	for (unsigned i = 0; i < x->terms; i++) {
		if (!for_a_person(&x->term[i]))
			continue;
		if (strpbrk(x->term[i].key, "*{"))
			return "a person judges one key: no * and no {}";
		n++;
	}
	return n && condition ? "a condition cannot wait for a person"
	       : n > 1        ? "a person judges once: more than one review or attested"
	                      : NULL;
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
	return review_wrong(out, !key);
}
