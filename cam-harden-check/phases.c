/* A phase writes its facts to a pipe, one a line, and a line that says that these were all, and ends with 0.
 * One that ends in any other way, is killed by its filter, hangs, or writes anything else has seen nothing:
 * not one of its facts is taken. A line is KIND GROUP KEY VALUE SOURCE, with the unit separator between them,
 * which evidence cannot have in it. */
#define _GNU_SOURCE
#include "phases.h"

#include "attempt.h"
#include "boot.h"
#include "bootloader.h"
#include "child.h"
#include "clock.h"
#include "fdio.h"
#include "feeder.h"
#include "files.h"
#include "firewall.h"
#include "fuses.h"
#include "keyring.h"
#include "lsm.h"
#include "measured.h"
#include "mounts.h"
#include "msg.h"
#include "order.h"
#include "processes.h"
#include "programs.h"
#include "protocols.h"
#include "resolver.h"
#include "rollback.h"
#include "sandbox.h"
#include "securebits.h"
#include "sockets.h"
#include "timesource.h"
#include "tpm-owner.h"
#include "verity.h"
#include "wifi.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	COLLECTORS_MAX = 16,
	OPENERS_MAX = 8,
	GROUPS_MAX = 4,
	FIELDS = 5,
	DEVICE = 0,
	PROCESSES = 1,
	FILES = 2,
	ATTEMPTS = 3
};
static const char between[] = "\x1f", all_said[] = ".\n";

struct phase {
	const char *name;
	void (*open[OPENERS_MAX])(const struct where *); /* before its sandbox */
	int (*collect[COLLECTORS_MAX])(struct evidence *, const struct where *);
	/* When it fails, nothing of these was seen. Of those that others see a part of, too: what nobody saw.
	 */
	const char *group[GROUPS_MAX + 1], *shared[GROUPS_MAX + 1];
	int (*unseen)(struct evidence *, const char *why); /* single keys */
	uint64_t caps;                                     /* kept */
	int seconds;                                       /* it may take so long */
};

#define CAP(c) (UINT64_C(1) << (c))

static const struct phase phases[PHASES] = {
        [DEVICE] = {"device",
                {firewall_open, protocols_open, verity_open, rollback_open, tpm_owner_open, clock_open,
                        securebits_open},
                {mounts_collect, verity_collect, lsm_collect, protocols_collect, boot_collect,
                        bootloader_collect, fuses_collect, keyring_collect, rollback_collect,
                        tpm_owner_collect, measured_collect, firewall_collect, clock_collect,
                        securebits_collect},
                {"mount", "integrity", "watchdog", "proto"}, {"net", "exec"}, NULL, 0, 20},
        [PROCESSES] = {"processes", {NULL},
                {processes_collect, programs_collect, sockets_collect, timesource_collect, resolver_collect,
                        wifi_collect, order_collect, feeder_collect},
                {"process"}, {"net", "exec", "integrity", "watchdog"}, NULL,
                CAP(CAP_SYS_PTRACE) | CAP(CAP_DAC_READ_SEARCH), 20},
        [FILES] = {"files", {files_open}, {files_collect}, {NULL}, {NULL}, files_unseen,
                CAP(CAP_DAC_READ_SEARCH), 1800},
        [ATTEMPTS] = {"attempts", {NULL}, {attempt_collect}, {NULL}, {NULL}, attempt_unseen, 0, 60},
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
		for (const char *const *g = phases[p].group; *g; g++)
			if ((why = evidence_group_unseen(e, *g)))
				fprintf(out, "g%s%s%s-%s%s%s-\n", between, *g, between, between, why,
				        between);
	fputs(all_said, out);
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
	if (setrlimit(RLIMIT_CORE, &(struct rlimit){0}) < 0)
		die_errno(EXIT_TEMPORARY, "core files");
	if (syscall(SYS_capset, &head, data) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		die_errno(EXIT_TEMPORARY, "capabilities");
}

/* Neither the report, which goes to standard output, nor the process that asks the TPM is within its reach:
 * it has its pipe, the device and messages. */
static void descriptors_keep(int out, int root)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), low = out < root ? out : root,
	    high = out < root ? root : out;

	if (null < 0 || low <= STDERR_FILENO || dup2(null, STDIN_FILENO) < 0 ||
	        dup2(null, STDOUT_FILENO) < 0 ||
	        (low > STDERR_FILENO + 1 && close_range(STDERR_FILENO + 1, (unsigned)low - 1, 0) < 0) ||
	        (high > low + 1 && close_range((unsigned)low + 1, (unsigned)high - 1, 0) < 0) ||
	        close_range((unsigned)high + 1, ~0U, 0) < 0)
		die_errno(EXIT_TEMPORARY, "descriptors");
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

	/* the audit that is killed takes it along */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) < 0 || !e || !out)
		die_errno(EXIT_TEMPORARY, "%s", p->name);
	descriptors_keep(fd, w->root);
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

