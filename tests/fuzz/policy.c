/* libFuzzer: policies in two layers, judged against a little evidence, and generated from. Sources: those of
 * cam-harden-check's policy, judge and generators. */
#include "generate.h"
#include "judge.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct evidence *evidence(void)
{
	struct evidence *e = evidence_new();

	if (!e || evidence_fact(e, "device", "arch", "arm64", "fuzz") < 0 ||
	        evidence_fact(e, "device", "kernel", "6.12.48", "fuzz") < 0 ||
	        evidence_fact(e, "kconfig", "CONFIG_MODULES", "y", "fuzz") < 0 ||
	        evidence_whole(e, "kconfig", "fuzz") < 0 ||
	        evidence_fact(e, "sysctl", "net.ipv4.conf.all.rp_filter", "1", "fuzz") < 0 ||
	        evidence_item(e, "image", "uid0", "toor", "fuzz") < 0 ||
	        evidence_item(e, "net", "list", "b|\\,-", "fuzz") < 0 ||
	        evidence_item(e, "net", "list", "\\", "fuzz") < 0 ||
	        evidence_fact(e, "net", "dash", "-", "fuzz") < 0 ||
	        evidence_fact(e, "net", "pipes", " \\|\\\\||\"\t", "fuzz") < 0 ||
	        evidence_none(e, "net", "none", "fuzz") < 0)
		abort();
	return e;
}

/* Whoever copies the line that a report has for a rule, and signs it, has judged that rule. */
static void lines_hold(struct policy *p, const struct evidence *e, const struct findings *f)
{
	char why[POLICY_WHY_BYTES_MAX], line[POLICY_LINE_BYTES_MAX * 2];

	for (size_t i = 0; i < f->n && p->layers < POLICY_LAYERS_MAX; i++) {
		const struct finding *one = &f->finding[i];
		const char *rest = strstr(one->fix, " | OWNER | UNTIL | ");
		struct findings again = {0};
		if (one->verdict != VERDICT_INCOMPLETE || !one->review)
			continue;
		int n = snprintf(line, sizeof line, "reviewed %s | a | 2027-01-01 | %s\n", one->id,
		        rest + strlen(" | OWNER | UNTIL | "));
		if (policy_add(p, "two", line, (size_t)n, "2026-11-26", why) < 0 || judge(p, e, &again) < 0 ||
		        again.finding[i].verdict != VERDICT_PASS)
			abort();
		findings_free(&again);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const kinds[] = {"kconfig", "cmdline", "sysctl", "modprobe", "fstab"};
	const uint8_t *cut = size ? memchr(data, 0, size) : NULL;
	size_t first = cut ? (size_t)(cut - data) : size;
	char why[POLICY_WHY_BYTES_MAX];
	struct policy p = {0};
	struct findings f = {0};
	struct evidence *e = evidence();
	int r = policy_add(&p, "one", (const char *)data, first, "2026-11-26", why);

	if (r == 0 && cut)
		r = policy_add(&p, "two", (const char *)cut + 1, size - first - 1, "2026-11-26", why);
	if (r == 0) {
		if (judge(&p, e, &f) < 0 || f.n < p.rules)
			abort();
		/* What nobody looked at is never passed: a rule that only asks for an unseen key. */
		for (size_t i = 0; i < f.n; i++)
			if (f.finding[i].verdict == VERDICT_PASS &&
			        strcmp(f.finding[i].seen, "not seen") == 0)
				abort();
		lines_hold(&p, e, &f);
		FILE *out = fopen("/dev/null", "w");
		struct operands none = {.n = 0};
		for (size_t i = 0; out && i < sizeof kinds / sizeof *kinds; i++) {
			struct evidence *own = evidence_new();
			if (own)
				(void)generate(kinds[i], &p, own, &none, out);
			evidence_free(own);
		}
		if (out)
			fclose(out);
	} else if (!memchr(why, 0, sizeof why) ||
	           (strncmp(why, "one:", 4) != 0 && strncmp(why, "two:", 4) != 0)) {
		abort();
	}
	findings_free(&f);
	evidence_free(e);
	policy_free(&p);
	return 0;
}
