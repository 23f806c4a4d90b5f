/* cam-harden-check: audits a device, or an image of one, against a policy, and writes the configuration it
 * checks.
 *
 * Reads policies, an older report, and what the collectors name in collect.h: of the running device, or
 * offline only what was named. Writes stdout. Policies and evidence are parsed after the sandbox is entered.
 * May not change anything, nor touch the network. */
#define _GNU_SOURCE
#include "attempt.h"
#include "boot.h"
#include "bootloader.h"
#include "collect.h"
#include "egress.h"
#include "generate.h"
#include "judge.h"
#include "msg.h"
#include "number.h"
#include "opt.h"
#include "phases.h"
#include "quote.h"
#include "report.h"
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifndef POLICY_FOLDER
#define POLICY_FOLDER "/usr/local/share/cam/policy"
#endif
#ifndef BUILT_S
#define BUILT_S 0
#endif

enum { PATH_BYTES_MAX = 4096, OLD_BYTES_MAX = 8 << 20 };

static const char builtin_name[] = "pi3-camera";
static const char usage[] =
        "cam-harden-check [-vwx] [-p POLICY ...] [-o text|json|tap|sarif|junit|release] [-d OLD.json] [-a "
        "ARCH] [-b "
        "BOARD] "
        "[-S NONCE [-K KEY]] [-r ROOT] [-k KCONFIG] [-c CMDLINE] [-s SYSCTLS] [-V IMAGE,HASHTREE[,OFFSET]] "
        "[-Z landlock] | "
        "cam-harden-check -g kconfig|cmdline|sysctl|modprobe|nft|fstab [-p POLICY ...] [NAME=VALUE ...]";

struct input {
	const char *name;
	char *text; /* NULL: built in */
	size_t n;
};

struct work {
	struct where where;
	struct input layer[POLICY_LAYERS_MAX], old;
	size_t layers;
	const char *form, *generate, *tree, *nonce, *key;
	struct quoter quoter;
	struct operands operands;
	int every, files, attempts;
	struct phases phases;
};

static const struct form {
	const char *name;
	int (*put)(const struct report *, FILE *);
} forms[] = {{"text", report_text}, {"json", report_json}, {"tap", report_tap}, {"sarif", report_sarif},
        {"junit", report_junit}, {"release", report_release}};

/* --- before the sandbox: opening --- */

static int input_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		die_errno(EXIT_TEMPORARY, "%s", path);
	return fd;
}

/* What may not be read is evidence that is missing. By its name alone it can be opened, and whoever wants to read
 * it hears why that fails. */
static int evidence_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd >= 0 || errno != EACCES)
		return fd >= 0 ? fd : input_open(path, O_RDONLY);
	fd = input_open(path, O_PATH);
	msg("%s: %s", path, strerror(EACCES));
	return fd;
}

static void input_read(struct input *in, const char *path, size_t max)
{
	in->text = where_read_fd(input_open(path, O_RDONLY), max, &in->n);
	if (!in->text)
		die_errno(EXIT_TEMPORARY, "%s", path);
}

/* A name is of a policy that is built in or installed; anything with a / is a file. */
static void layer_add(struct work *w, const char *name)
{
	char path[PATH_BYTES_MAX];

	if (w->layers == POLICY_LAYERS_MAX)
		die(EXIT_USAGE, "-p: at most %d", POLICY_LAYERS_MAX);
	struct input *in = &w->layer[w->layers++];
	in->name = name;
	if (strcmp(name, builtin_name) == 0)
		return;
	snprintf(path, sizeof path, POLICY_FOLDER "/%s.policy", name);
	input_read(in, strchr(name, '/') ? name : path, POLICY_BYTES_MAX);
}

/* IMAGE,HASHTREE[,OFFSET]: two descriptors, since it may be one file. */
static void image_open(struct where *at, char *text)
{
	char *tree = strchr(text, ','), *offset = tree ? strchr(tree + 1, ',') : NULL;
	uint64_t n = 0;

	if (offset)
		*offset++ = 0;
	if (tree)
		*tree++ = 0;
	if (!tree || !*tree || !*text || (offset && number_parse(offset, 0, INT64_MAX / 2, &n) < 0))
		die(EXIT_USAGE, "-V %s: not IMAGE,HASHTREE[,OFFSET]: usage: %s", text, usage);
	at->image_fd = input_open(at->image = text, O_RDONLY);
	at->hashtree_fd = input_open(tree, O_RDONLY);
	at->hashtree_at = n;
}

