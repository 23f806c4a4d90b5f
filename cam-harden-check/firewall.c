/* Runs nft, which must be root's own, and reads what it prints; waits for it only so long. Everything that
 * goes wrong there is evidence not seen: an empty answer of a program that failed must not look like a
 * ruleset without rules. */
#define _GNU_SOURCE
#include "firewall.h"

#include "ruleset.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { DEADLINE_MS = 5000, NAMES_BYTES_MAX = 4096 };

static const char *const programs[] = {"/usr/sbin/nft", "/sbin/nft", NULL};

static long now_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

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

/* Everything until the end, RULESET_BYTES_MAX + 1 at most. false: too slow, or an error. */
static bool all_read(int fd, char *buf, size_t *n)
{
	long end = now_ms() + DEADLINE_MS;
	ssize_t r = 1;

	*n = 0;
	while (r > 0 && *n <= RULESET_BYTES_MAX) {
		long left = end - now_ms();
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int ready = left > 0 ? poll(&p, 1, (int)left) : 0;
		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			return false;
		r = read(fd, buf + *n, RULESET_BYTES_MAX + 1 - *n);
		if (r < 0 && errno == EINTR) {
			r = 1;
			continue;
		}
		*n += r > 0 ? (size_t)r : 0;
	}
	return r == 0;
}

/* NULL when all is well, else why there is nothing to judge. */
static const char *program_read(const char *program, char *buf, size_t *n)
{
	int fds[2], status = -1;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return "nft: no pipe";
	pid_t pid = fork();
	if (pid == 0)
		child_run(program, fds[1]);
	close(fds[1]);
	bool whole = pid > 0 && all_read(fds[0], buf, n);
	close(fds[0]);
	if (pid < 0)
		return "nft: cannot be started";
	if (!whole)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!whole)
		return *n > RULESET_BYTES_MAX ? "nft printed too much" : "nft did not finish in time";
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return "nft could not be run";
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? NULL : "nft failed: is this root?";
}

static bool bridge_exists(const struct where *w)
{
	int fd = where_open(w, "sys/class/net", O_RDONLY | O_DIRECTORY);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	bool found = false;

	for (struct dirent *e; d && !found && (e = readdir(d));) {
		char path[300];
		snprintf(path, sizeof path, "sys/class/net/%s/bridge", e->d_name);
		found = e->d_name[0] != '.' && where_exists(w, path);
	}
	if (d)
		closedir(d);
	else if (fd >= 0)
		close(fd);
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
static const char *answer_missing = "nft was not asked";

void firewall_open(const struct where *w)
{
	const char *program = program_find();

	if (!w->live)
		return;
	if (!program)
		answer_missing = "there is no nft that only root can change";
	else if (!(answer = malloc(RULESET_BYTES_MAX + 1)))
		answer_missing = "no memory";
	else
		answer_missing = program_read(program, answer, &answer_bytes);
}

int firewall_collect(struct evidence *e, const struct where *w)
{
	if (!w->live)
		return 0;
	if (!where_exists(w, "proc/net/dev")) { /* what is not in there then proves nothing */
		ruleset_unseen(e, "/proc/net is not there");
		return evidence_unseen(e, "net", "iptables-legacy", "/proc/net is not there");
	}
	int r = legacy_collect(e, w);
	if (answer_missing)
		ruleset_unseen(e, answer_missing);
	else
		r |= ruleset_judge(
		        answer, answer_bytes, where_exists(w, "proc/net/if_inet6"), bridge_exists(w), e);
	free(answer);
	answer = NULL;
	answer_missing = "nft was not asked";
	return r;
}
