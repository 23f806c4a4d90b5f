/* Reads what a tree has in it that a camera needs not: accounts that somebody could log into, keys, tools;
 * and whether what the policy sets at boot is declared in it. */
#define _GNU_SOURCE
#include "collect.h"
#include "expect-judge.h"
#include "image-selinux.h"
#include "image-verity.h"
#include "initramfs.h"
#include "nftables-conf.h"
#include "sbom.h"
#include "sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PASSWD_BYTES_MAX = 256 << 10, NAMES_MAX = 4096, PATH_BYTES_MAX = 512, FSTAB_FIELDS = 4 };

static int has(const struct where *w, const char *path)
{
	int fd = where_open(w, path, O_PATH);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Ends a list: a key of which no item came is known to be empty. */
static int list_end(struct evidence *e, const char *key, const char *source)
{
	return evidence_first(e, "image", key) ? 0 : evidence_none(e, "image", key, source);
}

/* --- accounts --- */

static unsigned fields_cut(char *line, char **field, unsigned max, const char *separators)
{
	unsigned n = 0;

	for (char *one; n < max && (one = strsep(&line, separators));)
		field[n++] = one;
	return n;
}

static int logs_in(const char *shell)
{
	const char *base = strrchr(shell, '/');

	base = base ? base + 1 : shell;
	return strcmp(base, "nologin") != 0 && strcmp(base, "false") != 0 && strcmp(base, "sync") != 0;
}

static int passwd_line(struct evidence *e, char *line)
{
	char *f[7];

	if (fields_cut(line, f, 7, ":") != 7)
		return evidence_unseen(
		        e, "image", "login-shells", "/etc/passwd: a line without seven fields");
	if (strcmp(f[2], "0") == 0 && strcmp(f[0], "root") != 0 &&
	        evidence_item(e, "image", "uid0", f[0], "/etc/passwd") < 0)
		return -1;
	return logs_in(f[6]) ? evidence_item(e, "image", "login-shells", f[0], "/etc/passwd") : 0;
}

/* A hash, or nothing at all, lets somebody in; * and ! let nobody. */
static int shadow_line(struct evidence *e, char *line)
{
	char *f[3];

	if (fields_cut(line, f, 3, ":") < 2)
		return evidence_unseen(e, "image", "passwords", "/etc/shadow: a line without fields");
	return *f[1] == '*' || *f[1] == '!' ? 0 : evidence_item(e, "image", "passwords", f[0], "/etc/shadow");
}

static int lines_each(struct evidence *e, char *text, int (*take)(struct evidence *, char *))
{
	char *s = text;
	int r = 0;

	for (char *line; !r && (line = strsep(&s, "\n"));)
		if (*line)
			r = take(e, line);
	return r;
}

static int accounts(struct evidence *e, const struct where *w)
{
	static const struct {
		const char *path, *keys[2];
		int (*take)(struct evidence *, char *);
	} files[] = {{"etc/passwd", {"uid0", "login-shells"}, passwd_line},
	        {"etc/shadow", {"passwords", NULL}, shadow_line}};
	int r = 0;

	for (size_t i = 0; i < 2 && !r; i++) {
		size_t n;
		char *text = where_read(w, files[i].path, PASSWD_BYTES_MAX, &n), why[256];
		snprintf(why, sizeof why, "/%s: %s", files[i].path, text ? "" : strerror(errno));
		if (text)
			r = lines_each(e, text, files[i].take);
		for (size_t k = 0; k < 2 && files[i].keys[k] && !r; k++)
			r = text && n ? list_end(e, files[i].keys[k], files[i].path)
			              : evidence_unseen(e, "image", files[i].keys[k], text ? "empty" : why);
		free(text);
	}
	return r;
}

/* --- names in folders --- */

static int one_of(const char *name, const char *list)
{
	size_t n = strlen(name);

	for (const char *s = list; *s;) {
		size_t m = strcspn(s, " ");
		if (m == n && memcmp(s, name, n) == 0)
			return 1;
		s += m + (s[m] == ' ');
	}
	return 0;
}

static const struct {
	const char *key, *names;
} tools[] = {
        {"debug-tools", "gdb gdbserver strace ltrace tcpdump nc ncat netcat nc.openbsd nc.traditional socat "
                        "telnet telnetd tshark perf bpftrace nmap"},
        {"package-managers",
                "apt apt-get dpkg dpkg-deb opkg apk rpm dnf yum pacman snap flatpak pip pip3 npm"},
        {"compilers", "cc gcc c++ g++ clang tcc as ld make cargo rustc go"},
};

static int tools_find(struct evidence *e, const struct where *w)
{
	static const char *const folders[] = {
	        "bin", "sbin", "usr/bin", "usr/sbin", "usr/local/bin", "usr/local/sbin"};
	char path[PATH_BYTES_MAX];
	int seen = 0, r = 0;

	for (size_t i = 0; i < sizeof folders / sizeof *folders && !r; i++) {
		size_t n = 0;
		char link[PATH_BYTES_MAX],
		        **name = where_link(w, folders[i], link, sizeof link) == 0
		                         ? NULL
		                         : folder_names(w, folders[i], NAMES_MAX,
		                                   &n); /* /bin is usr/bin: once is enough */
		seen |= name != NULL;
		for (size_t j = 0; name && j < n && !r; j++)
			for (size_t k = 0; k < sizeof tools / sizeof *tools && !r; k++)
				if (one_of(name[j], tools[k].names)) {
					snprintf(path, sizeof path, "/%s/%.200s", folders[i], name[j]);
					r = evidence_item(e, "image", tools[k].key, path, path);
				}
		folder_names_free(name, n);
	}
	for (size_t k = 0; k < sizeof tools / sizeof *tools && !r; k++)
		r = seen ? list_end(e, tools[k].key, "the folders of programs")
		         : evidence_unseen(e, "image", tools[k].key, "no folder of programs could be read");
	return r;
}

/* Names in a folder that begin and end so, as items of a key. */
static int folder_find(struct evidence *e, const struct where *w, const char *key, const char *folder,
        const char *head, const char *tail)
{
	char path[PATH_BYTES_MAX];
	size_t n = 0;
	int r = 0;
	char **name = folder_names(w, folder, NAMES_MAX, &n);

	if (!name && errno != ENOENT && errno != ENOTDIR) {
		snprintf(path, sizeof path, "/%s: %s", folder, strerror(errno));
		return evidence_unseen(e, "image", key, path);
	}
	for (size_t i = 0; name && i < n && !r; i++) {
		size_t length = strlen(name[i]), end = strlen(tail);
		if (strncmp(name[i], head, strlen(head)) != 0 || length < end ||
		        strcmp(name[i] + length - end, tail) != 0)
			continue;
		snprintf(path, sizeof path, "/%s/%.200s", folder, name[i]);
		r = evidence_item(e, "image", key, path, path);
	}
	folder_names_free(name, n);
	return r;
}

static int homes_find(struct evidence *e, const struct where *w)
{
	char path[PATH_BYTES_MAX];
	size_t n = 0;
	char **home = folder_names(w, "home", NAMES_MAX, &n);
	int r = 0;

	if (has(w, "root/.ssh/authorized_keys"))
		r = evidence_item(e, "image", "authorized-keys", "/root/.ssh/authorized_keys", "/root");
	for (size_t i = 0; home && i < n && !r; i++) {
		snprintf(path, sizeof path, "home/%.200s/.ssh/authorized_keys", home[i]);
		if (has(w, path))
			r = evidence_item(e, "image", "authorized-keys", path, "/home");
		snprintf(path, sizeof path, "home/%.200s/.ssh", home[i]);
		if (!r)
			r = folder_find(e, w, "private-keys", path, "id_", "");
	}
	folder_names_free(home, n);
	return r ? r : list_end(e, "authorized-keys", "/root and /home");
}

static int keys_find(struct evidence *e, const struct where *w)
{
	int r = homes_find(e, w);

	r = r ? r : folder_find(e, w, "private-keys", "root/.ssh", "id_", "");
	r = r ? r : folder_find(e, w, "private-keys", "etc/ssl/private", "", ".key");
	r = r ? r : list_end(e, "private-keys", "/root, /home and /etc/ssl/private");
	r = r ? r : folder_find(e, w, "ssh-host-keys", "etc/ssh", "ssh_host_", "_key");
	r = r ? r : list_end(e, "ssh-host-keys", "/etc/ssh");
	r = r ? r : folder_find(e, w, "kernel-headers", "usr/src", "linux-", "");
	r = r ? r : folder_find(e, w, "kernel-headers", "usr/include", "stdio", ".h");
	return r ? r : list_end(e, "kernel-headers", "/usr/src and /usr/include");
}

static int getty_line(struct evidence *e, char *line)
{
	return *line != '#' && strstr(line, "getty")
	               ? evidence_item(e, "image", "getty", line, "/etc/inittab")
	               : 0;
}

static int getty_find(struct evidence *e, const struct where *w)
{
	size_t n;
	char *text = where_read(w, "etc/inittab", PASSWD_BYTES_MAX, &n);
	int r = text ? lines_each(e, text, getty_line) : 0;

	free(text);
	r = r ? r : folder_find(e, w, "getty", "etc/systemd/system/getty.target.wants", "", ".service");
	r = r ? r : folder_find(e, w, "getty", "etc/service", "getty", "");
	r = r ? r : folder_find(e, w, "getty", "etc/s6-rc/source", "getty", "");
	return r ? r : list_end(e, "getty", "inittab and services");
}

/* --- fstab --- */

static int fstab_line(struct evidence *e, char *line)
{
	char *f[FSTAB_FIELDS], key[PATH_BYTES_MAX], *s = line;
	unsigned n = 0;

	while (n < FSTAB_FIELDS) {
		s += strspn(s, " \t");
		if (!*s || *s == '#')
			break;
		f[n++] = s;
		s += strcspn(s, " \t");
		if (*s)
			*s++ = 0;
	}
	if (n < FSTAB_FIELDS)
		return n ? evidence_unseen(e, "image", "fstab", "a line without options") : 0;
	snprintf(key, sizeof key, "fstab%.200s", f[1]);
	return evidence_fact(e, "image", key, f[3], "/etc/fstab");
}

/* A place that fstab does not have: nothing is mounted there by it. */
static int fstab_absent(struct evidence *e, const struct policy *p)
{
	int r = 0;

	for (size_t i = 0; i < p->rules && !r; i++) {
		const char *key = p->rule[i].key;
		if (strcmp(p->rule[i].group, "image") == 0 && strncmp(key, "fstab/", 6) == 0 &&
		        !evidence_first(e, "image", key))
			r = evidence_none(e, "image", key, "/etc/fstab");
	}
	return r;
}

static int fstab_find(struct evidence *e, const struct where *w, const struct policy *p)
{
	size_t n;
	char *text = where_read(w, "etc/fstab", PASSWD_BYTES_MAX, &n);
	int r;

	if (!text) /* without one, keys stay unknown */
		return 0;
	r = lines_each(e, text, fstab_line);
	free(text);
	return r ? r : fstab_absent(e, p);
}

/* --- what the policy sets at boot --- */

static int declared_ask(struct evidence *e, const struct rule *r)
{
	const struct term *t = &r->expected.term[0];
	int writes = t->test == TEST_IS || t->test == TEST_AT_LEAST || t->test == TEST_AT_MOST ||
	             t->test == TEST_MAX;
	char key[EVIDENCE_KEY_BYTES_MAX];
	struct expect_seen seen;
	const char *open = strchr(t->key, '{'), *star = strchr(t->key, '*');

	if (strcmp(t->group, "sysctl") != 0 || !writes ||
	        expect_judge(&r->condition, e, NULL, &seen) == TRUTH_NO)
		return 0;
	snprintf(key, sizeof key, "%s", t->key);
	if (star)
		snprintf(key, sizeof key, "%.*sdefault%s", (int)(star - t->key), t->key, star + 1);
	if (open)
		snprintf(key, sizeof key, "%.*s%.*s%s", (int)(open - t->key), t->key,
		        (int)strcspn(open + 1, ",}"), open + 1, strchr(open, '}') + 1);
	return evidence_first(e, "sysctl.declared", key)
	               ? 0
	               : evidence_item(e, "image", "undeclared-sysctls", key, "sysctl.d");
}

static int declared_find(struct evidence *e, const struct policy *p)
{
	const char *why = evidence_group_unseen(e, "sysctl");
	int r = 0;

	if (why) /* one of the files was not seen, or not whole: it could be the one that sets it */
		return evidence_unseen(e, "image", "undeclared-sysctls", why);
	for (size_t i = 0; i < p->rules && !r; i++)
		r = declared_ask(e, &p->rule[i]);
	return r ? r : list_end(e, "undeclared-sysctls", "sysctl.d");
}

int image_collect(struct evidence *e, const struct where *w, const struct policy *p)
{
	if (w->root < 0)
		return evidence_unseen(e, "image", NULL, "no tree was given: -r");
	if (!where_exists(w, "etc")) /* nothing there would be as good as nothing wrong */
		return evidence_unseen(e, "image", NULL, "no etc in it: not the root of a system");
	int r = accounts(e, w);
	r = r ? r : tools_find(e, w);
	r = r ? r : keys_find(e, w);
	r = r ? r : getty_find(e, w);
	r = r ? r : fstab_find(e, w, p);
	r = r ? r : nftables_conf_collect(e, w, p);
	r = r ? r : image_selinux_collect(e, w);
	r = r ? r : initramfs_collect(e, w);
	r = r ? r : image_verity_collect(e, w);
	r = r ? r : sbom_collect(e, w);
	return r ? r : declared_find(e, p);
}
