/* Reads /proc/cmdline and /proc/1/comm, and what the first process starts: units of systemd, run levels of
 * OpenRC, files of ifupdown, or the services that cam-services has made for s6-rc. What loads the rules is
 * known by "nft -f" in it. Where nothing of that kind is found, or more than is read here decides, it was not
 * seen. */
#define _GNU_SOURCE
#include "order.h"

#include "lines.h"
#include "list.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_BYTES_MAX = 64 << 10, NAME_BYTES = 128, LOADERS_MAX = 8, SERVICES_MAX = 1024 };

/* What is found out on the way. */
struct order {
	const struct where *w;
	const char *source; /* where it was seen */
	bool loaded;        /* something loads the rules */
	char late[LIST_ITEM_BYTES];
	const char *unknown;
	char loader[LOADERS_MAX][NAME_BYTES]; /* services of s6-rc */
	unsigned loaders;
};

static void late(struct order *o, const char *name, const char *why)
{
	if (!*o->late)
		snprintf(o->late, sizeof o->late, "%.127s %s", name, why);
}

static char *text_read(const struct where *w, const char *folder, const char *name, const char *file)
{
	char path[1024];
	size_t n;

	snprintf(path, sizeof path, "%.400s/%.127s%s%.127s", folder, name, *file ? "/" : "", file);
	return where_read(w, path, TEXT_BYTES_MAX, &n);
}

/* From "nft" on: is it -f with a file that is there, and not only to check it? */
static bool command_loads(const struct where *w, const char *s, size_t n)
{
	char text[NAME_BYTES * 2], *rest = text;
	bool check = false;

	snprintf(text, sizeof text, "%.*s", (int)n, s);
	(void)lines_word(&rest);
	for (const char *word; (word = lines_word(&rest));) {
		check |= strcmp(word, "-c") == 0 || strcmp(word, "--check") == 0;
		if (strcmp(word, "-f") != 0 && strcmp(word, "--file") != 0)
			continue;
		const char *file = lines_word(&rest);
		return !check && file && (*file != '/' || where_exists(w, file + 1));
	}
	return false;
}

/* Commands of a script or of a unit; what stands behind # is none. */
static bool loads_rules(const struct where *w, const char *text)
{
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		size_t n = strcspn(line, "#\n");
		for (const char *s = line; (s = memmem(s, n - (size_t)(s - line), "nft ", 4)); s++)
			if ((s == line || strchr("/ \t;&|-+@!", s[-1])) &&
			        command_loads(w, s, strcspn(s, "#;&|\n\"'")))
				return true;
	}
	return false;
}

/* --- systemd --- */

static const char *const unit_folders[] = {"etc/systemd/system", "run/systemd/system",
        "usr/local/lib/systemd/system", "usr/lib/systemd/system", "lib/systemd/system"};

/* Of a unit's text. */
struct unit {
	bool loads, before;
	const struct where *w;
};

static void unit_line(char *line, void *arg)
{
	struct unit *u = arg;
	char *equals = strchr(line, '=');

	if (!equals)
		return;
	char *value = equals + 1;
	*equals = 0;
	const char *key = lines_word(&line);
	if (!key)
		return;
	u->loads |= strcmp(key, "ExecStart") == 0 && loads_rules(u->w, value);
	if (strcmp(key, "Before") == 0)
		for (const char *word; (word = lines_word(&value));)
			u->before |= strcmp(word, "network-pre.target") == 0;
}

/* The unit of this name, where systemd finds it first; a link to /dev/null masks it. */
static bool unit_read(struct order *o, const char *name, struct unit *u)
{
	char path[256];

	for (size_t i = 0; i < sizeof unit_folders / sizeof *unit_folders; i++) {
		snprintf(path, sizeof path, "%s/%.63s", unit_folders[i], name);
		if (lines_of_file(o->w, path, "#;", unit_line, u) == 0)
			break;
		if (errno == EINVAL)
			return false;
		if (errno != ENOENT)
			o->unknown = "a unit of systemd cannot be read";
	}
	for (size_t i = 0; u->loads && i < sizeof unit_folders / sizeof *unit_folders; i++) {
		snprintf(path, sizeof path, "%s/%.63s.d", unit_folders[i], name);
		if (where_exists(o->w, path))
			o->unknown = "what loads the rules is changed by a folder beside its unit";
	}
	return true;
}

static void unit_look(const struct where *w, const char *path, void *arg)
{
	struct order *o = arg;
	struct unit u = {.w = w};
	const char *name = strrchr(path, '/') + 1;

	if (!unit_read(o, name, &u) || !u.loads)
		return;
	o->loaded = true;
	if (!u.before)
		late(o, name, "is not ordered before network-pre.target");
}

static void systemd_look(struct order *o)
{
	static const char *const targets[] = {"sysinit", "basic", "network-pre", "network", "multi-user"};
	char path[256];

	o->source = "units of systemd";
	for (size_t i = 0; i < sizeof unit_folders / sizeof *unit_folders; i++)
		for (size_t t = 0; t < sizeof targets / sizeof *targets; t++) {
			snprintf(path, sizeof path, "%s/%s.target.wants", unit_folders[i], targets[t]);
			if (lines_folder(o->w, path, ".service", unit_look, o) < 0 && errno != ENOENT)
				o->unknown = "the units that systemd starts cannot be listed";
		}
}

/* --- OpenRC: /etc/init.d/nftables says "before net" of itself --- */

