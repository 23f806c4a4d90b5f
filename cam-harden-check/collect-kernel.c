/* Reads the kernel's configuration and command line, and which device this is. */
#define _GNU_SOURCE
#include "cmdline.h"
#include "collect.h"
#include "kconfig.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <zlib.h>

enum { SOURCES_MAX = 4, PATH_BYTES_MAX = 256, CONFIGS_MAX = 16, MODEL_BYTES_MAX = 256 };

void collect_why(char *out, size_t max, const char *file, const char *why)
{
	snprintf(out, max, "%s: %s", file, why);
}

/* --- the device --- */

static const char *arch_of_machine(const char *machine)
{
	static const char *const names[][2] = {{"aarch64", "arm64"}, {"x86_64", "amd64"}, {"i686", "i386"}};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(names[i][0], machine) == 0)
			return names[i][1];
	return strncmp(machine, "arm", 3) == 0 ? "arm" : machine;
}

/* The model in the device tree; a machine without one is none of the boards that we know. */
static int board_collect(struct evidence *e, const struct where *w)
{
	static const char path[] = "sys/firmware/devicetree/base/model";
	size_t n;
	char *model = where_read(w, path, MODEL_BYTES_MAX, &n);

	if (!model && errno == ENOENT)
		return evidence_fact(e, "device", "board", "other", "no device tree");
	if (!model)
		return evidence_unseen(e, "device", "board", strerror(errno));
	const char *board = strncmp(model, "Raspberry Pi 3", 14) == 0 ? "pi3" : "other";
	int r = evidence_fact(e, "device", "board", board, model);
	free(model);
	return r;
}

static int version_collect(struct evidence *e, const char *release, const char *source)
{
	char version[64];
	size_t n = strspn(release, "0123456789.");

	while (n && release[n - 1] == '.')
		n--;
	snprintf(version, sizeof version, "%.*s", (int)(n < 63 ? n : 63), release);
	return n ? evidence_fact(e, "device", "kernel", version, source)
	         : evidence_unseen(e, "device", "kernel", "a version without a number");
}

int device_collect(struct evidence *e, const struct where *w)
{
	struct utsname u;

	if (w->arch) {
		if (evidence_fact(e, "device", "arch", w->arch, "as told") < 0)
			return -1;
	} else if (w->live && uname(&u) == 0) {
		if (evidence_fact(e, "device", "arch", arch_of_machine(u.machine), "uname") < 0)
			return -1;
	}
	if (w->live && uname(&u) == 0 && version_collect(e, u.release, "uname") < 0)
		return -1;
	if (w->board)
		return evidence_fact(e, "device", "board", w->board, "as told");
	return w->live ? board_collect(e, w) : 0;
}

/* --- kernel configuration --- */

static int gzipped(const char *p, size_t n)
{
	return n > 2 && (unsigned char)p[0] == 0x1f && (unsigned char)p[1] == 0x8b;
}

/* Takes p, gives what is in it. NULL with why. */
static char *gunzip(char *p, size_t *n, const char **why)
{
	z_stream z = {.next_in = (Bytef *)p, .avail_in = (uInt)*n};
	char *out = malloc(KCONFIG_BYTES_MAX + 1);
	int r = out ? inflateInit2(&z, 15 + 16) : Z_MEM_ERROR;

	*why = "out of memory";
	if (r == Z_OK) {
		z.next_out = (Bytef *)out;
		z.avail_out = KCONFIG_BYTES_MAX;
		r = inflate(&z, Z_FINISH);
		*n = KCONFIG_BYTES_MAX - z.avail_out;
		*why = r == Z_STREAM_END  ? NULL
		       : !z.avail_out     ? "too large"
		       : r == Z_BUF_ERROR ? "compressed and cut off"
		                          : "compressed and damaged";
		inflateEnd(&z);
	}
	free(p);
	if (*why) {
		free(out);
		return NULL;
	}
	out[*n] = 0;
	return out;
}

struct source {
	char name[PATH_BYTES_MAX];
	char *text;
	size_t n;
};

/* Text of an open file into s; -1 with why. */
static int source_read(struct source *s, int fd, const char **why)
{
	s->text = where_read_fd(fd, KCONFIG_BYTES_MAX, &s->n);
	*why = s->text ? NULL : errno == EFBIG ? "too large" : strerror(errno);
	if (s->text && gzipped(s->text, s->n))
		s->text = gunzip(s->text, &s->n, why);
	return s->text ? 0 : -1;
}

