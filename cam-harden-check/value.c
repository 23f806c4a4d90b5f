#define _GNU_SOURCE
#include "value.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

enum { COMPONENTS_MAX = 4 };

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

int value_is_number(const char *s)
{
	long long n[COMPONENTS_MAX];
	return number_of(s, n) == 0;
}

/* --- lists --- */

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

int value_is_item(const struct fact *f)
{
	return f->kind == FACT_ITEM || f->kind == FACT_REST;
}

int value_goes_on(const struct fact *f)
{
	for (; f; f = f->next)
		if (f->kind == FACT_REST)
			return 1;
	return 0;
}

static int facts_list(const struct fact *f, const char *w, size_t n)
{
	if (f->kind == FACT_VALUE)
		return listed(f->value, w, n);
	for (; f; f = f->next)
		if (value_is_item(f) && strlen(f->value) == n && memcmp(f->value, w, n) == 0)
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
		if (value_is_item(f) && !listed(wanted, f->value, strlen(f->value)))
			return 0;
	return 1;
}

/* --- tests --- */

static enum truth truth(int yes)
{
	return yes ? TRUTH_YES : TRUTH_NO;
}

enum truth value_judge(const struct term *t, const struct fact *f)
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
	case TEST_NONEMPTY: return truth(value_is_item(f) || *v);
	case TEST_IS: return truth(strcmp(v, t->value) == 0);
	case TEST_NOT: return truth(strcmp(v, t->value) != 0);
	case TEST_AT_LEAST:
	case TEST_AT_MOST:
		if (number_of(v, have) < 0 || number_of(t->value, want) < 0)
			return TRUTH_UNKNOWN; /* implausible */
		return truth(t->test == TEST_AT_LEAST ? compare(have, want) >= 0 : compare(have, want) <= 0);
	case TEST_CONTAINS: hits = found(t->value, f, &all); return truth(hits == all);
	case TEST_LACKS:
		hits = found(t->value, f, &all);
		return hits ? TRUTH_NO : value_goes_on(f) ? TRUTH_UNKNOWN : TRUTH_YES;
	case TEST_ONLY: return truth(only(t->value, f));
	case TEST_MATCHES: return truth(fnmatch(t->value, v, 0) == 0);
	case TEST_REVIEW:
	case TEST_ATTESTED:
	case TEST_MAX: break;
	}
	return TRUTH_UNKNOWN;
}

enum truth value_absent(enum test test)
{
	switch (test) {
	case TEST_N:
	case TEST_ABSENT:
	case TEST_EMPTY:
	case TEST_NOT:
	case TEST_LACKS:
	case TEST_ONLY: return TRUTH_YES;
	default: return TRUTH_NO;
	}
}