static const struct form *form_of(const char *name)
{
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
		if (strcmp(forms[i].name, name) == 0)
			return &forms[i];
	die(EXIT_USAGE, "-o %s: none of text, json, tap, sarif, junit and release", name);
}

static int nonce_ok(const char *s)
{
	size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_-");
	return !s[n] && n >= 8 && n <= 128;
}

static void work_settle(struct work *w)
{
	struct where *at = &w->where;

	at->live = at->root < 0 && at->kconfig_fd < 0 && at->cmdline_fd < 0 && at->sysctls_fd < 0 &&
	           at->image_fd < 0;
	if (at->live && !w->generate)
		at->root = input_open("/", O_RDONLY | O_DIRECTORY);
	if (at->image_fd >= 0 && at->root < 0)
		die(EXIT_USAGE, "-V goes with -r: usage: %s", usage);
	if (w->files && at->root < 0 && !w->generate)
		die(EXIT_USAGE, "-w looks at the files of this device, or of an image, -r: usage: %s", usage);
	if (w->old.text && (w->form || w->every))
		die(EXIT_USAGE, "-d has a form of its own: usage: %s", usage);
	if (w->attempts && (!at->live || w->generate))
		die(EXIT_USAGE, "-x tries things on the running device only: usage: %s", usage);
	if (w->generate && (!at->live || w->form || w->old.text || w->files))
		die(EXIT_USAGE, "-g goes with -p, -a, -b and NAME=VALUE only: usage: %s", usage);
	if (w->nonce && (!at->live || w->generate || w->form || w->old.text))
		die(EXIT_USAGE, "-S is of the running device, and has a form of its own: usage: %s", usage);
	if (w->nonce && !nonce_ok(w->nonce))
		die(EXIT_USAGE, "-S %s: not 8 to 128 letters, digits and +/=_-", w->nonce);
	if (w->key && !w->nonce)
		die(EXIT_USAGE, "-K goes with -S: usage: %s", usage);
	if (!w->layers)
		layer_add(w, builtin_name);
	if (!w->form)
		w->form = "text";
	(void)form_of(w->form);
}

static void options(struct work *w, int argc, char **argv)
{
	int c;

	while ((c = opt_next(argc, argv, "vwxp:o:d:a:b:r:k:c:s:V:g:S:K:Z:", "p", usage)) != -1)
		switch (c) {
		case 'v': w->every = 1; break;
		case 'w': w->files = 1; break;
		case 'x': w->attempts = 1; break;
		case 'p': layer_add(w, optarg); break;
		case 'o': w->form = optarg; break;
		case 'd':
			w->old.name = optarg;
			input_read(&w->old, optarg, OLD_BYTES_MAX);
			break;
		case 'a': w->where.arch = optarg; break;
		case 'b': w->where.board = optarg; break;
		case 'r': w->where.root = input_open(w->tree = optarg, O_RDONLY | O_DIRECTORY); break;
		case 'k': w->where.kconfig_fd = evidence_open(w->where.kconfig = optarg); break;
		case 'c': w->where.cmdline_fd = evidence_open(w->where.cmdline = optarg); break;
		case 's': w->where.sysctls_fd = evidence_open(w->where.sysctls = optarg); break;
		case 'V': image_open(&w->where, optarg); break;
		case 'g': w->generate = optarg; break;
		case 'S': w->nonce = optarg; break;
		case 'K': w->key = optarg; break;
		case 'Z': sandbox_waive(optarg); break;
		default: die(EXIT_BUG, "-%c: not handled", c);
		}
	if (optind < argc && !w->generate)
		die(EXIT_USAGE, "%s: NAME=VALUE goes with -g: usage: %s", argv[optind], usage);
	for (int i = optind; i < argc; i++)
		if (operands_add(&w->operands, argv[i]) < 0)
			die(EXIT_USAGE, "%s: not NAME=VALUE, or given twice: usage: %s", argv[i], usage);
	work_settle(w);
}

