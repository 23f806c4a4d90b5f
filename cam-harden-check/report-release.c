/* As a layer of a policy: the lines with which a person says to have judged what a machine cannot. They are
 * comments until somebody takes the # away and puts a name, a date and a reason into each. */
#include "report.h"

#include <string.h>

static void put(FILE *out, const char *s)
{
	for (; *s; s++)
		fputc((unsigned char)*s < 0x20 || *s == 0x7f ? '?' : *s, out);
}

int report_release(const struct report *r, FILE *out)
{
	const struct findings *all = r->findings;

	fputs("# What a person has to judge, as cam-harden-check saw it. Look at each; then take the # of "
	      "its line "
	      "away,\n# and put your name, the day until which it holds and your reason into it: "
	      "cam-policy(5).\n",
	        out);
	for (size_t i = 0; i < all->n; i++) {
		const struct finding *f = &all->finding[i];
		if (!f->review)
			continue;
		fprintf(out, "\n# %s: ", severity_name(f->severity));
		put(out, f->why);
		if (f->verdict == VERDICT_FAIL) {
			fputs("\n# ", out);
			put(out, f->reason);
		}
		fputs("\n# ", out);
		put(out, f->fix);
		fputc('\n', out);
	}
	return 0;
}
