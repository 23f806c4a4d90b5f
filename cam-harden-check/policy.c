#define _GNU_SOURCE
#include "policy.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS_MAX = 9, RULE_FIELDS = 9 };

static const char *const severities[] = {
        [SEVERITY_INFO] = "info",
        [SEVERITY_LOW] = "low",
        [SEVERITY_MEDIUM] = "medium",
        [SEVERITY_HIGH] = "high",
        [SEVERITY_CRITICAL] = "critical",
};

const char *severity_name(enum severity s)
{
	return severities[s];
}

static int severity_find(const char *name, enum severity *out)
{
	for (unsigned i = 0; i <= SEVERITY_CRITICAL; i++)
		if (strcmp(severities[i], name) == 0) {
			*out = (enum severity)i;
			return 0;
		}
	return -1;
}

struct rule *policy_find(const struct policy *p, const char *id)
{
	for (size_t i = 0; i < p->rules; i++)
		if (strcmp(p->rule[i].id, id) == 0)
			return &p->rule[i];
	return NULL;
}

/* --- fields --- */

/* Cuts the line at | and trims; \| stays as |. How many, or -1: too many. */
static int fields_cut(char *line, char *field[FIELDS_MAX])
{
	char *to = line, *start = line;
	int n = 0;

	for (char *from = line;; from++) {
		if (from[0] == '\\' && from[1] == '|') {
			*to++ = *++from;
			continue;
		}
		if (*from && *from != '|') {
			*to++ = *from;
			continue;
		}
		int last = !*from;
		if (n == FIELDS_MAX)
			return -1;
		while (to > start && isblank((unsigned char)to[-1]))
			to--;
		*to++ = 0;
		while (isblank((unsigned char)*start))
			start++;
		field[n++] = start;
		if (last)
			return n;
		start = to;
	}
}

static int id_acceptable(const char *id)
{
	size_t n = strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789._-");
	return n && !id[n] && n < POLICY_ID_BYTES_MAX && isalnum((unsigned char)*id);
}

/* judge.c names its own findings so. */
static int id_taken(const char *id)
{
	return strncmp(id, "disagree.", 9) == 0 || strcmp(id, "evidence.bounds") == 0;
}

static int date_acceptable(const char *s)
{
	static const char form[] = "0000-00-00";
	int month, day;

	if (strlen(s) != sizeof form - 1)
		return 0;
	for (size_t i = 0; form[i]; i++)
		if (form[i] == '-' ? s[i] != '-' : !isdigit((unsigned char)s[i]))
			return 0;
	month = (s[5] - '0') * 10 + s[6] - '0';
	day = (s[8] - '0') * 10 + s[9] - '0';
	return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

/* --- lines --- */

/* A copy of an expression, since parsing cuts it up. It lives in the second half of the layer's text. */
struct layer {
	struct policy *p;
	const char *name;
	unsigned line;
	char *spare, *spare_end;
};

static char *spare_copy(struct layer *l, const char *s)
{
	size_t n = strlen(s) + 1;
	char *p = l->spare;

	if ((size_t)(l->spare_end - p) < n)
		return NULL;
	l->spare += n;
	return memcpy(p, s, n);
}

static const char *expression(
        struct layer *l, const char *text, const char *group, const char *key, struct expect *out)
{
	char *copy = spare_copy(l, text);
	return copy ? expect_parse(copy, group, key, out) : "too long";
}

static const char *rule_add(struct layer *l, char *field[FIELDS_MAX], int n)
{
	struct policy *p = l->p;
	struct rule r = {.layer = l->name, .line = l->line};
	const char *why;

	if (n != RULE_FIELDS)
		return "a rule has nine fields: ID | GROUP | KEY | EXPECTED | CONDITION | SEVERITY | SOURCE "
		       "| WHY | BREAKS";
	for (int i = 0; i < n; i++)
		if (!*field[i])
			return "a field is empty: write - for none";
	r.id = field[0], r.group = field[1], r.key = field[2];
	r.expected_text = field[3], r.condition_text = field[4];
	r.source = field[6], r.why = field[7], r.breaks = field[8];
	if (!id_acceptable(r.id))
		return "the id has other characters than a-z, 0-9, . _ and -, or is too long";
	if (id_taken(r.id))
		return "the id is that of a finding which no rule makes";
	if (policy_find(p, r.id))
		return "a rule of this id is there already: override, waive or drop it";
	if (severity_find(field[5], &r.severity) < 0)
		return "severity: none of info, low, medium, high, critical";
	if ((why = expression(l, r.expected_text, r.group, r.key, &r.expected)) ||
	        (why = expression(l, r.condition_text, r.group, NULL, &r.condition)))
		return why;
	if (!r.expected.terms)
		return "nothing is expected";
	r.reviewable = expect_has_review(&r.expected);
	if (p->rules == POLICY_RULES_MAX)
		return "too many rules";
	if (p->rules == p->room) {
		size_t room = p->room ? p->room * 2 : 128;
		struct rule *more = reallocarray(p->rule, room, sizeof *more);
		if (!more)
			return "out of memory";
		p->rule = more;
		p->room = room;
	}
	p->rule[p->rules++] = r;
	return NULL;
}

static const char *decision_parse(
        const struct layer *l, const char *owner, const char *until, const char *reason, struct decision *out)
{
	if (!*owner || !*reason)
		return "an owner and a reason are needed";
	if (!date_acceptable(until))
		return "until: not a date as in 2027-01-31";
	*out = (struct decision){.owner = owner, .until = until, .reason = reason};
	out->expired = strcmp(until, l->p->today) < 0;
	return NULL;
}

/* One that has expired is read too: a policy that was right stays right. */
static const char *override_add(struct layer *l, struct rule *r, char **field, int n)
{
	struct expect x;
	struct decision d;
	const char *why;

	if (n != 5)
		return "override ID | EXPECTED | OWNER | UNTIL | REASON";
	if ((why = decision_parse(l, field[2], field[3], field[4], &d)) ||
	        (why = expression(l, field[1], r->group, r->key, &x)))
		return why;
	if (!x.terms)
		return "nothing is expected";
	r->overridden = d;
	r->reviewable |= expect_has_review(&x);
	if (d.expired)
		return NULL; /* what was expected before counts again */
	r->expected_text = field[1];
	r->expected = x;
	return NULL;
}

static const char *reviewed_add(struct layer *l, struct rule *r, char **field, int n)
{
	if (n != 5 || !*field[3])
		return "reviewed ID | OWNER | UNTIL | SEEN | REASON";
	if (!r->reviewable)
		return "no person judges this rule: neither review nor attested is in what it expects";
	r->reviewed_seen = field[3];
	return decision_parse(l, field[1], field[2], field[4], &r->reviewed);
}

/* waive ID, drop ID, override ID and reviewed ID: field[0] without the word. */
static const char *decision_add(struct layer *l, const char *word, const char *id, char **field, int n)
{
	struct rule *r = policy_find(l->p, id);

	if (!r)
		return "no rule of this id below this line";
	if (strcmp(word, "override") == 0)
		return override_add(l, r, field, n);
	if (strcmp(word, "reviewed") == 0)
		return reviewed_add(l, r, field, n);
	if (n != 4)
		return "waive or drop ID | OWNER | UNTIL | REASON";
	return decision_parse(
	        l, field[1], field[2], field[3], strcmp(word, "waive") == 0 ? &r->waived : &r->dropped);
}

static int is_decision(const char *word)
{
	static const char *const words[] = {"waive", "drop", "override", "reviewed"};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(words[i], word) == 0)
			return 1;
	return 0;
}

