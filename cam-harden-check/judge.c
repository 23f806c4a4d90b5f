#define _GNU_SOURCE
#include "judge.h"

#include "expect-judge.h"
#include "generate.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_PASS = 0, EXIT_FAIL = 1, EXIT_INCOMPLETE = 3 };

static const char *const names[VERDICTS] = {"PASS", "FAIL", "SKIP", "WAIVED", "INCOMPLETE"};
static const unsigned weights[] = {[SEVERITY_INFO] = 0,
        [SEVERITY_LOW] = 1,
        [SEVERITY_MEDIUM] = 2,
        [SEVERITY_HIGH] = 4,
        [SEVERITY_CRITICAL] = 8};

const char *verdict_name(enum verdict v)
{
	return names[v];
}

__attribute__((format(printf, 1, 2))) static char *text(const char *fmt, ...)
{
	char *s = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	va_end(ap);
	return s;
}

static struct finding *finding_add(struct findings *out, const struct rule *r)
{
	if (out->n == out->room) {
		size_t room = out->room ? out->room * 2 : 256;
		struct finding *more = reallocarray(out->finding, room, sizeof *more);
		if (!more)
			return NULL;
		out->finding = more;
		out->room = room;
	}
	struct finding *f = &out->finding[out->n++];
	*f = (struct finding){.id = r->id,
	        .group = r->group,
	        .key = r->key,
	        .expected = r->expected_text,
	        .rule_source = r->source,
	        .why = r->why,
	        .breaks = r->breaks,
	        .severity = r->severity};
	return f;
}

static int say(struct finding *f, enum verdict v, char *reason)
{
	f->verdict = v;
	f->reason = reason;
	return reason ? 0 : -1;
}

/* The line in which a person says to have judged this value. */
static char *review_line(const struct rule *r, const char *value)
{
	char escaped[2 * EXPECT_SEEN_BYTES_MAX];
	size_t n = 0;

	for (; *value; value++) {
		if (*value == '|')
			escaped[n++] = '\\';
		escaped[n++] = *value;
	}
	escaped[n] = 0;
	return text("reviewed %s | OWNER | UNTIL | %s | REASON", r->id, escaped);
}

static int seen_keep(struct finding *f, const struct rule *r, const struct expect_seen *seen)
{
	f->review = seen->review == REVIEW_NEEDED || seen->review == REVIEW_CHANGED;
	f->fix = f->review ? review_line(r, seen->value) : NULL;
	f->seen = strdup(seen->value);
	f->source = strdup(seen->source);
	return f->seen && f->source && (f->fix || !f->review) ? 0 : -1;
}

/* What was judged too long ago is to be looked at again: it is shown. */
static int review_expired(struct finding *f, const struct rule *r, const struct evidence *e)
{
	struct expect_seen seen;

	(void)expect_judge(&r->expected, e, NULL, &seen);
	if (seen_keep(f, r, &seen) < 0)
		return -1;
	return say(f, VERDICT_FAIL,
	        text("what %s judged held until %s: %s", r->reviewed.owner, r->reviewed.until,
	                r->reviewed.reason));
}

/* Verdicts that a person's decision makes; 1 when there is one. */
static int decided(struct finding *f, const struct rule *r, const struct evidence *e)
{
	const struct decision *d = &r->dropped;

	if (d->owner && !d->expired)
		return say(f, VERDICT_SKIP,
		               text("left out by %s until %s: %s", d->owner, d->until, d->reason)) < 0
		               ? -1
		               : 1;
	if (d->owner)
		return say(f, VERDICT_FAIL,
		               text("was left out by %s until %s, which has passed: %s", d->owner, d->until,
		                       d->reason)) < 0
		               ? -1
		               : 1;
	d = &r->waived;
	if (d->owner && d->expired)
		return say(f, VERDICT_FAIL,
		               text("the waiver of %s ended on %s: %s", d->owner, d->until, d->reason)) < 0
		               ? -1
		               : 1;
	if (r->reviewed.expired && !d->owner)
		return review_expired(f, r, e) < 0 ? -1 : 1;
	return 0;
}