/* --- in the sandbox --- */

/* A clock that was never set must not bring expired waivers back to life: it is not earlier than this
 * program. */
static void today(char out[11])
{
	time_t now = time(NULL), built = BUILT_S;
	int64_t day = (now < built ? built : now) / 86400 + 719468, era = day / 146097, of_era = day % 146097;
	/* Proleptic Gregorian years from March on, by hand: libc would read this host's time zone. */
	int64_t of_400 = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * of_400 + of_400 / 4 - of_400 / 100),
	        month = (5 * of_year + 2) / 153;
	int64_t mday = of_year - (153 * month + 2) / 5 + 1, year = era * 400 + of_400 + (month >= 10);

	month += month < 10 ? 3 : -9;
	if (year < 1970 || year > 9999)
		die(EXIT_TEMPORARY, "the time of day cannot be told");
	snprintf(out, 11, "%04u-%02u-%02u", (unsigned)year % 10000, (unsigned)month % 100,
	        (unsigned)mday % 100);
}

/* A name that no rule speaks of would leave out those that are meant. */
static int is_spoken_of(const struct policy *p, const char *key, const char *name)
{
	for (size_t i = 0; i < p->rules; i++)
		for (unsigned k = 0; k < p->rule[i].condition.terms; k++) {
			const struct term *t = &p->rule[i].condition.term[k];
			if (strcmp(t->group, "device") == 0 && strcmp(t->key, key) == 0 && t->value &&
			        strcmp(t->value, name) == 0)
				return 1;
		}
	return 0;
}

static void target_settle(struct where *at, const struct policy *p)
{
	static const char *const known[] = {"arm64", "amd64", "arm", "i386"};
	int arch = !at->arch || is_spoken_of(p, "arch", at->arch);

	for (size_t i = 0; i < sizeof known / sizeof *known && !arch; i++)
		arch = strcmp(at->arch, known[i]) == 0;
	if (!arch)
		die(EXIT_USAGE, "-a %s: none of arm64, amd64, arm and i386, and no rule speaks of it",
		        at->arch);
	if (at->board && strcmp(at->board, "other") != 0 && !is_spoken_of(p, "board", at->board))
		die(EXIT_USAGE, "-b %s: no rule speaks of it: other", at->board);
}

static void policy_load(struct policy *p, struct work *w)
{
	char why[POLICY_WHY_BYTES_MAX], day[11];

	today(day);
	for (size_t i = 0; i < w->layers; i++) {
		const struct input *in = &w->layer[i];
		const char *text = in->text ? in->text : (const char *)policy_builtin;
		if (policy_add(p, in->name, text, in->text ? in->n : policy_builtin_bytes, day, why) < 0)
			die(EXIT_USAGE, "%s", why);
		free(in->text);
	}
	if (!p->rules)
		die(EXIT_USAGE, "%s: no rules in it", w->layer[w->layers - 1].name);
	target_settle(&w->where, p);
	/* Which device an image is for, the policy says; a device that runs knows it itself. */
	if (!w->where.live || w->generate) {
		w->where.arch = w->where.arch ? w->where.arch : p->arch;
		w->where.board = w->where.board ? w->where.board : p->board;
	}
}

/* What of the running device a phase looks at, an image has in its files. */
static int boot_look(struct evidence *e, const struct where *w)
{
	return w->live || w->root < 0 ? 0 : boot_collect(e, w) | bootloader_collect(e, w);
}

static void collect(struct evidence *e, struct work *w, const struct policy *p)
{
	const struct where *at = &w->where;

	if (phases_take(e, at, &w->phases) < 0 || egress_compare(e) < 0 || device_collect(e, at) < 0 || kconfig_collect(e, at) < 0 ||
	        cmdline_collect(e, at) < 0 || sysctl_collect(e, at, p) < 0 || modprobe_collect(e, at) < 0 ||
	        image_collect(e, at, p) < 0 || boot_look(e, at) < 0)
		msg("the evidence is not complete: more than its bounds allow, or no memory");
}

