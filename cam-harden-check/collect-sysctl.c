/* Reads settings: of the running kernel, of a dump, of files that are applied at boot; and modprobe.d beside
 * them. */
#define _GNU_SOURCE
#include "collect.h"
#include "modprobe.h"
#include "sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { FILES_MAX = 512, PATH_BYTES_MAX = 512, VALUE_BYTES_MAX = 4096, NAMES_MAX = 1024 };

/* --- the running kernel --- */

/* kernel.x is kernel/x; a / in the name of an interface is a dot there. */
static void path_of(const char *key, char out[PATH_BYTES_MAX])
{
	int n = snprintf(out, PATH_BYTES_MAX, "proc/sys/%.256s", key);

	for (int i = (int)strlen("proc/sys/"); i < n && i < PATH_BYTES_MAX; i++)
		out[i] = (char)(out[i] == '.' ? '/' : out[i] == '/' ? '.' : out[i]);
}

static int running_key(struct evidence *e, const struct where *w, const char *key)
{
	char path[PATH_BYTES_MAX], source[PATH_BYTES_MAX + 1], why[PATH_BYTES_MAX + 64];
	size_t n;

	if (evidence_first(e, "sysctl", key))
		return 0;
	path_of(key, path);
	snprintf(source, sizeof source, "/%s", path);
	char *value = where_read(w, path, VALUE_BYTES_MAX, &n);
	if (!value && errno == ENOENT)
		return evidence_none(e, "sysctl", key, source);
	if (!value) {
		collect_why(why, sizeof why, source, strerror(errno));
		return evidence_unseen(e, "sysctl", key, why);
	}
	value[strcspn(value, "\n")] = 0;
	sysctl_value_settle(value);
	int r = evidence_fact(e, "sysctl", key, value, source);
	free(value);
	return r;
}

/* Every folder that stands where the * does. */
static int running_star(struct evidence *e, const struct where *w, const char *pattern)
{
	const char *star = strchr(pattern, '*');
	char key[EVIDENCE_KEY_BYTES_MAX], path[PATH_BYTES_MAX];
	size_t n;
	int r = 0;

	snprintf(key, sizeof key, "%.*s", (int)(star - pattern), pattern);
	path_of(key, path);
	char **name = folder_names(w, path, NAMES_MAX, &n);
	if (!name)
		return errno == ENOENT ? evidence_none(e, "sysctl", pattern, "no such folder")
		                       : evidence_unseen(e, "sysctl", pattern, strerror(errno));
	for (size_t i = 0; i < n && !r; i++) {
		for (char *s = name[i]; *s; s++)
			*s = (char)(*s == '.' ? '/' : *s);
		if (snprintf(key, sizeof key, "%.*s%.100s%s", (int)(star - pattern), pattern, name[i],
		            star + 1) < (int)sizeof key)
			r = running_key(e, w, key);
	}
	folder_names_free(name, n);
	return r;
}

static int running_braces(struct evidence *e, const struct where *w, const char *pattern)
{
	const char *open = strchr(pattern, '{'), *close = strchr(open, '}');
	char key[EVIDENCE_KEY_BYTES_MAX];
	int r = 0;

	for (const char *s = open + 1; s < close && !r;) {
		size_t n = strcspn(s, ",}");
		snprintf(key, sizeof key, "%.*s%.*s%s", (int)(open - pattern), pattern, (int)n, s, close + 1);
		r = running_key(e, w, key);
		s += n + 1;
	}
	return r;
}

static int terms_collect(struct evidence *e, const struct where *w, const struct expect *x)
{
	int r = 0;

	for (unsigned i = 0; i < x->terms && !r; i++) {
		const char *key = x->term[i].key;
		if (strcmp(x->term[i].group, "sysctl") != 0)
			continue;
		r = strchr(key, '*')   ? running_star(e, w, key)
		    : strchr(key, '{') ? running_braces(e, w, key)
		                       : running_key(e, w, key);
	}
	return r;
}

