/* Runs nft, which must be root's own, and reads what it prints; waits for it only so long. Everything that
 * goes wrong there is evidence not seen: an empty answer of a program that failed must not look like a
 * ruleset without rules. */
#define _GNU_SOURCE
#include "firewall.h"

#include "child.h"
#include "ruleset.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DEADLINE_MS = 5000, NAMES_BYTES_MAX = 4096 };

static const char *const programs[] = {"/usr/sbin/nft", "/sbin/nft", NULL};

/* A program that somebody else than root can change is not run. */
static const char *program_find(void)
{
	struct stat st;

	for (const char *const *p = programs; *p; p++)
		if (stat(*p, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == 0 &&
		        !(st.st_mode & (S_IWGRP | S_IWOTH)))
			return *p;
	return NULL;
}

_Noreturn static void child_run(const char *program, int out)
{
	char *const argv[] = {(char *)program, (char *)"-j", (char *)"list", (char *)"ruleset", NULL};
	char *const environment[] = {NULL};
	int null = open("/dev/null", O_RDWR);

	for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (cap != CAP_NET_ADMIN)
			(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 ||
	        dup2(null, 2) < 0 || close_range(3, ~0U, 0) < 0)
		_exit(127);
	execve(program, argv, environment);
	_exit(127);
}

/* What it printed, or NULL and why there is nothing to judge. */
static char *program_read(const char *program, size_t *n, const char **why)
{
	int fds[2], status;

	if (pipe2(fds, O_CLOEXEC) < 0) {
		*why = "nft: no pipe";
		return NULL;
	}
	pid_t pid = fork();
	if (pid == 0)
		child_run(program, fds[1]);
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		*why = "nft: cannot be started";
		return NULL;
	}
	char *text = child_text(pid, fds[0], RULESET_BYTES_MAX, DEADLINE_MS, n, &status, why);
	if (!text)
		*why = *n > RULESET_BYTES_MAX ? "nft printed too much" : "nft did not finish in time";
	else if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		*why = "nft could not be run";
	else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		*why = "nft failed: is this root?";
	return text;
}

/* -1: nobody can tell. */
static int bridge_exists(const struct where *w)
{
	DIR *d = where_folder(w, "sys/class/net");
	int found = 0;

	if (!d)
		return -1;
	for (const char *name; !found && (name = where_folder_next(d));) {
		char path[300];
		snprintf(path, sizeof path, "sys/class/net/%s/bridge", name);
		found = where_exists(w, path);
	}
	if (!found && errno)
		found = -1;
	closedir(d);
	return found;
}

/* Tables of the older filter: their rules come into force beside nft's, and nft does not show them. */
static int legacy_collect(struct evidence *e, const struct where *w)
{
	static const char *const files[] = {
	        "proc/net/ip_tables_names", "proc/net/ip6_tables_names", "proc/net/arp_tables_names"};
	int r = 0, found = 0;

	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		size_t n;
		char *names = where_read(w, files[i], NAMES_BYTES_MAX, &n);
		if (!names && errno != ENOENT)
			return evidence_unseen(e, "net", "iptables-legacy", strerror(errno));
		for (char *save, *t = names ? strtok_r(names, "\n", &save) : NULL; t;
		        t = strtok_r(NULL, "\n", &save)) {
			r |= evidence_item(e, "net", "iptables-legacy", t, files[i]);
			found++;
		}
		free(names);
	}
	return found ? r : evidence_none(e, "net", "iptables-legacy", "/proc/net/ip_tables_names");
}

/* What nft said, or why it said nothing. */
static char *answer;
static size_t answer_bytes;
static const char not_asked[] = "nft was not asked", *answer_missing = not_asked;

void firewall_open(const struct where *w)
{
	const char *program = program_find();

	if (!w->live)
		return;
	answer_missing = NULL;
	if (!program)
		answer_missing = "there is no nft that only root can change";
	else
		answer = program_read(program, &answer_bytes, &answer_missing);
}

int firewall_collect(struct evidence *e, const struct where *w)
{
	if (!w->live)
		return 0;
	if (!where_exists(w, "proc/net/dev")) { /* what is not in there then proves nothing */
		ruleset_unseen(e, "/proc/net is not there");
		return evidence_unseen(e, "net", "iptables-legacy", "/proc/net is not there");
	}
	int r = legacy_collect(e, w), bridge = bridge_exists(w);
	if (answer_missing || bridge < 0)
		ruleset_unseen(e, answer_missing ? answer_missing : "/sys/class/net cannot be listed");
	else
		r |= ruleset_judge(answer, answer_bytes, where_exists(w, "proc/net/if_inet6"), bridge > 0, e);
	free(answer);
	answer = NULL;
	answer_missing = not_asked;
	return r;
}