static const char *device(const struct evidence *e, const char *key)
{
	const struct fact *f = evidence_first(e, "device", key);
	return f && f->kind == FACT_VALUE ? f->value : "";
}

static int report(struct work *w, const struct report *r)
{
	char why[POLICY_WHY_BYTES_MAX];

	if (w->nonce) {
		if (report_attested(r, &w->quoter, w->key, stdout) < 0)
			die_errno(EXIT_TEMPORARY, "report");
		return findings_exit(r->findings);
	}
	if (w->old.text) {
		int changes = report_changes(r, w->old.text, w->old.n, stdout, why);
		if (changes < 0)
			die(EXIT_USAGE, "%s: %s", w->old.name, why);
		return changes > 0 ? EXIT_NEGATIVE : EXIT_OK;
	}
	if (form_of(w->form)->put(r, stdout) < 0)
		die_errno(EXIT_TEMPORARY, "report");
	return findings_exit(r->findings);
}

/* What is written is for the target, whatever it is written on. */
static int generate_all(struct work *w, const struct policy *p, struct evidence *e)
{
	for (unsigned i = 0; i < w->operands.n; i++)
		if (!generate_asks(p, w->operands.name[i]))
			die(EXIT_USAGE, "%s=%s: nothing asks for it", w->operands.name[i],
			        w->operands.value[i]);
	w->where.live = 0;
	if (device_collect(e, &w->where) < 0)
		die_errno(EXIT_TEMPORARY, "evidence");
	int missing = generate(w->generate, p, e, &w->operands, stdout);
	if (missing < 0)
		die(EXIT_USAGE, "-g %s: none of kconfig, cmdline, sysctl, modprobe, nft and fstab",
		        w->generate);
	return missing ? EXIT_NEGATIVE : EXIT_OK;
}

static int audit(struct work *w, const struct policy *p, struct evidence *e, int colour)
{
	struct findings f;

	collect(e, w, p);
	if (judge(p, e, &f) < 0)
		die_errno(EXIT_TEMPORARY, "judging");
	struct report r = {.findings = &f,
	        .policy = p,
	        .arch = device(e, "arch"),
	        .board = device(e, "board"),
	        .kernel = device(e, "kernel"),
	        .nonce = w->nonce,
	        .every = w->every,
	        .colour = colour};
	int code = report(w, &r);
	findings_free(&f);
	return code;
}

/* What is opened later must not come to lie where the report and messages go. */
static void standard_open(void)
{
	int fd;

	while ((fd = open("/dev/null", O_RDONLY)) >= 0 && fd <= STDERR_FILENO)
		;
	if (fd < 0)
		die_errno(EXIT_TEMPORARY, "/dev/null");
	close(fd);
}

int main(int argc, char **argv)
{
	static struct work w = {.where = {.root = -1,
	                                .kconfig_fd = -1,
	                                .cmdline_fd = -1,
	                                .sysctls_fd = -1,
	                                .image_fd = -1,
	                                .hashtree_fd = -1}};
	static struct policy policy;

	if (attempt_is_one(argc, argv))
		return ATTEMPT_RAN;
	msg_init("cam-harden-check");
	standard_open();
	options(&w, argc, argv);
	const char *no_colour = getenv("NO_COLOR");
	int colour = isatty(STDOUT_FILENO) && (!no_colour || !*no_colour);
	if (w.nonce)
		quoter_start(&w.quoter, w.key = w.key ? w.key : QUOTE_KEY);
	if (!w.generate)
		phases_run(&w.where, w.files, w.attempts, &w.phases);
	sandbox_enter(&profile_audit, (const char *const[]){w.where.live ? "/" : w.tree}, 1);
	policy_load(&policy, &w);
	struct evidence *e = evidence_new();
	if (!e)
		die_errno(EXIT_TEMPORARY, "evidence");
	int code = w.generate ? generate_all(&w, &policy, e) : audit(&w, &policy, e, colour);
	evidence_free(e);
	policy_free(&policy);
	free(w.old.text);
	if (fflush(stdout) != 0 || ferror(stdout))
		die_errno(EXIT_TEMPORARY, "stdout");
	return code;
}
