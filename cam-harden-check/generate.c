/* Turns expectations into lines. Of alternatives the first one is written. */
#define _GNU_SOURCE
#include "generate.h"

#include "expect-judge.h"
#include "generate-nft.h"
#include "msg.h"

#include <ctype.h>
#include <string.h>

/* --- operands --- */

int operands_add(struct operands *o, char *text)
{
	char *equals = strchr(text, '=');

	if (!equals || equals == text || !equals[1] || o->n == GENERATE_OPERANDS_MAX)
		return -1;
	if (strlen(equals + 1) > GENERATE_VALUE_BYTES_MAX)
		return -1;
	for (const char *s = text; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return -1;
	*equals = 0;
	if (operand(o, text))
		return -1;
	o->name[o->n] = text;
	o->value[o->n++] = equals + 1;
	return 0;
}

const char *operand(const struct operands *o, const char *name)
{
	for (unsigned i = 0; i < o->n; i++)
		if (strcmp(o->name[i], name) == 0)
			return o->value[i];
	return NULL;
}

static int expect_asks(const struct expect *x, const char *name)
{
	for (unsigned i = 0; i < x->terms; i++) {
		const char *key = x->term[i].key;
		if (strcmp(key, name) == 0 || (strncmp(key, "fstab", 5) == 0 && strcmp(key + 5, name) == 0))
			return 1;
	}
	return 0;
}

int generate_asks(const struct policy *p, const char *name)
{
	for (size_t i = 0; i < p->rules; i++)
		if (expect_asks(&p->rule[i].expected, name) || expect_asks(&p->rule[i].condition, name))
			return 1;
	return generate_nft_asks(name);
}

/* --- the value of a term --- */

/* What an expression of the rule's first alternative wants of a group, or NULL. */
static const struct term *term_of(const struct rule *r, const char *group)
{
	for (unsigned i = 0; i < r->expected.terms; i++) {
		const struct term *t = &r->expected.term[i];
		if (i && t->or)
			return NULL;
		if (strcmp(t->group, group) == 0)
			return t;
	}
	return NULL;
}

/* 0; 1: only the owner knows it; -1: nothing to be written. */
static int value_of(const struct term *t, const struct operands *o, char *out, size_t max)
{
	const char *v = t->value, *own = o ? operand(o, t->key) : NULL;

	if (own)
		return snprintf(out, max, "%s", own) < (int)max ? 0 : -1;
	switch (t->test) {
	case TEST_Y: v = "y"; break;
	case TEST_N: v = "n"; break;
	case TEST_M: v = "m"; break;
	case TEST_PRESENT:
	case TEST_EMPTY: v = ""; break;
	case TEST_IS:
	case TEST_AT_LEAST:
	case TEST_AT_MOST:
	case TEST_CONTAINS:
	case TEST_MAX: break;
	case TEST_NONEMPTY: return 1;
	case TEST_MATCHES: break;
	default: return -1;
	}
	if (snprintf(out, max, "%s", v) >= (int)max)
		return -1;
	for (char *star = out; t->test == TEST_MATCHES && (star = strchr(star, '*'));)
		*star = '0'; /* /dev/dm-* is /dev/dm-0 */
	return 0;
}

/* --- kconfig --- */

static int bare(const char *v)
{
	if (strcmp(v, "y") == 0 || strcmp(v, "m") == 0)
		return 1;
	v += *v == '-';
	if (!*v)
		return 0;
	for (; *v; v++)
		if (!isdigit((unsigned char)*v))
			return 0;
	return 1;
}

static void kconfig_line(char *out, size_t max, const char *key, const char *value)
{
	size_t n;

	if (strcmp(value, "n") == 0) {
		snprintf(out, max, "# %s is not set", key);
		return;
	}
	if (bare(value)) {
		snprintf(out, max, "%s=%s", key, value);
		return;
	}
	n = (size_t)snprintf(out, max, "%s=\"", key);
	for (; *value && n + 4 < max; value++) {
		if (*value == '"' || *value == '\\')
			out[n++] = '\\';
		out[n++] = *value;
	}
	snprintf(out + n, max - n, "\"");
}

/* --- the others --- */

static void cmdline_line(char *out, size_t max, const char *key, const struct term *t, const char *value)
{
	if (t->test == TEST_PRESENT)
		snprintf(out, max, "%s", key);
	else
		snprintf(out, max, strpbrk(value, " \t") ? "%s=\"%s\"" : "%s=%s", key, value);
}

static int may_be_absent(const struct rule *r)
{
	for (unsigned i = 1; i < r->expected.terms; i++)
		if (r->expected.term[i].or)
			return 1;
	return 0;
}

static void sysctl_line(char *out, size_t max, const char *key, int maybe, const char *value)
{
	snprintf(out, max, *value ? "%s%s = %s" : "%s%s =", maybe ? "-" : "", key, value);
}

/* What a term becomes, for one key without patterns. */
static int line_of(const struct rule *r, const struct term *t, const struct operands *o, const char *key,
        int maybe, char *out, size_t max)
{
	char value[GENERATE_VALUE_BYTES_MAX + 1];
	int is = value_of(t, o, value, sizeof value);

	if (is)
		return is;
	if (strcmp(t->group, "kconfig") == 0)
		kconfig_line(out, max, key, value);
	else if (strcmp(t->group, "cmdline") == 0)
		cmdline_line(out, max, key, t, value);
	else if (strcmp(t->group, "sysctl") == 0)
		sysctl_line(out, max, key, maybe || may_be_absent(r), value);
	else if (strcmp(t->group, "modprobe") == 0)
		snprintf(out, max, "install %s /bin/false", key);
	else if (strcmp(t->group, "image") == 0 && strncmp(key, "fstab", 5) == 0)
		snprintf(out, max, "%s in /etc/fstab: options %s", key + 5, value);
	else
		return -1;
	return 0;
}

int generate_line(const struct rule *r, char *out, size_t max)
{
	const struct term *t = &r->expected.term[0];

	if (t->test == TEST_ABSENT && strcmp(t->group, "cmdline") == 0) {
		snprintf(out, max, "take %s off the command line", t->key);
		return 0;
	}
	if (t->test == TEST_NONEMPTY && strcmp(t->group, "kconfig") == 0) {
		snprintf(out, max, "%s=\"...\"", t->key);
		return 0;
	}
	return line_of(r, t, NULL, t->key, 0, out, max) == 0 ? 0 : -1;
}

/* --- generating --- */

struct run {
	const struct policy *p;
	struct evidence *e;
	const struct operands *o;
	FILE *out;
	const char *group;
	int missing;
};

static int applies(const struct rule *r, const struct evidence *e)
{
	struct expect_seen seen;
	return !(r->dropped.owner && !r->dropped.expired) &&
	       expect_judge(&r->condition, e, NULL, &seen) != TRUTH_NO;
}

static void put(struct run *g, const struct rule *r, const struct term *t, const char *key, int maybe)
{
	char line[GENERATE_LINE_BYTES_MAX];
	int is = line_of(r, t, g->o, key, maybe, line, sizeof line);

	if (is == 0)
		fprintf(g->out, "# %s\n%s\n", r->id, line);
	if (is > 0) {
		msg("%s: %s: only you know: give it as %s=VALUE", r->id, t->key, t->key);
		g->missing++;
	}
}

static void put_braces(struct run *g, const struct rule *r, const struct term *t)
{
	const char *open = strchr(t->key, '{'), *close = strchr(open, '}');
	char key[EVIDENCE_KEY_BYTES_MAX];

	for (const char *s = open + 1; s < close;) {
		size_t n = strcspn(s, ",}");
		snprintf(key, sizeof key, "%.*s%.*s%s", (int)(open - t->key), t->key, (int)n, s, close + 1);
		put(g, r, t, key, 0);
		s += n + 1;
	}
}

/* Of interfaces: all, default, lo, and those that are there before the settings are made. */
static void put_star(struct run *g, const struct rule *r, const struct term *t)
{
	const char *star = strchr(t->key, '*'), *own = operand(g->o, "interface");
	char key[EVIDENCE_KEY_BYTES_MAX], list[256];
	int all = 0;

	snprintf(list, sizeof list, "all,default,lo,%.200s", own ? own : "eth0");
	for (char *s = list, *name; (name = strsep(&s, ","));) {
		snprintf(key, sizeof key, "%.*s%s%s", (int)(star - t->key), t->key, name, star + 1);
		put(g, r, t, key, all++ >= 3);
	}
}

static void put_fstab(struct run *g, const struct rule *r, const struct term *t)
{
	static const struct {
		const char *path, *device, *type, *more;
	} places[] = {
	        {"/", "/dev/dm-0", "erofs", ""},
	        {"/proc", "proc", "proc", ""},
	        {"/sys", "sysfs", "sysfs", ""},
	        {"/dev/shm", "tmpfs", "tmpfs", ",size=16m,mode=1777"},
	        {"/dev/pts", "devpts", "devpts", ",gid=5,mode=620"},
	        {"/run", "tmpfs", "tmpfs", ",size=16m,mode=755"},
	        {"/tmp", "tmpfs", "tmpfs", ",size=32m,mode=1777"},
	        {"/var", "/dev/mapper/data", "ext4", ""},
	        {"/boot", "/dev/mmcblk0p1", "vfat", ",noauto"},
	};
	const char *path = t->key + strlen("fstab"), *device = operand(g->o, path);
	char value[GENERATE_VALUE_BYTES_MAX + 1];

	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		if (strcmp(places[i].path, path) == 0 && value_of(t, NULL, value, sizeof value) == 0)
			fprintf(g->out, "# %s\n%s\t%s\t%s\t%s%s\t0\t0\n", r->id,
			        device ? device : places[i].device, path, places[i].type, value,
			        places[i].more);
}

static void rules_put(struct run *g, int fstab)
{
	for (size_t i = 0; i < g->p->rules; i++) {
		const struct rule *r = &g->p->rule[i];
		const struct term *t = term_of(r, g->group);
		if (!t || !applies(r, g->e))
			continue;
		if (fstab && strncmp(t->key, "fstab/", 6) == 0)
			put_fstab(g, r, t);
		else if (fstab)
			continue;
		else if (strchr(t->key, '*'))
			put_star(g, r, t);
		else if (strchr(t->key, '{'))
			put_braces(g, r, t);
		else
			put(g, r, t, t->key, 0);
	}
}

/* Conditions look at the configuration that the policy itself asks for, and at what the owner says. */
static int expected_facts(const struct policy *p, struct evidence *e, const struct operands *o)
{
	char value[GENERATE_VALUE_BYTES_MAX + 1];
	int r = evidence_whole(e, "kconfig", "what the policy asks for");

	r = r ? r : evidence_whole(e, "cmdline", "as told");
	for (unsigned i = 0; i < o->n && !r; i++)
		r = evidence_fact(e,
		        strncmp(o->name[i], "CONFIG_", 7) == 0 ? "kconfig"
		        : strcmp(o->name[i], "kernel") == 0    ? "device"
		                                               : "cmdline",
		        o->name[i], o->value[i], "as told");
	for (size_t i = 0; i < p->rules && !r; i++) {
		const struct term *t = term_of(&p->rule[i], "kconfig");
		if (t && !p->rule[i].condition.terms && !evidence_first(e, "kconfig", t->key) &&
		        value_of(t, o, value, sizeof value) == 0)
			r = evidence_fact(e, "kconfig", t->key, value, "what the policy asks for");
	}
	return r;
}

int generate(
        const char *what, const struct policy *p, struct evidence *e, const struct operands *o, FILE *out)
{
	static const struct {
		const char *what, *group;
	} kinds[] = {{"kconfig", "kconfig"}, {"cmdline", "cmdline"}, {"sysctl", "sysctl"},
	        {"modprobe", "modprobe"}, {"fstab", "image"}};
	struct run g = {.p = p, .e = e, .o = o, .out = out};

	if (expected_facts(p, e, o) < 0)
		return -1;
	if (strcmp(what, "nft") == 0)
		return generate_nft(p, e, o, out, true);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(kinds[i].what, what) == 0) {
			g.group = kinds[i].group;
			fprintf(out,
			        "# From the policy %s, by cam-harden-check -g %s: each line below the id of "
			        "its rule.\n",
			        p->layer[p->layers - 1], what);
			rules_put(&g, strcmp(what, "fstab") == 0);
			return g.missing;
		}
	return -1;
}
