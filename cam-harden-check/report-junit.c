/* As JUnit's XML: a suite for each group. */
#define _GNU_SOURCE
#include "report.h"

#include <string.h>

/* Only characters that XML 1.0 has; values come from the device and may be no UTF-8. */
static void put(FILE *out, const char *s)
{
	for (; *s; s++)
		switch (*s) {
		case '&': fputs("&amp;", out); break;
		case '<': fputs("&lt;", out); break;
		case '>': fputs("&gt;", out); break;
		case '"': fputs("&quot;", out); break;
		default: fputc((unsigned char)*s < 0x20 || (unsigned char)*s >= 0x7f ? '?' : *s, out);
		}
}

static void element(FILE *out, const char *name, const struct finding *f)
{
	fprintf(out, "   <%s message=\"", name);
	put(out, f->reason);
	fputs("\">", out);
	put(out, f->key);
	fputs(": seen ", out);
	put(out, f->seen);
	fputs(" (", out);
	put(out, f->source);
	fprintf(out, ")</%s>\n", name);
}

static void case_put(const struct finding *f, FILE *out)
{
	fputs("  <testcase classname=\"", out);
	put(out, f->group);
	fputs("\" name=\"", out);
	put(out, f->id);
	fputs("\" time=\"0\">\n", out);
	switch (f->verdict) {
	case VERDICT_FAIL: element(out, "failure", f); break;
	case VERDICT_INCOMPLETE: element(out, "error", f); break;
	case VERDICT_SKIP:
	case VERDICT_WAIVED:
		fputs("   <skipped message=\"", out);
		put(out, f->reason);
		fputs("\"/>\n", out);
		break;
	case VERDICT_PASS:
		if (*f->reason) {
			fputs("   <system-out>", out);
			put(out, f->reason);
			fputs("</system-out>\n", out);
		}
		break;
	default: break;
	}
	fputs("  </testcase>\n", out);
}

static unsigned counted(const struct findings *f, const char *group, int verdict)
{
	unsigned n = 0;

	for (size_t i = 0; i < f->n; i++)
		n += strcmp(f->finding[i].group, group) == 0 &&
		     (verdict < 0 || (int)f->finding[i].verdict == verdict);
	return n;
}

static void suite_put(const struct findings *f, const char *group, FILE *out)
{
	fputs(" <testsuite name=\"", out);
	put(out, group);
	fprintf(out, "\" tests=\"%u\" failures=\"%u\" errors=\"%u\" skipped=\"%u\" time=\"0\">\n",
	        counted(f, group, -1), counted(f, group, VERDICT_FAIL), counted(f, group, VERDICT_INCOMPLETE),
	        counted(f, group, VERDICT_SKIP) + counted(f, group, VERDICT_WAIVED));
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->finding[i].group, group) == 0)
			case_put(&f->finding[i], out);
	fputs(" </testsuite>\n", out);
}

int report_junit(const struct report *r, FILE *out)
{
	const struct findings *f = r->findings;

	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"cam-harden-check\">\n", out);
	for (size_t i = 0; i < f->n; i++) {
		size_t j = 0;
		while (strcmp(f->finding[j].group, f->finding[i].group) != 0)
			j++;
		if (j == i)
			suite_put(f, f->finding[i].group, out);
	}
	fputs("</testsuites>\n", out);
	return 0;
}
