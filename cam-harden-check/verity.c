/* Asks the device mapper for the table and the status of the device that is mounted at /: a name or a UUID
 * with "verity" in it is chosen by whoever made the device and counts for nothing. Reads
 * /proc/self/mountinfo, /proc/cmdline, /sys/dev/block; the ioctl changes nothing and needs CAP_SYS_ADMIN. */
#define _GNU_SOURCE
#include "verity.h"

#include "list.h"
#include "mountinfo.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { TABLE_BYTES = 16 << 10, TEXT_BYTES_MAX = 4 << 20, WORDS_MAX = 64 };

static const char group[] = "integrity";

/* --- texts --- */

static int words_cut(char *text, char *words[WORDS_MAX])
{
	char *save = NULL;
	int n = 0;

	for (char *w = strtok_r(text, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		if (n == WORDS_MAX)
			return -1;
		words[n++] = w;
	}
	return n;
}

static bool takes_word(const char *option)
{
	static const char *const with[] = {
	        "use_fec_from_device", "fec_blocks", "fec_start", "fec_roots", "root_hash_sig_key_desc"};

	for (size_t i = 0; i < sizeof with / sizeof *with; i++)
		if (strcmp(option, with[i]) == 0)
			return true;
	return false;
}

static int options_take(char **words, int n, struct verity *out)
{
	size_t at = 0;

	for (int i = 0; i < n; i++) {
		size_t k = strlen(words[i]);
		if (at + k + 2 > sizeof out->options)
			return -1;
		if (at)
			out->options[at++] = ',';
		memcpy(out->options + at, words[i], k + 1);
		at += k;
		out->signed_hash |= strcmp(words[i], "root_hash_sig_key_desc") == 0;
		if (takes_word(words[i]) && ++i == n)
			return -1;
	}
	return 0;
}

static bool is_hex(const char *s)
{
	return *s && s[strspn(s, "0123456789abcdefABCDEF")] == 0;
}

int verity_parse(const char *parameters, struct verity *out)
{
	char *text = strdup(parameters), *words[WORDS_MAX];
	int n = text ? words_cut(text, words) : -1, r = -1;

	*out = (struct verity){0};
	if (n >= 10 && strlen(words[7]) < sizeof out->algorithm && strlen(words[8]) < sizeof out->digest &&
	        is_hex(words[8]) && (strcmp(words[0], "0") == 0 || strcmp(words[0], "1") == 0)) {
		memcpy(out->algorithm, words[7], strlen(words[7]) + 1);
		memcpy(out->digest, words[8], strlen(words[8]) + 1);
		r = n == 10                                 ? 0
		    : strtol(words[10], NULL, 10) == n - 11 ? options_take(words + 11, n - 11, out)
		                                            : -1;
	}
	free(text);
	return r;
}

/* name,uuid,minor,flags,table[,table...][;name,...] where a table is "START LENGTH TARGET PARAMETERS". */
static int device_parse(char *device, unsigned minor, bool any, struct verity *out)
{
	char *field[6] = {0}, *s = device, *end;
	int n = 0;

	while (s && n < 6) {
		field[n++] = s;
		if (n < 6 && (s = strchr(s, ',')))
			*s++ = 0;
	}
	if (n < 5 || field[5])
		return -1; /* no table, or more than one */
	unsigned long given = strtoul(field[2], &end, 10);
	if (*field[2] ? *end || given != minor : !any)
		return -1;
	s = field[4];
	for (int skip = 0; skip < 2; skip++) {
		s += strspn(s, " ");
		s += strspn(s, "0123456789");
	}
	return strncmp(s, " verity ", 8) == 0 ? verity_parse(s + 8, out) : -1;
}

int verity_parse_cmdline(const char *cmdline, unsigned minor, struct verity *out)
{
	const char *s = cmdline;
	size_t n;

	while ((s = strstr(s, "dm-mod.create=")) && s != cmdline && s[-1] != ' ' && s[-1] != '"')
		s++;
	if (!s)
		return -1;
	s += strlen("dm-mod.create=");
	if (*s == '"')
		n = strcspn(++s, "\"");
	else
		n = s > cmdline + 14 && s[-15] == '"' ? strcspn(s, "\"") : strcspn(s, " ");
	char *text = strndup(s, n), *save = NULL;
	int r = -1;
	unsigned at = 0;
	for (char *d = text ? strtok_r(text, ";", &save) : NULL; d && r < 0;
	        d = strtok_r(NULL, ";", &save), at++)
		r = device_parse(d, minor, at == minor, out);
	free(text);
	return r;
}

/* --- the device --- */

struct answer {
	struct dm_ioctl head;
	char bytes[TABLE_BYTES];
};

/* The one target of the device, as the kernel prints it. NULL, or why not. */
static const char *target_ask(
        int control, dev_t dev, uint32_t flags, char type[DM_MAX_TYPE_NAME], char *text, size_t max)
{
	struct answer a = {.head = {.version = {4, 0, 0},
	                           .data_size = sizeof a,
	                           .data_start = offsetof(struct answer, bytes),
	                           .flags = flags,
	                           .dev = dev}};
	struct dm_target_spec spec;

	if (ioctl(control, DM_TABLE_STATUS, &a) < 0)
		return "the device mapper does not answer";
	if (a.head.flags & DM_BUFFER_FULL_FLAG || a.head.data_start > sizeof a - sizeof spec)
		return "the device mapper's answer is too long";
	if (a.head.target_count != 1)
		return "the root's device has several targets";
	memcpy(&spec, (char *)&a + a.head.data_start, sizeof spec);
	const char *s = (char *)&a + a.head.data_start + sizeof spec;
	size_t room = sizeof a - a.head.data_start - sizeof spec, n = strnlen(s, room);
	if (n == room || n >= max)
		return "the device mapper's answer is too long";
	memcpy(text, s, n + 1);
	memcpy(type, spec.target_type, DM_MAX_TYPE_NAME);
	type[DM_MAX_TYPE_NAME - 1] = 0;
	return NULL;
}

static int details_put(struct evidence *e, const struct verity *v, const char *source)
{
	int r = fact_put(e, group, "root-verity", "active", source);

	r |= fact_put(e, group, "root-hash", v->digest, source);
	r |= fact_put(e, group, "root-verity-digest", v->algorithm, source);
	r |= v->options[0] ? fact_put(e, group, "root-verity-opts", v->options, source)
	                   : evidence_none(e, group, "root-verity-opts", source);
	return r | fact_put(e, group, "root-verity-sig", v->signed_hash ? "signed" : NULL, source);
}

static int details_unseen(struct evidence *e, const char *why)
{
	static const char *const keys[] = {
	        "root-hash", "root-verity-digest", "root-verity-opts", "root-verity-sig"};
	int r = 0;

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		r |= evidence_unseen(e, group, keys[i], why);
	return r;
}

/* Root is on something else: that is known for sure. */
static int other_put(struct evidence *e, const char *what, const char *source)
{
	static const char *const keys[] = {
	        "root-hash", "root-verity-digest", "root-verity-opts", "root-verity-sig", "root-status"};
	int r = fact_put(e, group, "root-verity", what, source);

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		r |= evidence_none(e, group, keys[i], source);
	return r;
}

/* What the device mapper said of the root's device. */
static struct {
	const char *why; /* nothing was said, and why; NULL: something was */
	const char *status_why;
	char type[DM_MAX_TYPE_NAME], table[TABLE_BYTES], status[TABLE_BYTES];
} said = {.why = "the device mapper was not asked"};

static int asked_put(struct evidence *e)
{
	static const char source[] = "device mapper";
	char other[64];
	struct verity v;
	int r;

	if (said.why)
		return evidence_unseen(e, group, "root-verity", said.why) |
		       evidence_unseen(e, group, "root-status", said.why) | details_unseen(e, said.why);
	if (strcmp(said.type, "verity") != 0) {
		snprintf(other, sizeof other, "no: dm target %s", said.type);
		return other_put(e, other, source);
	}
	if (verity_parse(said.table, &v) < 0)
		r = fact_put(e, group, "root-verity", "active", source) |
		    details_unseen(e, "a verity table that is not understood");
	else
		r = details_put(e, &v, source);
	return r | (said.status_why ? evidence_unseen(e, group, "root-status", said.status_why)
	                            : fact_put(e, group, "root-status", said.status, source));
}

/* What the command line declares, which root can have replaced since: for comparison, never instead. */
static int declared_put(struct evidence *e, const struct where *w, unsigned minor)
{
	static const char source[] = "/proc/cmdline: dm-mod.create";
	size_t n;
	char *cmdline = where_read(w, "proc/cmdline", TEXT_BYTES_MAX, &n);
	struct verity v;
	int r = 0;

	if (cmdline && verity_parse_cmdline(cmdline, minor, &v) == 0)
		r = fact_put(e, group, "root-hash", v.digest, source) |
		    fact_put(e, group, "root-verity-digest", v.algorithm, source);
	free(cmdline);
	return r;
}

/* The device of the mount at /: of several the last. false: mountinfo cannot be read. */
static bool root_find(const struct where *w, struct mount *root)
{
	size_t n;
	char *text = where_read(w, "proc/self/mountinfo", TEXT_BYTES_MAX, &n), *save = NULL;
	bool found = false;
	struct mount m;

	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save))
		if (mountinfo_parse(line, &m) == 0 && strcmp(m.point, "/") == 0) {
			*root = m;
			found = true;
		}
	free(text);
	return found;
}