static int condition_judge(struct finding *f, const struct rule *r, const struct evidence *e)
{
	struct expect_seen seen;

	switch (expect_judge(&r->condition, e, NULL, &seen)) {
	case TRUTH_YES: return 0;
	case TRUTH_NO:
		return say(f, VERDICT_SKIP,
		               text("only if %s: here %s (%s)", r->condition_text, seen.value, seen.source)) <
		                       0
		               ? -1
		               : 1;
	case TRUTH_UNKNOWN: break;
	}
	return say(f, VERDICT_INCOMPLETE, text("only if %s: %s", r->condition_text, seen.source)) < 0 ? -1
	                                                                                              : 1;
}

static char *fix_of(const struct rule *r)
{
	char line[GENERATE_LINE_BYTES_MAX];
	return strdup(generate_line(r, line, sizeof line) == 0 ? line : "");
}

static int expected_judge(struct finding *f, const struct rule *r, const struct evidence *e)
{
	struct expect_seen seen;
	const struct decision *w = &r->waived, *by = &r->reviewed;
	enum truth is = expect_judge(&r->expected, e, by->expired ? NULL : r->reviewed_seen, &seen);

	if (seen_keep(f, r, &seen) < 0)
		return -1;
	if (is == TRUTH_YES)
		return say(f, VERDICT_PASS,
		        seen.review == REVIEW_HELD
		                ? text("judged by %s until %s: %s", by->owner, by->until, by->reason)
		                : strdup(""));
	if (!f->fix && !(f->fix = fix_of(r)))
		return -1;
	/* A person can answer for a failure and for what only a person can judge; what was not seen stays
	 * unseen. */
	if (w->owner && (is == TRUTH_NO || seen.review == REVIEW_NEEDED))
		return say(
		        f, VERDICT_WAIVED, text("waived by %s until %s: %s", w->owner, w->until, w->reason));
	if (seen.review == REVIEW_CHANGED)
		return say(f, VERDICT_FAIL,
		        text("was %s when %s judged it, is %s", r->reviewed_seen, by->owner, seen.value));
	if (is == TRUTH_NO)
		return say(f, VERDICT_FAIL,
		        r->overridden.expired
		                ? text("expected: %s; the override of %s ended on %s", r->expected_text,
		                          r->overridden.owner, r->overridden.until)
		                : text("expected: %s", r->expected_text));
	return say(f, VERDICT_INCOMPLETE,
	        seen.review == REVIEW_NEEDED ? text("a person has to judge it") : text("%s", seen.source));
}

static int rule_judge(struct findings *out, const struct rule *r, const struct evidence *e)
{
	struct finding *f = finding_add(out, r);
	int done;

	if (!f)
		return -1;
	if (!(done = decided(f, r, e)) && !(done = condition_judge(f, r, e)))
		done = expected_judge(f, r, e);
	if (done < 0)
		return -1;
	if (!f->seen)
		f->seen = strdup("");
	if (!f->source)
		f->source = strdup("");
	if (!f->fix)
		f->fix = strdup("");
	return f->seen && f->source && f->fix ? 0 : -1;
}

/* --- sources that disagree --- */

static int disagree(struct findings *out, const struct rule *r, const struct fact *a, const struct fact *b)
{
	char *id = text("disagree.%s", r->id);

	for (size_t i = 0; id && i < out->n; i++)
		if (strcmp(out->finding[i].id, id) == 0) {
			free(id);
			return 0;
		}
	struct finding *f = id ? finding_add(out, r) : NULL;
	if (!f) {
		free(id);
		return -1;
	}
	f->id = id;
	f->key = a->key;
	f->expected = "every source says the same";
	f->why = "What is declared is not what runs: one of them will not last";
	f->breaks = "-";
	f->fix = strdup("");
	f->seen = text("%s and %s", a->kind == FACT_VALUE ? a->value : "not there", b->value);
	f->source = text("%s and %s", a->source, b->source);
	if (!f->fix || !f->seen || !f->source)
		return -1;
	return say(f, VERDICT_FAIL, text("sources disagree about %s", a->key));
}

/* Sources of one value; lists are made of several facts. A key that this kernel does not have is no
 * disagreement. */
