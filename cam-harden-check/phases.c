/* A phase writes its facts to a pipe, one a line, and ends with 0; one that ends in any other way, or is
 * killed by its filter, has seen nothing. A line is KIND GROUP KEY VALUE SOURCE, with the unit separator
 * between them, which evidence cannot have in it. */
#define _GNU_SOURCE
#include "phases.h"

#include "attempt.h"
#include "boot.h"
#include "clock.h"
#include "fdio.h"
#include "feeder.h"
#include "files.h"
#include "firewall.h"
#include "lsm.h"
#include "mounts.h"
#include "msg.h"
#include "order.h"
#include "processes.h"
#include "programs.h"
#include "protocols.h"
#include "resolver.h"
#include "sandbox.h"
#include "securebits.h"
#include "sockets.h"
#include "timesource.h"
#include "verity.h"
#include "wifi.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COLLECTORS_MAX = 12, OPENERS_MAX = 8, FIELDS = 5, DEVICE = 0, PROCESSES = 1, FILES = 2, ATTEMPTS = 3 };
static const char between[] = "\x1f";

struct phase {
	const char *name;
	void (*open[OPENERS_MAX])(const struct where *); /* before its sandbox */
	int (*collect[COLLECTORS_MAX])(struct evidence *, const struct where *);
	const char *group[4]; /* that were not seen when it fails */
	uint64_t caps;        /* kept */
};

#define CAP(c) (UINT64_C(1) << (c))

static const struct phase phases[PHASES] = {
        [DEVICE] = {"device", {firewall_open, protocols_open, verity_open, clock_open, securebits_open},
                {mounts_collect, verity_collect, lsm_collect, protocols_collect, boot_collect,
                        firewall_collect, clock_collect, securebits_collect},
                {"mount", "integrity", "watchdog", "proto"}, 0},
        [PROCESSES] = {"processes", {NULL}, {processes_collect, programs_collect, sockets_collect, timesource_collect,
                        resolver_collect, wifi_collect, order_collect, feeder_collect},
                {"process", "net"}, CAP(CAP_SYS_PTRACE) | CAP(CAP_DAC_READ_SEARCH)},
        [FILES] = {"files", {files_open}, {files_collect}, {NULL}, CAP(CAP_DAC_READ_SEARCH)},
        [ATTEMPTS] = {"attempts", {NULL}, {attempt_collect}, {NULL}, 0},
};

/* --- in the phase --- */

static int fact_write(FILE *out, const struct fact *f)
{
	return fprintf(out, "%d%s%s%s%s%s%s%s%s\n", (int)f->kind, between, f->group, between, f->key, between,
	        f->value, between, f->source);
}

static void facts_write(FILE *out, const struct evidence *e)
{
	const struct fact *f;
	const char *why;

	for (size_t at = 0; (f = evidence_next_key(e, &at));)
		for (; f; f = f->next)
			fact_write(out, f);
	/* of whole groups */
	for (size_t p = 0; p < PHASES; p++)
		for (const char *const *g = phases[p].group; g < phases[p].group + 4 && *g; g++)
			if ((why = evidence_group_unseen(e, *g))) {
				fprintf(out, "g%s%s%s-%s%s%s-\n", between, *g, between, between, why,
				        between);
			}
}

/* Nothing is left but these. Without root there are none to begin with. */
static void caps_keep(uint64_t keep)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};

	for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capget, &head, data) < 0)
		die_errno(EXIT_TEMPORARY, "capabilities");
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		uint32_t kept = data[i].permitted & (uint32_t)(keep >> (32 * i));
		data[i] = (struct __user_cap_data_struct){.effective = kept, .permitted = kept};
	}
	if (syscall(SYS_capset, &head, data) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		die_errno(EXIT_TEMPORARY, "capabilities");
}

/* Landlock would forbid what CAP_SYS_PTRACE is kept for, so that phase has its filter alone: it can open for
 * reading, and neither write, send nor run anything. */
static void confine(const struct phase *p)
{
	if (p == &phases[ATTEMPTS])
		return;
	if (p == &phases[DEVICE]) {
		sandbox_enter(&profile_audit, (const char *const[]){"/"}, 1);
		return;
	}
	caps_keep(p->caps);
	sandbox_filter(&profile_look);
}

