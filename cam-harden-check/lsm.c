/* Reads securityfs, selinuxfs, /proc/modules. What is not mounted could not be seen: a missing securityfs
 * does not mean that a module is not there. */
#define _GNU_SOURCE
#include "lsm.h"

#include "list.h"
#include "sha256.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SMALL_BYTES_MAX = 64 << 10, POLICY_BYTES_MAX = 64 << 20, LOG_BYTES_MAX = 32 << 20 };

static const char group[] = "integrity";
#define SECURITY "sys/kernel/security/"
#define SELINUX "sys/fs/selinux/"

/* The first line of a file as a fact. missing: the file is not there; NULL means that it was not seen then.
 */
static int line_put(
        struct evidence *e, const struct where *w, const char *key, const char *path, const char *missing)
{
	char *s = where_line(w, path);
	int err = errno, r;

	if (s && *s)
		r = fact_put(e, group, key, s, path);
	else if (!s && err == ENOENT && missing)
		r = fact_put(e, group, key, *missing ? missing : NULL, path);
	else
		r = evidence_unseen(e, group, key,
		        s               ? "an empty file"
		        : err == ENOENT ? "not there, or not mounted"
		                        : strerror(err));
	free(s);
	return r;
}

/* --- SELinux --- */

struct bytes {
	const uint8_t *p;
	size_t n, at;
	bool bad;
};

static uint64_t take(struct bytes *b, unsigned size)
{
	uint64_t v = 0;

	if (b->n - b->at < size) {
		b->bad = true;
		return 0;
	}
	for (unsigned i = 0; i < size; i++)
		v |= (uint64_t)b->p[b->at + i] << (8 * i);
	b->at += size;
	return v;
}

/* A set of numbers: unit, highest, count, then count times {first number, 64 bits}. How many are in it. */
static long bitmap_take(struct bytes *b)
{
	uint64_t unit = take(b, 4);
	(void)take(b, 4);
	uint64_t count = take(b, 4);
	long bits = 0;

	if (unit != 64 || count > (b->n - b->at) / 12)
		b->bad = true;
	for (uint64_t i = 0; i < count && !b->bad; i++) {
		(void)take(b, 4);
		bits += __builtin_popcountll(take(b, 8));
	}
	return bits;
}

long lsm_permissive_domains(const uint8_t *policy, size_t n)
{
	struct bytes b = {policy, n, 0, false};

	if (take(&b, 4) != 0xf97cff8c || take(&b, 4) != 8 || b.bad || n < 16 ||
	        memcmp(policy + 8, "SE Linux", 8) != 0)
		return -1;
	b.at = 16;
	uint64_t version = take(&b, 4);
	(void)take(&b, 4);
	(void)take(&b, 4);
	(void)take(&b, 4);
	if (version < 23 || version > 99)
		return -1;
	(void)bitmap_take(&b); /* policy capabilities */
	long domains = bitmap_take(&b);
	return b.bad ? -1 : domains;
}

static int permissive_put(struct evidence *e, const struct where *w)
{
	size_t n;
	char *policy = where_read(w, SELINUX "policy", POLICY_BYTES_MAX, &n), text[48],
	     hash[SHA256_TEXT_BYTES];
	long domains = policy ? lsm_permissive_domains((const uint8_t *)policy, n) : -1;
	int r;

	snprintf(text, sizeof text, "%ld", domains);
	if (domains < 0)
		r = evidence_unseen(e, group, "selinux.permissive-domains",
		        "the loaded policy cannot be read or understood");
	else
		r = fact_put(e, group, "selinux.permissive-domains", text, SELINUX "policy");
	/* as the kernel writes it out, which is not the file that was loaded */
	if (domains >= 0)
		sha256_text(policy, n, hash);
	r |= domains < 0 ? evidence_unseen(e, group, "selinux.policy-hash",
	                           "the loaded policy cannot be read or understood")
	                 : fact_put(e, group, "selinux.policy-hash", hash, SELINUX "policy");
	free(policy);
	return r;
}

/* The kernel fills the folder when a policy is loaded; until then everything is allowed, enforcing or not. */
static bool policy_loaded(const struct where *w)
{
	DIR *d = where_folder(w, SELINUX "class");
	bool any = d && where_folder_next(d);

	if (d)
		closedir(d);
	return any;
}