static int offline_config_name(const struct where *w, char path[PATH_BYTES_MAX], const char **why)
{
	size_t n = 0, configs = 0;
	char **name = folder_names(w, "boot", CONFIGS_MAX * 16, &n);

	for (size_t i = 0; i < n; i++)
		if (strncmp(name[i], "config-", 7) == 0 && !configs++)
			snprintf(path, PATH_BYTES_MAX, "boot/%s", name[i]);
	folder_names_free(name, n);
	*why = configs > 1 ? "boot/config-*: several: which one is booted? say it with -k" : NULL;
	return configs == 1 ? 0 : -1;
}

/* Opens the next source of a configuration; -1 at the end. */
static int config_open(const struct where *w, unsigned i, char name[PATH_BYTES_MAX], const char **why)
{
	static const char *const forms[] = {
	        "proc/config.gz", "boot/config-%s", "usr/lib/modules/%s/config", "lib/modules/%s/config"};
	struct utsname u;
	char path[PATH_BYTES_MAX];

	if (w->live) {
		if (uname(&u) < 0)
			return -1;
		if (i == 0)
			snprintf(path, sizeof path, "%s", forms[0]);
		else
			snprintf(path, sizeof path,
			        i == 1   ? "boot/config-%s"
			        : i == 2 ? "usr/lib/modules/%s/config"
			                 : "lib/modules/%s/config",
			        u.release);
		snprintf(name, PATH_BYTES_MAX, "/%.200s", path);
		return where_open(w, path, O_RDONLY);
	}
	if (i == 0 && w->kconfig_fd >= 0) {
		snprintf(name, PATH_BYTES_MAX, "%.255s", w->kconfig);
		return w->kconfig_fd;
	}
	if (i != 1 || offline_config_name(w, path, why) < 0)
		return -1;
	snprintf(name, PATH_BYTES_MAX, "/%.200s", path);
	return where_open(w, path, O_RDONLY);
}

static int arch_differs(const struct kconfig_head *h, const struct evidence *e, char *why, size_t max)
{
	const struct fact *arch = evidence_first(e, "device", "arch");

	if (!arch || strcmp(arch->value, h->arch) == 0)
		return 0;
	snprintf(why, max, "a configuration for %s, and this device is %s", h->arch, arch->value);
	return 1;
}

/* How many symbols it has: with so few that nobody would call it a kernel, what is not mentioned says little.
 */
static int symbols_put(struct evidence *e, const struct kconfig_head *head, const char *source)
{
	char text[32];

	if (evidence_first(e, "image", "config-symbols"))
		return 0;
	snprintf(text, sizeof text, "%zu", (size_t)head->symbols + head->unset);
	return evidence_fact(e, "image", "config-symbols", text, source);
}

/* 1: taken, 0: implausible (said in why), -1: evidence full. The first source decides about the group; others
 * are compared only when they are plausible. */
static int config_take(struct evidence *e, struct source *s, char *why, size_t max)
{
	struct kconfig_head head;
	const char *wrong = NULL;
	char *copy = malloc(s->n + 1);

	if (!copy)
		return -1;
	memcpy(copy, s->text, s->n + 1);
	int r = kconfig_parse(copy, s->n, s->name, NULL, &head, &wrong);
	free(copy);
	if (r < 0) {
		snprintf(why, max, "%s", wrong);
		return 0;
	}
	if (arch_differs(&head, e, why, max))
		return 0;
	if (!evidence_first(e, "device", "kernel") && version_collect(e, head.version, s->name) < 0)
		return -1;
	if (kconfig_parse(s->text, s->n, s->name, e, &head, &wrong) < 0) {
		snprintf(why, max, "%s", wrong);
		return 0;
	}
	return symbols_put(e, &head, s->name) < 0 ? -1 : 1;
}

int kconfig_collect(struct evidence *e, const struct where *w)
{
	char why[512] =
	        "no kernel configuration: none of /proc/config.gz, /boot/config-VERSION, /lib/modules",
	     line[768];
	int taken = 0;

	if (!w->live)
		snprintf(why, sizeof why,
		        "no kernel configuration was given: -k, or one boot/config-* below -r");
	for (unsigned i = 0; i < SOURCES_MAX; i++) {
		struct source s = {.n = 0};
		const char *wrong = NULL;
		errno = 0;
		int fd = config_open(w, i, s.name, &wrong);
		if (fd < 0 && (wrong || (errno != ENOENT && errno != 0)) && !taken)
			snprintf(why, sizeof why, "%s", wrong ? wrong : strerror(errno));
		if (fd < 0)
			continue;
		int r = source_read(&s, fd, &wrong) < 0 ? 0 : config_take(e, &s, why, sizeof why);
		if (wrong)
			snprintf(why, sizeof why, "%s", wrong);
		free(s.text);
		if (r < 0)
			return -1;
		if (r && !taken && evidence_whole(e, "kconfig", s.name) < 0)
			return -1;
		taken |= r;
		if (r)
			continue;
		collect_why(line, sizeof line, s.name, why);
		if (!taken)
			return evidence_unseen(e, "kconfig", NULL, line);
	}
	return taken ? 0 : evidence_unseen(e, "kconfig", NULL, why);
}