static const struct fact *other(const struct fact *f)
{
	for (const struct fact *g = f->kind == FACT_VALUE ? f->next : NULL; g; g = g->next)
		if (g->kind == FACT_VALUE && strcmp(g->value, f->value) != 0)
			return g;
	return NULL;
}

static int compared(const char *group)
{
	return strcmp(group, "kconfig") == 0 || strcmp(group, "sysctl") == 0 || strcmp(group, "cmdline") == 0;
}

static int key_compare(struct findings *out, const struct rule *r, const struct evidence *e,
        const char *group, const char *key)
{
	const struct fact *f = evidence_first(e, group, key), *g;

	if (strcmp(group, "cmdline") == 0) {
		g = evidence_first(e, "cmdline.declared", key);
		static const struct fact absent = {
		        .value = "", .source = "the running command line", .kind = FACT_NONE};
		struct fact none = absent;
		none.key = key;
		if (g && g->kind == FACT_VALUE && evidence_group_whole(e, "cmdline") &&
		        (!f || strcmp(f->value, g->value) != 0))
			return disagree(out, r, f ? f : &none, g);
		return 0;
	}
	return f && (g = other(f)) ? disagree(out, r, f, g) : 0;
}

static int sources_compare(struct findings *out, const struct rule *r, const struct evidence *e)
{
	int res = 0;

	for (unsigned i = 0; i < r->expected.terms && !res; i++) {
		const struct term *t = &r->expected.term[i];
		if (!compared(t->group) || evidence_group_unseen(e, t->group))
			continue;
		if (!strpbrk(t->key, "*{")) {
			res = key_compare(out, r, e, t->group, t->key);
			continue;
		}
		size_t at = 0;
		for (const struct fact *f; !res && (f = evidence_next_key(e, &at));)
			if (strcmp(f->group, t->group) == 0 && expect_key_matches(t->key, f->key))
				res = key_compare(out, r, e, t->group, f->key);
	}
	return res;
}

/* --- all --- */

static void count(struct findings *out)
{
	for (size_t i = 0; i < out->n; i++) {
		const struct finding *f = &out->finding[i];
		out->count[f->verdict]++;
		if (f->verdict == VERDICT_SKIP)
			continue;
		out->score_all += weights[f->severity];
		if (f->verdict == VERDICT_PASS)
			out->score_got += weights[f->severity];
	}
}

static int whole_judge(struct findings *out, const char *what)
{
	static const struct rule rule = {.id = "evidence.bounds",
	        .group = "evidence",
	        .key = "bounds",
	        .expected_text = "everything fits",
	        .source = "-",
	        .why = "What was left out could hold anything",
	        .breaks = "-",
	        .severity = SEVERITY_CRITICAL};
	struct finding *f = finding_add(out, &rule);

	if (!f || !(f->fix = strdup("")) || !(f->seen = strdup(what)) || !(f->source = strdup("")))
		return -1;
	return say(f, VERDICT_INCOMPLETE,
	        strdup("the evidence has more than its bounds allow, or something unprintable"));
}

int judge(const struct policy *p, const struct evidence *e, struct findings *out)
{
	memset(out, 0, sizeof *out);
	for (size_t i = 0; i < p->rules; i++)
		if (rule_judge(out, &p->rule[i], e) < 0 || sources_compare(out, &p->rule[i], e) < 0)
			return -1;
	if (evidence_overflow(e) && whole_judge(out, evidence_overflow(e)) < 0)
		return -1;
	count(out);
	return 0;
}

void findings_free(struct findings *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->finding[i].seen);
		free(f->finding[i].source);
		free(f->finding[i].reason);
		free(f->finding[i].fix);
		if (strncmp(f->finding[i].id, "disagree.", 9) == 0)
			free((char *)f->finding[i].id);
	}
	free(f->finding);
	memset(f, 0, sizeof *f);
}

int findings_exit(const struct findings *f)
{
	if (f->count[VERDICT_FAIL])
		return EXIT_FAIL;
	return f->count[VERDICT_INCOMPLETE] || !(f->count[VERDICT_PASS] + f->count[VERDICT_WAIVED])
	               ? EXIT_INCOMPLETE
	               : EXIT_PASS;
}