static int running_collect(struct evidence *e, const struct where *w, const struct policy *p)
{
	struct statfs fs;
	int fd = where_open(w, "proc/sys", O_RDONLY | O_DIRECTORY);
	int real = fd >= 0 && fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC, r = 0;

	if (fd >= 0)
		close(fd);
	if (!real)
		return evidence_unseen(e, "sysctl", NULL, "/proc/sys: not there, or not the kernel's");
	for (size_t i = 0; i < p->rules && !r; i++)
		if (!(r = terms_collect(e, w, &p->rule[i].expected)))
			r = terms_collect(e, w, &p->rule[i].condition);
	return r;
}

/* --- a dump --- */

struct setting {
	struct evidence *e;
	const char *group, *source;
};

static int dumped(void *ctx, const char *key, const char *value, unsigned line)
{
	const struct setting *s = ctx;
	(void)line;
	return evidence_fact(s->e, s->group, key, value, s->source);
}

static int dump_collect(struct evidence *e, const struct where *w)
{
	struct setting s = {e, "sysctl", w->sysctls};
	const char *why = NULL;
	unsigned line = 0;
	size_t n;
	char *text = where_read_fd(w->sysctls_fd, SYSCTL_BYTES_MAX, &n), said[512];

	if (!text)
		why = errno == EFBIG ? "too large" : strerror(errno);
	else
		(void)sysctl_parse(text, n, 1, dumped, &s, &why, &line);
	free(text);
	if (!why)
		return 0;
	snprintf(said, sizeof said, "%.300s:%u: %.150s", w->sysctls, line, why);
	return evidence_unseen(e, "sysctl", NULL, said);
}

/* --- files that are applied at boot --- */

struct file {
	char *name;
	unsigned folder;
};

static int files_compare(const void *a, const void *b)
{
	const struct file *x = a, *y = b;
	int r = strcmp(x->name, y->name);
	return r ? r : x->folder < y->folder ? -1 : 1;
}

static int has_suffix(const char *name, const char *suffix)
{
	size_t n = strlen(name), m = strlen(suffix);
	return n > m && strcmp(name + n - m, suffix) == 0;
}

/* The files FOLDER/NAME.conf by name; of one name the first folder has the only say, and a link to /dev/null
 * says that there is none. Calls back with each path in the order of applying. */
static int files_each(const struct where *w, const char *const *folder, size_t folders,
        int (*each)(void *ctx, const char *path), void *ctx)
{
	struct file *file = calloc(FILES_MAX, sizeof *file);
	char path[PATH_BYTES_MAX], link[16];
	size_t files = 0;
	int r = file ? 0 : -1;

	for (unsigned i = 0; i < folders && file; i++) {
		size_t n = 0;
		char **name = folder_names(w, folder[i], NAMES_MAX, &n);
		if (!name && errno != ENOENT && !r)
			r = each(ctx, folder[i]); /* it says why a folder cannot be read */
		for (size_t j = 0; name && j < n; j++)
			if (has_suffix(name[j], ".conf") && files < FILES_MAX)
				file[files++] = (struct file){strdup(name[j]), i};
		folder_names_free(name, n);
	}
	if (file)
		qsort(file, files, sizeof *file, files_compare);
	for (size_t i = 0; i < files && !r; i++) {
		if (!file[i].name || (i && file[i - 1].name && strcmp(file[i].name, file[i - 1].name) == 0))
			continue;
		snprintf(path, sizeof path, "%s/%.255s", folder[file[i].folder], file[i].name);
		if (where_link(w, path, link, sizeof link) < 0 || strcmp(link, "/dev/null") != 0)
			r = each(ctx, path);
	}
	for (size_t i = 0; i < files; i++)
		free(file[i].name);
	free(file);
	return r;
}

/* The last value of each key, with where it stands. */
struct declared {
	struct {
		char *key, *value, source[PATH_BYTES_MAX + 16];
	} * setting;
	size_t n, room;
	const struct where *w;
	struct evidence *e;
	const char *path;
};

static int declare(void *ctx, const char *key, const char *value, unsigned line)
{
	struct declared *d = ctx;
	size_t i = 0;

	while (i < d->n && strcmp(d->setting[i].key, key) != 0)
		i++;
	if (i == d->room) {
		size_t room = d->room ? d->room * 2 : 64;
		void *more = realloc(d->setting, room * sizeof *d->setting);
		if (!more)
			return -1;
		d->setting = more;
		d->room = room;
	}
	if (i == d->n) {
		if (!(d->setting[i].key = strdup(key)))
			return -1;
		d->setting[d->n++].value = NULL;
	}
	free(d->setting[i].value);
	d->setting[i].value = strdup(value);
	snprintf(d->setting[i].source, sizeof d->setting[i].source, "/%.500s:%u", d->path, line);
	return d->setting[i].value ? 0 : -1;
}