/* Why what it wrote is not to be relied on, though all of it was read; or NULL. */
static const char *end_judge(int status, char *text, size_t bytes)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_OK)
		return NULL;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		return "its filter ended it";
	if (!WIFSIGNALED(status))
		return "its process failed";
	snprintf(text, bytes, "its process was killed by SIG%s", sigabbrev_np(WTERMSIG(status)));
	return text;
}

/* The process, or -1. *fd: what it writes. */
static pid_t phase_start(const struct phase *p, const struct where *w, int *fd)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -1;
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		close(fds[0]);
		phase_be(p, w, fds[1]);
	}
	close(fds[1]);
	if (pid < 0)
		close(fds[0]);
	*fd = fds[0];
	return pid;
}

static void phase_run(size_t i, const struct where *w, struct phase_result *out)
{
	const char *why = "its process could not be started";
	char text[sizeof out->failed];
	int fd, status = -1;
	pid_t pid = phase_start(&phases[i], w, &fd);

	out->ran = true;
	if (pid > 0)
		out->text = child_text(
		        pid, fd, PHASE_BYTES_MAX, phases[i].seconds * 1000L, &out->n, &status, &why);
	if (out->text)
		why = end_judge(status, text, sizeof text);
	if (!why)
		return;
	snprintf(out->failed, sizeof out->failed, "%s", why);
	msg("the phase \"%s\" saw nothing: %s", phases[i].name, why);
}

void phases_run(const struct where *w, int files, int attempts, struct phases *out)
{
	*out = (struct phases){0};
	if (w->live) {
		phase_run(DEVICE, w, &out->phase[DEVICE]);
		phase_run(PROCESSES, w, &out->phase[PROCESSES]);
	}
	if (files && w->root >= 0)
		phase_run(FILES, w, &out->phase[FILES]);
	if (attempts && w->live)
		phase_run(ATTEMPTS, w, &out->phase[ATTEMPTS]);
}

/* --- back --- */

static int fields_cut(char *line, char *field[FIELDS])
{
	int n = 0;

	for (char *s = line; s && n < FIELDS; n++)
		field[n] = strsep(&s, between);
	return n == FIELDS ? 0 : -1;
}

/* Is it whole, and all that was to be said? */
static bool text_is_whole(const char *text, size_t n)
{
	const size_t end = sizeof all_said - 1;

	if (strlen(text) != n || n < end || strcmp(text + n - end, all_said) != 0 ||
	        (n > end && text[n - end - 1] != '\n'))
		return false;
	for (const char *line = text; line < text + n - end; line = strchr(line, '\n') + 1) {
		size_t separators = 0, bytes = strcspn(line, "\n");
		for (size_t i = 0; i < bytes; i++)
			separators += line[i] == between[0];
		if (separators != FIELDS - 1 || line[1] != between[0] ||
		        ((line[0] < '0' || line[0] > '0' + FACT_UNSEEN) && line[0] != 'g'))
			return false;
	}
	return true;
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

static int failed_take(struct evidence *e, const struct phase *p, const char *why)
{
	int r = 0;

	for (const char *const *g = p->group; *g; g++)
		r |= evidence_unseen(e, *g, NULL, why);
	for (const char *const *g = p->shared; *g; g++)
		r |= evidence_missing(e, *g, why);
	if (p->unseen)
		r |= p->unseen(e, why);
	return r;
}

static int phase_take(struct evidence *e, size_t i, struct phase_result *p)
{
	char *save = NULL, why[sizeof p->failed + 64];
	int r = 0;

	if (!p->ran)
		return failed_take(e, &phases[i],
		        i == FILES ? "the files were not looked at: -w" : "nothing was tried: -x");
	if (!p->failed[0] && !text_is_whole(p->text, p->n))
		snprintf(p->failed, sizeof p->failed, "what it wrote is not whole");
	if (p->failed[0]) {
		snprintf(why, sizeof why, "the phase \"%s\" saw nothing: %s", phases[i].name, p->failed);
		return failed_take(e, &phases[i], why);
	}
	p->text[p->n - (sizeof all_said - 1)] = 0;
	for (char *line = strtok_r(p->text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		r |= line_take(e, line);
	return r;
}

int phases_take(struct evidence *e, const struct where *w, struct phases *p)
{
	int r = evidence_fact(e, "device", "running", w->live ? "y" : "n", w->live ? "this device" : "files");

	for (size_t i = 0; i < PHASES; i++) {
		if (w->live || i == FILES)
			r |= phase_take(e, i, &p->phase[i]);
		free(p->phase[i].text);
		p->phase[i].text = NULL;
	}
	return r;
}
