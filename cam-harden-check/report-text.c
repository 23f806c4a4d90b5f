/* For people, and as TAP. */
#define _GNU_SOURCE
#include "report.h"

#include <string.h>

static const char *colour_of(enum verdict v)
{
	static const char *const codes[VERDICTS] = {
	        [VERDICT_PASS] = "\033[32m",
	        [VERDICT_FAIL] = "\033[31m",
	        [VERDICT_SKIP] = "\033[2m",
	        [VERDICT_WAIVED] = "\033[36m",
	        [VERDICT_INCOMPLETE] = "\033[33m",
	};
	return codes[v];
}

/* Values come from the device: nothing that moves the cursor gets out. */
static void put(FILE *out, const char *s)
{
	for (; *s; s++)
		fputc((unsigned char)*s < 0x20 || *s == 0x7f ? '?' : *s, out);
}

static void field(FILE *out, const char *name, const char *value)
{
	if (!*value || strcmp(value, "-") == 0)
		return;
	fprintf(out, "            %-8s", name);
	put(out, value);
	fputc('\n', out);
}

static void finding_put(const struct report *r, const struct finding *f, FILE *out)
{
	fprintf(out, "%s%-10s%s  ", r->colour ? colour_of(f->verdict) : "", verdict_name(f->verdict),
	        r->colour ? "\033[0m" : "");
	put(out, f->id);
	fprintf(out, "  (%s)\n", severity_name(f->severity));
	if (f->verdict == VERDICT_PASS && !*f->reason)
		return;
	field(out, "what", f->key);
	field(out, "seen", f->seen);
	field(out, "where", f->source);
	field(out, "reason", f->reason);
	if (f->verdict == VERDICT_SKIP || f->verdict == VERDICT_PASS)
		return;
	field(out, "why", f->why);
	field(out, "fix", f->fix);
	field(out, "breaks", f->breaks);
}

static int shown(const struct report *r, const struct finding *f)
{
	return r->every || (f->verdict != VERDICT_PASS && f->verdict != VERDICT_SKIP);
}

/* Has no earlier finding this group? */
static int first_of_group(const struct findings *f, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (strcmp(f->finding[j].group, f->finding[i].group) == 0)
			return 0;
	return 1;
}

static void group_put(const struct report *r, const char *group, FILE *out)
{
	const struct findings *f = r->findings;
	unsigned pass = 0, all = 0;

	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->finding[i].group, group) == 0) {
			all += f->finding[i].verdict != VERDICT_SKIP;
			pass += f->finding[i].verdict == VERDICT_PASS;
		}
	fprintf(out, "%s%s%s: %u of %u\n", r->colour ? "\033[1m" : "", group, r->colour ? "\033[0m" : "",
	        pass, all);
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->finding[i].group, group) == 0 && shown(r, &f->finding[i]))
			finding_put(r, &f->finding[i], out);
	fputc('\n', out);
}

int report_text(const struct report *r, FILE *out)
{
	const struct findings *f = r->findings;

	fputs("device: ", out);
	put(out, *r->arch ? r->arch : "architecture unknown");
	fputs(", board ", out);
	put(out, *r->board ? r->board : "unknown");
	fputs(", kernel ", out);
	put(out, *r->kernel ? r->kernel : "unknown");
	fputs("\npolicy:", out);
	for (size_t i = 0; i < r->policy->layers; i++) {
		fputc(' ', out);
		put(out, r->policy->layer[i]);
	}
	fputs("\n\n", out);
	for (size_t i = 0; i < f->n; i++)
		if (first_of_group(f, i))
			group_put(r, f->finding[i].group, out);
	for (unsigned v = 0; v < VERDICTS; v++)
		fprintf(out, "%s%u %s", v ? ", " : "", f->count[v], verdict_name((enum verdict)v));
	fprintf(out, "\nscore %u of %u\n", f->score_got, f->score_all);
	return 0;
}

/* --- TAP: https://testanything.org/tap-version-13-specification.html --- */

static void tap_put(FILE *out, const char *s)
{
	for (; *s; s++)
		fputc((unsigned char)*s < 0x20 || *s == 0x7f || *s == '#' ? ' ' : *s, out);
}

int report_tap(const struct report *r, FILE *out)
{
	static const char *const directive[VERDICTS] = {[VERDICT_PASS] = "",
	        [VERDICT_FAIL] = "",
	        [VERDICT_INCOMPLETE] = "",
	        [VERDICT_SKIP] = " # SKIP ",
	        [VERDICT_WAIVED] = " # TODO "};
	const struct findings *all = r->findings;

	fprintf(out, "TAP version 13\n1..%zu\n", all->n);
	for (size_t i = 0; i < all->n; i++) {
		const struct finding *f = &all->finding[i];
		int ok = f->verdict == VERDICT_PASS || f->verdict == VERDICT_SKIP;
		fprintf(out, "%s %zu - ", ok ? "ok" : "not ok", i + 1);
		tap_put(out, f->id);
		fputs(directive[f->verdict], out);
		if (*directive[f->verdict])
			tap_put(out, f->reason);
		fputc('\n', out);
		if (*directive[f->verdict] || !*f->reason)
			continue;
		fprintf(out, "# %s: ", verdict_name(f->verdict));
		tap_put(out, f->key);
		fputs(": ", out);
		tap_put(out, f->reason);
		fputs("; seen ", out);
		tap_put(out, f->seen);
		fputc('\n', out);
	}
	return 0;
}