static int declared_file(void *ctx, const char *path)
{
	struct declared *d = ctx;
	const char *why = NULL;
	unsigned line = 0;
	size_t n;
	char *text = where_read(d->w, path, SYSCTL_BYTES_MAX, &n), said[PATH_BYTES_MAX + 256];

	if (!text && errno == ENOENT)
		return 0;
	d->path = path;
	if (!text)
		why = strerror(errno);
	else
		(void)sysctl_parse(text, n, 0, declare, d, &why, &line);
	free(text);
	if (!why)
		return 0;
	snprintf(said, sizeof said, "/%.500s:%u: %.150s", path, line, why);
	return evidence_unseen(d->e, "sysctl", NULL, said);
}

static int declared_collect(struct evidence *e, const struct where *w)
{
	static const char *const folder[] = {
	        "etc/sysctl.d", "run/sysctl.d", "usr/local/lib/sysctl.d", "usr/lib/sysctl.d", "lib/sysctl.d"};
	struct declared d = {.w = w, .e = e};
	int r = files_each(w, folder, sizeof folder / sizeof *folder, declared_file, &d);

	/* sysctl --system reads it last; systemd-sysctl does not, but for Debian's link 99-sysctl.conf */
	if (!r)
		r = declared_file(&d, "etc/sysctl.conf");
	for (size_t i = 0; i < d.n; i++) {
		if (!r)
			r = evidence_fact(
			        e, "sysctl", d.setting[i].key, d.setting[i].value, d.setting[i].source);
		if (!r)
			r = evidence_fact(e, "sysctl.declared", d.setting[i].key, d.setting[i].value,
			        d.setting[i].source);
		free(d.setting[i].key);
		free(d.setting[i].value);
	}
	free(d.setting);
	return r;
}

int sysctl_collect(struct evidence *e, const struct where *w, const struct policy *p)
{
	if (w->live && running_collect(e, w, p) < 0)
		return -1;
	if (!w->live && w->sysctls_fd >= 0 && dump_collect(e, w) < 0)
		return -1;
	if (w->root < 0)
		return 0;
	return declared_collect(e, w);
}

/* --- modprobe.d --- */

struct modprobe {
	const struct where *w;
	struct evidence *e;
};

static int modprobe_file(void *ctx, const char *path)
{
	struct modprobe *m = ctx;
	const char *why = NULL;
	char source[PATH_BYTES_MAX + 1], said[PATH_BYTES_MAX + 256];
	size_t n;
	char *text = where_read(m->w, path, MODPROBE_BYTES_MAX, &n);

	snprintf(source, sizeof source, "/%.500s", path);
	if (!text)
		why = strerror(errno);
	else
		(void)modprobe_parse(text, n, source, m->e, &why);
	free(text);
	if (!why)
		return n ? evidence_item(m->e, "image", "modprobe.d", source, source) : 0;
	collect_why(said, sizeof said, source, why);
	return evidence_unseen(m->e, "modprobe", NULL, said) | evidence_unseen(m->e, "image", "modprobe.d", said);
}

int modprobe_collect(struct evidence *e, const struct where *w)
{
	static const char *const folder[] = {"etc/modprobe.d", "run/modprobe.d", "usr/local/lib/modprobe.d",
	        "usr/lib/modprobe.d", "lib/modprobe.d"};
	struct modprobe m = {w, e};

	if (w->root < 0)
		return evidence_unseen(e, "modprobe", NULL, "no tree was given: -r");
	if (files_each(w, folder, sizeof folder / sizeof *folder, modprobe_file, &m) < 0)
		return -1;
	if (!evidence_first(e, "image", "modprobe.d") && evidence_none(e, "image", "modprobe.d", "modprobe.d") < 0)
		return -1;
	return evidence_whole(e, "modprobe", "modprobe.d");
}
