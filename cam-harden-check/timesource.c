/* Reads /proc/PID/comm and /proc/PID/cmdline of every process, and the configuration of those that set
 * clocks: chronyd's and ntpd's. Those of systemd-timesyncd, OpenNTPD and PTP have no way to authenticate
 * anybody. */
#define _GNU_SOURCE
#include "timesource.h"

#include "daemons.h"
#include "list.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { DAEMONS_MAX = 8 };

static const char comments[] = "#%!;";

/* --- lines --- */

static void include_note(struct timesource *t, const char *path, const char *suffix)
{
	if (t->includes == TIMESOURCE_INCLUDES_MAX ||
	        lines_include_parse(path, suffix, &t->include[t->includes]) < 0)
		t->strange = true;
	else
		t->includes++;
}

static void server_note(struct timesource *t, char *rest)
{
	const char *name = lines_word(&rest), *option;
	bool nts = false, key = false;

	if (!name || strncmp(name, "127.127.", 8) == 0) /* a clock of ntpd's own */
		return;
	/* to ntpd a comment can begin here; chronyd takes no such line */
	while ((option = lines_word(&rest)) && *option != '#') {
		nts |= strcasecmp(option, "nts") == 0;
		if (strcasecmp(option, "key") == 0)
			key |= lines_word(&rest) != NULL;
	}
	if (nts)
		t->nts++;
	else if (key)
		t->keyed++;
	else
		t->plain++;
}

void timesource_line(char *line, void *timesource)
{
	static const char *const servers[] = {"server", "pool", "peer", "broadcastclient", "multicastclient"};
	struct timesource *t = timesource;
	const char *word = lines_word(&line), *path;

	for (size_t i = 0; word && i < sizeof servers / sizeof *servers; i++)
		if (strcasecmp(word, servers[i]) == 0) {
			if (i > 2)
				t->plain++;
			else
				server_note(t, line);
			return;
		}
	if (!word)
		return;
	if (strcasecmp(word, "authselectmode") == 0) {
		const char *mode = lines_word(&line);
		t->required = mode && strcasecmp(mode, "require") == 0;
		return;
	}
	const char *suffix = strcasecmp(word, "confdir") == 0     ? ".conf"
	                     : strcasecmp(word, "sourcedir") == 0 ? ".sources"
	                                                          : "";
	if (*suffix || strcasecmp(word, "include") == 0 || strcasecmp(word, "includefile") == 0)
		while ((path = lines_word(&line)))
			include_note(t, path, suffix);
}

const char *timesource_kind(const struct timesource *t)
{
	if (t->plain && !(t->required && t->nts + t->keyed))
		return "plain";
	return t->keyed ? "key" : t->nts ? "nts" : NULL;
}

/* --- files --- */

/* false: something of it cannot be read. What files name is read after them, and may name more. */
static bool files_read(const struct where *w, const char *path, struct timesource *t)
{
	unsigned done = 0;

	if (lines_of_file(w, path, comments, timesource_line, t) < 0)
		return false;
	for (; done < t->includes; done++)
		if (lines_of_include(w, &t->include[done], comments, timesource_line, t) < 0)
			return false;
	return !t->strange;
}

static bool chrony_read(const struct where *w, pid_t pid, struct timesource *t)
{
	char path[DAEMONS_ARGUMENT_BYTES];
	int given = daemons_argument(w, pid, 'f', 0, path);

	/* directives can be arguments too */
	if (given < 0 || daemons_arguments(w, pid, timesource_line, t) < 0)
		return false;
	if (given)
		return *path == '/' && files_read(w, path + 1, t);
	return files_read(w,
	        where_exists(w, "etc/chrony/chrony.conf") ? "etc/chrony/chrony.conf" : "etc/chrony.conf", t);
}

/* Three programs have this name: of NTPsec and its forebear, of OpenBSD, and of busybox, whose servers are
 * arguments. */
static bool ntpd_read(const struct where *w, pid_t pid, struct timesource *t)
{
	static const char *const files[] = {"etc/ntpsec/ntp.conf", "etc/ntp.conf"},
	                         *const folders[] = {"etc/ntpsec/ntp.d", "etc/ntp.d"},
	                         *const open[] = {"etc/openntpd/ntpd.conf", "etc/ntpd.conf"};
	char path[DAEMONS_ARGUMENT_BYTES];
	int given = daemons_argument(w, pid, 'c', 0, path);

	if (given < 0)
		return false;
	if (given)
		return *path == '/' && files_read(w, path + 1, t);
	bool openntpd = where_exists(w, open[0]) || where_exists(w, open[1]);
	for (size_t i = 0; i < 2; i++) {
		if (!where_exists(w, files[i]))
			continue;
		if (openntpd)
			return false; /* which of them it is cannot be told */
		if (lines_of_folder(w, folders[i], ".conf", comments, timesource_line, t) < 0 &&
		        errno != ENOENT)
			return false;
		return files_read(w, files[i], t);
	}
	t->plain += openntpd || daemons_argument(w, pid, 'p', 0, path) == 1;
	return t->plain > 0;
}

static bool daemon_read(const struct where *w, const struct daemon *d, struct timesource *t)
{
	if (strcmp(d->name, "chronyd") == 0)
		return chrony_read(w, d->pid, t);
	if (strcmp(d->name, "ntpd") == 0)
		return ntpd_read(w, d->pid, t);
	t->plain++;
	return true;
}

int timesource_collect(struct evidence *e, const struct where *w)
{
	static const char *const names[] = {"chronyd", "ntpd", "systemd-timesyncd", "ptp4l", "phc2sys", NULL};
	static struct timesource t;
	struct list sources = {e, "integrity", "clock-source", "/proc", 0, NULL, 0};
	struct daemon found[DAEMONS_MAX];
	const char *why;
	bool whole = true;
	int n;

	if (!w->live)
		return 0;
	if ((n = daemons_find(w, names, found, DAEMONS_MAX, &why)) < 0)
		return evidence_unseen(e, "integrity", "clock-source", why) |
		       evidence_unseen(e, "net", "ntp", why);
	t = (struct timesource){0};
	for (int i = 0; i < n; i++) {
		list_add(&sources, "%s", found[i].name);
		whole &= daemon_read(w, &found[i], &t);
	}
	int r = list_end(&sources);
	const char *kind = timesource_kind(&t);
	/* one that is not known at all is enough to say so */
	if (!whole && (!kind || strcmp(kind, "plain") != 0))
		return r |
		       evidence_unseen(e, "net", "ntp",
		               "the configuration of what sets the clock cannot be read, or not understood");
	return r | fact_put(e, "net", "ntp", kind, n ? found[0].name : "no program that sets the clock runs");
}