static const char *line_take(struct layer *l, char *line)
{
	char *field[FIELDS_MAX];
	int n;

	line += strspn(line, " \t");
	if (!*line || *line == '#')
		return NULL;
	for (const char *s = line; *s; s++)
		if (((unsigned char)*s < 0x20 && *s != '\t') || *s == 0x7f)
			return "a control character";
	n = fields_cut(line, field);
	if (n < 0)
		return "too many fields: write \\| for a | that is meant";
	if (strcmp(field[0], "target") == 0) {
		if (n != 3 || !*field[1] || !*field[2])
			return "target | ARCH | BOARD";
		l->p->arch = field[1];
		l->p->board = field[2];
		return NULL;
	}
	char *blank = strpbrk(field[0], " \t");
	if (!blank)
		return rule_add(l, field, n);
	*blank++ = 0;
	blank += strspn(blank, " \t");
	if (!is_decision(field[0]))
		return "unknown word";
	return decision_add(l, field[0], blank, field, n);
}

static int layer_take(struct layer *l, char *text, size_t n, char why[POLICY_WHY_BYTES_MAX])
{
	const char *wrong = NULL;

	for (char *end = text + n, *line = text; line < end && !wrong;) {
		char *newline = memchr(line, '\n', (size_t)(end - line));
		size_t length = (size_t)((newline ? newline : end) - line);
		l->line++;
		line[length] = 0;
		wrong = !newline                          ? "the last line does not end: cut off?"
		        : length >= POLICY_LINE_BYTES_MAX ? "too long"
		        : memchr(line, 0, length)         ? "a NUL character"
		                                          : line_take(l, line);
		line += length + 1;
	}
	if (wrong)
		snprintf(why, POLICY_WHY_BYTES_MAX, "%s:%u: %s", l->name, l->line, wrong);
	return wrong ? -1 : 0;
}

int policy_add(struct policy *p, const char *name, const char *text, size_t n, const char *today,
        char why[POLICY_WHY_BYTES_MAX])
{
	struct layer l = {.p = p, .name = name};

	if (p->layers == POLICY_LAYERS_MAX || n > POLICY_BYTES_MAX) {
		snprintf(why, POLICY_WHY_BYTES_MAX, "%s: too %s", name,
		        n > POLICY_BYTES_MAX ? "large" : "many layers");
		return -1;
	}
	if (!n) {
		snprintf(why, POLICY_WHY_BYTES_MAX, "%s: empty", name);
		return -1;
	}
	char *copy = malloc(2 * n + 2);
	if (!copy) {
		snprintf(why, POLICY_WHY_BYTES_MAX, "%s: out of memory", name);
		return -1;
	}
	memcpy(copy, text, n);
	copy[n] = 0;
	snprintf(p->today, sizeof p->today, "%s", today);
	p->layer[p->layers] = name;
	p->text[p->layers++] = copy;
	l.spare = copy + n + 1;
	l.spare_end = copy + 2 * n + 2;
	return layer_take(&l, copy, n, why);
}

void policy_free(struct policy *p)
{
	for (size_t i = 0; i < p->layers; i++)
		free(p->text[i]);
	free(p->rule);
	memset(p, 0, sizeof *p);
}