/* active: SELinux is among the active modules; without it everything of it is absent, for sure. */
static int selinux_collect(struct evidence *e, const struct where *w, bool active)
{
	static const char *const keys[] = {"selinux.enforce", "selinux.policy-loaded", "selinux.deny_unknown",
	        "selinux.checkreqprot", "selinux.permissive-domains", "selinux.policy-hash"};
	bool mounted = where_exists(w, SELINUX "enforce");
	int r = 0;

	for (size_t i = 0; i < sizeof keys / sizeof *keys && !mounted; i++)
		r |= active ? evidence_unseen(e, group, keys[i], "selinuxfs is not mounted")
		            : evidence_none(e, group, keys[i], SECURITY "lsm");
	if (!mounted)
		return r;
	r |= line_put(e, w, "selinux.enforce", SELINUX "enforce", NULL);
	r |= fact_put(e, group, "selinux.policy-loaded", policy_loaded(w) ? "yes" : NULL, SELINUX "class");
	r |= line_put(e, w, "selinux.deny_unknown", SELINUX "deny_unknown", NULL);
	/* the kernel has had no such setting since 6.4, where it always is 0 */
	r |= line_put(e, w, "selinux.checkreqprot", SELINUX "checkreqprot", "0");
	return r | permissive_put(e, w);
}

/* --- IPE --- */

/* Calls look for each folder below IPE's policies. */
static int policies_walk(
        const struct where *w, void (*look)(const struct where *, const char *, void *), void *arg)
{
	DIR *d = where_folder(w, SECURITY "ipe/policies");

	if (!d)
		return -1;
	for (const char *name; (name = where_folder_next(d));)
		look(w, name, arg);
	int err = errno;
	closedir(d);
	errno = err;
	return err ? -1 : 0;
}

struct ipe {
	struct list active, early;
	bool default_denies;
	unsigned policies;
};

static char *policy_file(const struct where *w, const char *name, const char *what)
{
	char path[512];
	size_t n;

	snprintf(path, sizeof path, SECURITY "ipe/policies/%.255s/%s", name, what);
	return where_read(w, path, SMALL_BYTES_MAX, &n);
}

/* Does a policy refuse what no rule names? Lines "DEFAULT action=DENY", or with "op=EXECUTE". */
static bool denies_by_default(const char *policy)
{
	bool all = false, execute = false, execute_allowed = false;

	for (const char *line = policy; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, "DEFAULT ", 8) != 0)
			continue;
		size_t n = strcspn(line, "\n");
		bool deny = memmem(line, n, "action=DENY", 11), op = memmem(line, n, "op=", 3),
		     exec = memmem(line, n, "op=EXECUTE", 10);
		all |= deny && !op;
		execute |= deny && exec;
		execute_allowed |= !deny && exec;
	}
	return execute || (all && !execute_allowed);
}

/* Rules that go on trusting what the kernel started from before the root was there, which nothing checks. */
static void early_look(struct list *l, const char *policy)
{
	for (const char *line = policy; *line; line += *line == '\n') {
		size_t n = strcspn(line, "\n");
		if (memmem(line, n, "boot_verified=TRUE", 18) && memmem(line, n, "action=ALLOW", 12))
			list_add(l, "%.*s", (int)n, line);
		line += n;
	}
}

static void policy_look(const struct where *w, const char *name, void *arg)
{
	struct ipe *i = arg;
	char *active = policy_file(w, name, "active"), *version = policy_file(w, name, "version"),
	     *text = policy_file(w, name, "policy");

	i->policies++;
	if (!active || !text) {
		list_unseen(&i->active, "a policy of IPE cannot be read");
		list_unseen(&i->early, "a policy of IPE cannot be read");
	} else if (active[0] == '1') {
		list_add(&i->active, "%s %.*s", name, version ? (int)strcspn(version, "\n") : 1,
		        version ? version : "?");
		i->default_denies = denies_by_default(text);
		early_look(&i->early, text);
	}
	free(active);
	free(version);
	free(text);
}

static int ipe_collect(struct evidence *e, const struct where *w, bool active)
{
	struct ipe i = {.active = {e, group, "ipe.active-policy", SECURITY "ipe", 0, NULL, 0},
	        .early = {e, group, "ipe.boot-verified", SECURITY "ipe", 0, NULL, 0}};

	if (!active)
		return evidence_none(e, group, "ipe.enforce", SECURITY "lsm") |
		       evidence_none(e, group, "ipe.active-policy", SECURITY "lsm") |
		       evidence_none(e, group, "ipe.default", SECURITY "lsm") |
		       evidence_none(e, group, "ipe.boot-verified", SECURITY "lsm");
	int r = line_put(e, w, "ipe.enforce", SECURITY "ipe/enforce", NULL);
	if (policies_walk(w, policy_look, &i) < 0) {
		list_unseen(&i.active, "the policies of IPE cannot be listed");
		list_unseen(&i.early, "the policies of IPE cannot be listed");
	}
	r |= list_end(&i.active) | list_end(&i.early);
	if (i.active.unseen)
		return r | evidence_unseen(e, group, "ipe.default", i.active.unseen);
	return r | fact_put(e, group, "ipe.default", i.active.n == 1 && i.default_denies ? "deny" : "allow",
	                   SECURITY "ipe/policies");
}