_Noreturn static void phase_be(const struct phase *p, const struct where *w, int fd)
{
	struct evidence *e = evidence_new();
	FILE *out = fdopen(fd, "w");
	int r = 0;

	if (!e || !out)
		die_errno(EXIT_TEMPORARY, "%s", p->name);
	for (size_t i = 0; i < OPENERS_MAX && p->open[i]; i++)
		p->open[i](w);
	confine(p);
	for (size_t i = 0; i < COLLECTORS_MAX && p->collect[i]; i++)
		r |= p->collect[i](e, w);
	facts_write(out, e);
	if (fflush(out) != 0 || ferror(out))
		_exit(EXIT_TEMPORARY);
	_exit(r || evidence_overflow(e) ? EXIT_TEMPORARY : EXIT_OK);
}

/* --- outside --- */

static void phase_run(size_t i, const struct where *w, struct phases *out)
{
	int fds[2], status = -1;

	out->phase[i].failed = "its process could not be started";
	if (pipe2(fds, O_CLOEXEC) < 0)
		return;
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		close(fds[0]);
		phase_be(&phases[i], w, fds[1]);
	}
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		return;
	}
	out->phase[i].text = where_read_fd(fds[0], PHASE_BYTES_MAX, &out->phase[i].n);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	out->phase[i].failed = !out->phase[i].text                              ? "it found more than fits"
	                       : WIFSIGNALED(status)                            ? "its process was killed"
	                       : !WIFEXITED(status) || WEXITSTATUS(status) != 0 ? "its process failed"
	                                                                        : NULL;
}

void phases_run(const struct where *w, int files, int attempts, struct phases *out)
{
	*out = (struct phases){0};
	for (size_t i = 0; i < PHASES; i++)
		out->phase[i].failed = "not asked for";
	if (w->live) {
		phase_run(DEVICE, w, out);
		phase_run(PROCESSES, w, out);
	}
	if (files && w->root >= 0)
		phase_run(FILES, w, out);
	if (attempts && w->live)
		phase_run(ATTEMPTS, w, out);
}

/* --- back --- */

static int fields_cut(char *line, char *field[FIELDS])
{
	int n = 0;

	for (char *s = line; s && n < FIELDS; n++)
		field[n] = strsep(&s, between);
	return n == FIELDS ? 0 : -1;
}

static int line_take(struct evidence *e, char *line)
{
	char *f[FIELDS];

	if (fields_cut(line, f) < 0)
		return -1;
	switch (f[0][0]) {
	case '0' + FACT_VALUE: return evidence_fact(e, f[1], f[2], f[3], f[4]);
	case '0' + FACT_ITEM: return evidence_item(e, f[1], f[2], f[3], f[4]);
	case '0' + FACT_REST: return evidence_rest(e, f[1], f[2], f[3], f[4]);
	case '0' + FACT_NONE: return evidence_none(e, f[1], f[2], f[4]);
	case '0' + FACT_UNSEEN: return evidence_unseen(e, f[1], f[2], f[3]);
	case 'g': return evidence_unseen(e, f[1], NULL, f[3]);
	default: return -1;
	}
}

static int failed_take(struct evidence *e, size_t i, const char *why)
{
	int r = 0;

	for (const char *const *g = phases[i].group; g < phases[i].group + 4 && *g; g++)
		r |= evidence_unseen(e, *g, NULL, why);
	if (i == FILES)
		r |= files_unseen(e, why);
	if (i == ATTEMPTS)
		r |= attempt_unseen(e, why);
	return r;
}

static const char *asking(size_t i)
{
	return i == FILES ? "the files were not looked at: -w" : "nothing was tried: -x";
}

static int phase_take(struct evidence *e, size_t i, const struct phases *p)
{
	char *save = NULL, why[128];
	int r = 0;

	if (!p->phase[i].failed) {
		for (char *line = strtok_r(p->phase[i].text, "\n", &save); line;
		        line = strtok_r(NULL, "\n", &save))
			r |= line_take(e, line);
		return r;
	}
	if (strcmp(p->phase[i].failed, "not asked for") == 0)
		return failed_take(e, i, asking(i));
	snprintf(
	        why, sizeof why, "the phase \"%s\" did not end well: %s", phases[i].name, p->phase[i].failed);
	return failed_take(e, i, why);
}

int phases_take(struct evidence *e, const struct where *w, struct phases *p)
{
	int r = evidence_fact(e, "device", "running", w->live ? "y" : "n", w->live ? "this device" : "files");

	for (size_t i = 0; i < PHASES; i++) {
		if (w->live || i == FILES)
			r |= phase_take(e, i, p);
		free(p->phase[i].text);
		p->phase[i].text = NULL;
	}
	return r;
}