/* --- command line --- */

/* In a file, lines that begin with # are comments; the rest is one line. */
static void comments_blank(char *text)
{
	for (char *line = text; *line;) {
		size_t n = strcspn(line, "\n");
		if (*line == '#')
			memset(line, ' ', n);
		line += n + (line[n] == '\n');
	}
}

static int cmdline_take(struct evidence *e, const char *group, char *text, size_t n, const char *source)
{
	const char *why = n ? NULL : "empty";
	char line[512];

	if (!why && memchr(text, 0, n))
		why = "not a text";
	if (!why && cmdline_parse(text, group, source, e, &why) == 0)
		return evidence_whole(e, group, source);
	collect_why(line, sizeof line, source, why);
	return evidence_unseen(e, group, NULL, line);
}

/* A kernel that takes no other than its own. */
static const struct fact *cmdline_forced(const struct evidence *e)
{
	const struct fact *force = evidence_first(e, "kconfig", "CONFIG_CMDLINE_FORCE");
	const struct fact *override = evidence_first(e, "kconfig", "CONFIG_CMDLINE_OVERRIDE");
	int forced =
	        (force && strcmp(force->value, "y") == 0) || (override && strcmp(override->value, "y") == 0);
	const struct fact *own = forced ? evidence_first(e, "kconfig", "CONFIG_CMDLINE") : NULL;

	return evidence_group_unseen(e, "kconfig") ? NULL : own;
}

static int cmdline_forced_take(struct evidence *e, const char *group)
{
	const struct fact *own = cmdline_forced(e);
	char *copy = strdup(own->value), source[PATH_BYTES_MAX + 32];

	if (!copy)
		return -1;
	snprintf(source, sizeof source, "CONFIG_CMDLINE in %.200s", own->source);
	int r = cmdline_take(e, group, copy, strlen(copy), source);
	free(copy);
	return r;
}

/* -1: full; 0: not there; 1: taken. */
static int cmdline_file(struct evidence *e, const struct where *w, const char *group, const char *path)
{
	char source[PATH_BYTES_MAX];
	size_t n;
	char *text = where_read(w, path, CMDLINE_BYTES_MAX * 4, &n);

	if (!text && errno == ENOENT)
		return 0;
	snprintf(source, sizeof source, "/%.200s", path);
	if (!text) {
		char line[512];
		collect_why(line, sizeof line, source, strerror(errno));
		return evidence_unseen(e, group, NULL, line) < 0 ? -1 : 1;
	}
	comments_blank(text);
	int r = cmdline_take(e, group, text, n, source);
	free(text);
	return r < 0 ? -1 : 1;
}

/* The file on the boot partition, wherever that is. */
static int cmdline_boot(struct evidence *e, const struct where *w, const char *group)
{
	static const char *const paths[] = {"boot/firmware/cmdline.txt", "boot/cmdline.txt"};
	int r = 0;

	for (size_t i = 0; i < sizeof paths / sizeof *paths && !r; i++)
		r = cmdline_file(e, w, group, paths[i]);
	return r;
}

int cmdline_collect(struct evidence *e, const struct where *w)
{
	int forced = cmdline_forced(e) != NULL, r;

	if (w->live) {
		r = cmdline_file(e, w, "cmdline", "proc/cmdline");
		if (r == 0)
			r = evidence_unseen(e, "cmdline", NULL, "/proc/cmdline: not there");
		if (r < 0)
			return -1;
		r = forced ? cmdline_forced_take(e, "cmdline.declared")
		           : cmdline_boot(e, w, "cmdline.declared");
		return r < 0 ? -1 : 0;
	}
	if (forced && cmdline_forced_take(e, "cmdline") < 0)
		return -1;
	const char *group = forced ? "cmdline.declared" : "cmdline";
	if (w->cmdline_fd >= 0) {
		size_t n;
		char *text = where_read_fd(w->cmdline_fd, CMDLINE_BYTES_MAX * 4, &n), line[512];
		if (!text) {
			collect_why(line, sizeof line, w->cmdline, strerror(errno));
			return evidence_unseen(e, group, NULL, line);
		}
		comments_blank(text);
		r = cmdline_take(e, group, text, n, w->cmdline);
		free(text);
		return r;
	}
	r = cmdline_boot(e, w, group);
	if (r == 0 && !forced)
		r = evidence_unseen(
		        e, "cmdline", NULL, "no command line was given: -c, or boot/cmdline.txt below -r");
	return r < 0 ? -1 : 0;
}