/* --- IMA, modules --- */

/* "10 HASH ima-ng sha256:DIGEST boot_aggregate": zeros where the TPM was passed by. */
static int aggregate_put(struct evidence *e, char *log)
{
	static const char path[] = SECURITY "ima/ascii_runtime_measurements";
	char *digest = strchr(log, ':'), *end = digest ? strchr(digest, ' ') : NULL;

	if (!end || strncmp(end, " boot_aggregate", 15) != 0)
		return evidence_unseen(e, group, "ima.boot_aggregate", "the first measurement is another");
	*end = 0;
	return fact_put(e, group, "ima.boot_aggregate",
	        strspn(digest + 1, "0") == strlen(digest + 1) ? "zero" : "nonzero", path);
}

static int ima_collect(struct evidence *e, const struct where *w)
{
	size_t n;
	int r = 0;

	if (!where_exists(w, SECURITY "ima"))
		return evidence_none(e, group, "ima.boot_aggregate", SECURITY "ima") |
		       evidence_none(e, group, "ima.violations", SECURITY "ima") |
		       evidence_none(e, group, "ima.runtime-count", SECURITY "ima");
	char *log = where_read(w, SECURITY "ima/ascii_runtime_measurements", LOG_BYTES_MAX, &n);
	r |= log ? aggregate_put(e, log) : evidence_unseen(e, group, "ima.boot_aggregate", strerror(errno));
	free(log);
	r |= line_put(e, w, "ima.violations", SECURITY "ima/violations", NULL);
	return r | line_put(e, w, "ima.runtime-count", SECURITY "ima/runtime_measurements_count", NULL);
}

static int modules_collect(struct evidence *e, const struct where *w)
{
	struct list l = {e, group, "modules.loaded", "/proc/modules", 0, NULL, 0};
	size_t n;
	char *text = where_read(w, "proc/modules", 4 << 20, &n), *save = NULL;

	if (!where_exists(w, "proc/version")) /* no /proc, or one of processes only: what is not there proves
	                                   nothing */
		return evidence_unseen(e, group, "modules.loaded", "/proc is not mounted whole") |
		       evidence_unseen(e, group, "modules.loading", "/proc is not mounted whole") |
		       evidence_unseen(e, group, "modules.sig_enforce", "/proc is not mounted whole");
	if (!text && errno != ENOENT)
		list_unseen(&l, "/proc/modules cannot be read");
	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save))
		list_add(&l, "%.*s", (int)strcspn(line, " "), line);
	free(text);
	int r = list_end(&l);
	if (!where_exists(w, "proc/modules"))
		return r | fact_put(e, group, "modules.loading", "no modules", "/proc/modules") |
		       fact_put(e, group, "modules.sig_enforce", "no modules", "/proc/modules");
	char *disabled = where_line(w, "proc/sys/kernel/modules_disabled");
	r |= disabled ? fact_put(e, group, "modules.loading",
	                        strcmp(disabled, "1") == 0 ? "disabled" : "enabled",
	                        "/proc/sys/kernel/modules_disabled")
	              : evidence_unseen(e, group, "modules.loading", strerror(errno));
	free(disabled);
	return r | line_put(e, w, "modules.sig_enforce", "sys/module/module/parameters/sig_enforce", "");
}

/* Is the module in the list of active ones? */
static bool active(const char *lsm, const char *name)
{
	size_t n = strlen(name);

	for (const char *s = lsm; s && *s; s += strcspn(s, ","), s += *s == ',')
		if (strncmp(s, name, n) == 0 && (!s[n] || s[n] == ','))
			return true;
	return false;
}

int lsm_collect(struct evidence *e, const struct where *w)
{
	int r = 0;

	if (!w->live)
		return 0;
	char *lsm = where_line(w, SECURITY "lsm");
	bool known = lsm && *lsm;
	r |= known ? fact_put(e, group, "lsm-active", lsm, SECURITY "lsm")
	           : evidence_unseen(e, group, "lsm-active", "securityfs is not mounted");
	if (known && !active(lsm, "lockdown"))
		r |= evidence_none(e, group, "lockdown", SECURITY "lsm");
	else
		r |= line_put(e, w, "lockdown", SECURITY "lockdown", NULL);
	r |= selinux_collect(e, w, !known || active(lsm, "selinux"));
	if (known) {
		r |= ipe_collect(e, w, active(lsm, "ipe"));
		r |= ima_collect(e, w);
	} else {
		static const char *const keys[] = {"ipe.enforce", "ipe.active-policy", "ipe.default",
		        "ipe.boot-verified", "ima.boot_aggregate", "ima.violations", "ima.runtime-count"};
		for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
			r |= evidence_unseen(e, group, keys[i], "securityfs is not mounted");
	}
	free(lsm);
	return r | modules_collect(e, w);
}