static void openrc_look(struct order *o)
{
	static const char *const levels[] = {"sysinit", "boot", "default"};
	char path[64];

	o->source = "/etc/runlevels";
	for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
		snprintf(path, sizeof path, "etc/runlevels/%s/nftables", levels[i]);
		if (!where_exists(o->w, path))
			continue;
		char *text = text_read(o->w, "etc/init.d", "nftables", "");
		if (!text)
			o->unknown = "/etc/init.d/nftables cannot be read";
		else if (!strstr(text, "before net"))
			late(o, "/etc/init.d/nftables", "does not say that it comes before net");
		o->loaded = text != NULL;
		free(text);
		return;
	}
}

/* --- ifupdown: what is in if-pre-up.d runs before any interface is up --- */

static void hook_look(const struct where *w, const char *path, void *arg)
{
	struct order *o = arg;
	size_t n;
	char *text = where_read(w, path, TEXT_BYTES_MAX, &n);

	if (!text)
		o->unknown = "a file of if-pre-up.d cannot be read";
	else
		o->loaded |= loads_rules(w, text);
	free(text);
}

static void ifupdown_look(struct order *o)
{
	o->source = "/etc/network/if-pre-up.d";
	if (lines_folder(o->w, "etc/network/if-pre-up.d", "", hook_look, o) < 0 && errno != ENOENT)
		o->unknown = "/etc/network/if-pre-up.d cannot be listed";
}

/* --- s6-rc: what cam-services has made, for the next start and for this one --- */

#define SOURCES "var/lib/cam-services/current/../source"

/* A oneshot whose command, or the script that it names, loads them. */
static void loader_look(struct order *o, const char *name)
{
	char *up = text_read(o->w, SOURCES, name, "up"), *script = NULL;

	if (up && *up == '/') {
		up[strcspn(up, " \n")] = 0;
		size_t n;
		script = where_read(o->w, up + 1, TEXT_BYTES_MAX, &n);
	}
	if (script && loads_rules(o->w, script)) {
		if (o->loaders == LOADERS_MAX || strlen(name) >= NAME_BYTES)
			o->unknown = "more services load rules than are followed";
		else
			snprintf(o->loader[o->loaders++], NAME_BYTES, "%s", name);
		o->loaded = true;
	}
	free(up);
	free(script);
}

/* One that has a network waits for them; the log, and what lives where there is none, need not. */
static void waiting_look(struct order *o, const char *name)
{
	char path[512], *run = text_read(o->w, SOURCES, name, "run");
	bool waits = false;

	if (!run && errno == ENOENT)
		return; /* a oneshot, or a bundle */
	for (unsigned i = 0; i < o->loaders; i++) {
		snprintf(path, sizeof path, SOURCES "/%.127s/dependencies.d/%s", name, o->loader[i]);
		waits |= where_exists(o->w, path);
	}
	if (!run)
		o->unknown = "a service of s6-rc cannot be read";
	else if (!waits && !strstr(run, "nsenter --net=") && !strstr(run, "\ns6-log ") &&
	         !strstr(run, "\nsleep "))
		late(o, name, "does not wait for the rules");
	free(run);
}

static void services_each(struct order *o, void (*look)(struct order *, const char *))
{
	DIR *d = where_folder(o->w, SOURCES);
	unsigned n = 0;

	if (!d) {
		o->unknown = "the services of cam-services are not there";
		return;
	}
	for (const char *name; n < SERVICES_MAX && (name = where_folder_next(d)); n++)
		look(o, name);
	if (n == SERVICES_MAX)
		o->unknown = "more services than are looked at";
	else if (errno)
		o->unknown = "the services of cam-services cannot be listed";
	closedir(d);
}

static void s6_look(struct order *o)
{
	o->source = "/var/lib/cam-services/current";
	if (where_exists(o->w, "run/s6-rc")) {
		o->unknown = "the services of another s6-rc are not understood";
		return;
	}
	services_each(o, loader_look);
	services_each(o, waiting_look);
}

/* --- all --- */

/* ip=, but for "off" and "none", lets the kernel set the network up before anything else runs. */
static bool kernel_configures(const char *cmdline)
{
	for (const char *s = cmdline; (s = strstr(s, "ip=")); s++)
		if ((s == cmdline || s[-1] == ' ') && strncmp(s, "ip=off", 6) != 0 &&
		        strncmp(s, "ip=none", 7) != 0)
			return true;
	return false;
}

static void first_look(struct order *o, const char *comm)
{
	if (strcmp(comm, "systemd") == 0)
		systemd_look(o);
	else if (strcmp(comm, "s6-svscan") == 0)
		s6_look(o);
	else if (strcmp(comm, "openrc-init") == 0 || where_exists(o->w, "run/openrc"))
		openrc_look(o);
	else if (where_exists(o->w, "etc/network/if-pre-up.d"))
		ifupdown_look(o);
	else
		o->unknown = "what the first process starts, and in which order, is not understood";
}

int order_collect(struct evidence *e, const struct where *w)
{
	static const char key[] = "nft:loaded-before-net";
	static struct order o;
	char why[LIST_ITEM_BYTES + 8];

	if (!w->live)
		return 0;
	o = (struct order){.w = w};
	char *cmdline = where_line(w, "proc/cmdline"), *comm = where_line(w, "proc/1/comm");
	if (!cmdline || !comm) {
		o.unknown = "/proc does not show the first process";
	} else if (kernel_configures(cmdline)) {
		o.source = "/proc/cmdline";
		late(&o, "the kernel", "sets the network up itself (ip=)");
	} else {
		first_look(&o, comm);
	}
	free(cmdline);
	free(comm);
	snprintf(why, sizeof why, "no: %s", o.late);
	if (*o.late)
		return evidence_fact(e, "net", key, why, o.source);
	if (o.unknown || !o.loaded)
		return evidence_unseen(e, "net", key,
		        o.unknown ? o.unknown
		                  : "nothing that loads rules (nft -f) was found among what is started");
	return evidence_fact(e, "net", key, "yes", o.source);
}
