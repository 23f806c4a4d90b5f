/* Reads /etc/selinux/config, and of the policy that it names the binary and the file contexts. Of the binary
 * the head is understood: its version and the set of permissive domains; whether the rest is the release's,
 * its SHA-256 says. */
#define _GNU_SOURCE
#include "image-selinux.h"

#include "collect.h"
#include "list.h"
#include "lsm.h"
#include "sha256.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	CONFIG_BYTES_MAX = 64 << 10,
	POLICY_FILE_BYTES_MAX = 64 << 20,
	CONTEXTS_BYTES_MAX = 8 << 20,
	NAMES_MAX = 64,
	PATH_BYTES = 256,
	TYPE_BYTES_MAX = 64,
};

static const char group[] = "image";
static const char *const of_policy[] = {
        "selinux.policy", "selinux.permissive-domains", "selinux.policy-hash"};

char *selinux_config_value(const char *text, const char *name)
{
	const char *found = NULL;
	size_t n = strlen(name);

	for (const char *line = text; *line; line += *line == '\n') {
		line += strspn(line, " \t");
		if (strncmp(line, name, n) == 0 && line[n] == '=')
			found = line + n + 1;
		line += strcspn(line, "\n");
	}
	return found ? strndup(found, strcspn(found, " \t\r\n#")) : NULL;
}

static int policy_unseen(struct evidence *e, const char *why)
{
	int r = 0;

	for (size_t i = 0; i < sizeof of_policy / sizeof *of_policy; i++)
		r |= evidence_unseen(e, group, of_policy[i], why);
	return r;
}

static int policy_none(struct evidence *e, const char *source)
{
	int r = 0;

	for (size_t i = 0; i < sizeof of_policy / sizeof *of_policy; i++)
		r |= evidence_none(e, group, of_policy[i], source);
	return r;
}

/* version: of the file's name, which has to be the one that it has inside. */
static int binary_judge(struct evidence *e, const struct where *w, const char *path, const char *version)
{
	char text[32], hash[SHA256_TEXT_BYTES];
	size_t n;
	char *policy = where_read(w, path + 1, POLICY_FILE_BYTES_MAX, &n);
	const uint8_t *p = (const uint8_t *)policy;

	if (!policy)
		return policy_unseen(e, errno == EFBIG ? "a policy that is too large" : strerror(errno));
	long domains = lsm_permissive_domains(p, n);
	if (domains < 0 || (unsigned long)p[16] != strtoul(version, NULL, 10)) {
		free(policy);
		return policy_unseen(
		        e, "a policy that is not understood, or of another version than its name says");
	}
	snprintf(text, sizeof text, "version %u", p[16]);
	int r = fact_put(e, group, "selinux.policy", text, path);
	snprintf(text, sizeof text, "%ld", domains);
	r |= fact_put(e, group, "selinux.permissive-domains", text, path);
	sha256_text(policy, n, hash);
	free(policy);
	return r | fact_put(e, group, "selinux.policy-hash", hash, path);
}

static int binary_find(struct evidence *e, const struct where *w, const char *type)
{
	char folder[PATH_BYTES], path[PATH_BYTES], version[32] = "";
	size_t n = 0, found = 0;

	snprintf(folder, sizeof folder, "/etc/selinux/%s/policy", type);
	char **name = folder_names(w, folder + 1, NAMES_MAX, &n);
	if (!name && errno != ENOENT)
		return policy_unseen(e, strerror(errno));
	for (size_t i = 0; name && i < n; i++)
		if (strncmp(name[i], "policy.", 7) == 0) {
			found++;
			snprintf(path, sizeof path, "%.150s/%.60s", folder, name[i]);
			snprintf(version, sizeof version, "%.31s", name[i] + 7);
		}
	folder_names_free(name, n);
	return found == 0  ? policy_none(e, folder)
	       : found > 1 ? policy_unseen(e, "several policies: the kernel decides which one is loaded")
	                   : binary_judge(e, w, path, version);
}

/* How many lines say something. */
static int contexts_put(struct evidence *e, const struct where *w, const char *type)
{
	static const char key[] = "file_contexts";
	char path[PATH_BYTES], text[32];
	unsigned long lines = 0;
	size_t n;

	snprintf(path, sizeof path, "/etc/selinux/%s/contexts/files/file_contexts", type);
	char *s = where_read(w, path + 1, CONTEXTS_BYTES_MAX, &n), *save = NULL;
	if (!s)
		return errno == ENOENT ? evidence_none(e, group, key, path)
		                       : evidence_unseen(e, group, key, strerror(errno));
	bool broken = memchr(s, 0, n) || (n && s[n - 1] != '\n');
	for (char *line = strtok_r(s, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		line += strspn(line, " \t");
		lines += *line && *line != '#';
	}
	free(s);
	if (broken)
		return evidence_unseen(e, group, key, "file_contexts is not a text, or cut off");
	snprintf(text, sizeof text, "%lu", lines);
	return fact_put(e, group, key, text, path);
}

/* A name that leads out of its folder is none. */
static bool type_ok(const char *type)
{
	return type && *type && *type != '.' && strlen(type) < TYPE_BYTES_MAX && !strchr(type, '/');
}

int image_selinux_collect(struct evidence *e, const struct where *w)
{
	static const char path[] = "/etc/selinux/config";
	size_t n;
	char *config = where_read(w, path + 1, CONFIG_BYTES_MAX, &n);
	int r;

	if (!config) {
		const char *why = errno == ENOENT ? NULL : strerror(errno);
		r = why ? policy_unseen(e, why) : policy_none(e, path);
		r |= why ? evidence_unseen(e, group, "selinux.mode", why)
		         : evidence_none(e, group, "selinux.mode", path);
		return r | (why ? evidence_unseen(e, group, "file_contexts", why)
		                : evidence_none(e, group, "file_contexts", path));
	}
	char *mode = selinux_config_value(config, "SELINUX"),
	     *type = selinux_config_value(config, "SELINUXTYPE");
	r = fact_put(e, group, "selinux.mode", mode, path);
	if (type_ok(type))
		r |= binary_find(e, w, type) | contexts_put(e, w, type);
	else
		r |= policy_unseen(e, "/etc/selinux/config names no policy: SELINUXTYPE") |
		     evidence_unseen(
		             e, group, "file_contexts", "/etc/selinux/config names no policy: SELINUXTYPE");
	free(mode);
	free(type);
	free(config);
	return r;
}