static char *block_read(const struct where *w, const struct mount *m, const char *what)
{
	char path[128];
	size_t n;

	snprintf(path, sizeof path, "sys/dev/block/%u:%u/%s", m->major, m->minor, what);
	char *s = where_read(w, path, 4096, &n);
	if (s)
		s[strcspn(s, "\n")] = 0;
	return s;
}

static int parameters_put(struct evidence *e, const struct where *w)
{
	static const char path[] = "sys/module/dm_verity/parameters/require_signatures";
	size_t n;
	char *s = where_read(w, path, 64, &n);
	int r;

	if (s)
		s[strcspn(s, "\n")] = 0;
	if (!s && errno != ENOENT)
		r = evidence_unseen(e, group, "dm_verity.parameters.require_signatures", "cannot be read");
	else
		r = fact_put(e, group, "dm_verity.parameters.require_signatures", s, path);
	free(s);
	return r;
}

void verity_open(const struct where *w)
{
	static struct mount root;
	int control = w->live ? where_open(w, "dev/mapper/control", O_RDWR) : -1;

	if (control < 0) {
		said.why = "the device mapper may not be asked: root and /dev/mapper/control are needed";
		return;
	}
	if (root_find(w, &root)) {
		dev_t dev = makedev(root.major, root.minor);
		said.why = target_ask(
		        control, dev, DM_STATUS_TABLE_FLAG, said.type, said.table, sizeof said.table);
		said.status_why = target_ask(control, dev, 0, said.type, said.status, sizeof said.status);
	}
	close(control);
}

static int unknown_put(struct evidence *e, const char *why)
{
	return evidence_unseen(e, group, "root-verity", why) | evidence_unseen(e, group, "root-status", why) |
	       evidence_unseen(e, group, "root-block-ro", why) | details_unseen(e, why);
}

int verity_collect(struct evidence *e, const struct where *w)
{
	static struct mount root;
	char other[256];
	int r;

	if (!w->live)
		return 0;
	r = parameters_put(e, w);
	if (!root_find(w, &root))
		return r | unknown_put(e, "/proc/self/mountinfo cannot be read");
	char *ro = block_read(w, &root, "ro"), *name = block_read(w, &root, "dm/name");
	int on_mapper = name || errno != ENOENT || (!ro && root.major);
	r |= ro ? fact_put(e, group, "root-block-ro", ro, "/sys/dev/block")
	        : evidence_unseen(e, group, "root-block-ro", "the root's block device is not in sysfs");
	if (on_mapper) {
		r |= asked_put(e) | declared_put(e, w, root.minor);
	} else {
		snprintf(other, sizeof other, "no: %.32s on %.200s", root.type, root.source);
		r |= other_put(e, other, "/proc/self/mountinfo");
	}
	free(ro);
	free(name);
	return r;
}
