/* facts: what the collectors put into the evidence, as lines, for tests in shell; with -p what a policy makes
 * of it.
 *
 *     facts [-o] [-j JSON [-4] [-b]] [-f LINES] [-p POLICY [-l LAYER] [-r]] [ROOT COLLECTOR...]
 *
 * ROOT is a tree that stands for a running device, or with -o for an image. JSON is nft's, without IPv6 (-4),
 * with a bridge (-b). LINES are like those that are printed: GROUP KEY = VALUE, GROUP KEY + ITEM, GROUP KEY
 * none, GROUP KEY unseen: WHY. With -p: VERDICT ID; with -r what
 * a person has to judge, as a layer. */
#define _GNU_SOURCE
#include "../../cam-harden-check/report.h" /* cam-seal has one of that name */
#include "attempt.h"
#include "boot.h"
#include "bootloader.h"
#include "clock.h"
#include "egress.h"
#include "evidence.h"
#include "feeder.h"
#include "files.h"
#include "firewall.h"
#include "fuses.h"
#include "judge.h"
#include "keyring.h"
#include "lsm.h"
#include "measured.h"
#include "mounts.h"
#include "order.h"
#include "processes.h"
#include "programs.h"
#include "protocols.h"
#include "resolver.h"
#include "rollback.h"
#include "ruleset.h"
#include "securebits.h"
#include "sockets.h"
#include "timesource.h"
#include "tpm-owner.h"
#include "verity.h"
#include "where.h"
#include "wifi.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int collector(struct evidence *, const struct where *);

static const struct {
	const char *name;
	collector *collect;
	void (*open)(const struct where *);
} collectors[] = {{"mounts", mounts_collect, NULL}, {"verity", verity_collect, verity_open},
        {"lsm", lsm_collect, NULL}, {"boot", boot_collect, NULL}, {"bootloader", bootloader_collect, NULL},
        {"fuses", fuses_collect, NULL}, {"keyring", keyring_collect, NULL},
        {"rollback", rollback_collect, rollback_open}, {"tpm-owner", tpm_owner_collect, tpm_owner_open},
        {"measured", measured_collect, NULL}, {"protocols", protocols_collect, protocols_open},
        {"sockets", sockets_collect, NULL}, {"firewall", firewall_collect, firewall_open},
        {"processes", processes_collect, NULL}, {"programs", programs_collect, NULL},
        {"files", files_collect, files_open}, {"attempt", attempt_collect, NULL},
        {"clock", clock_collect, clock_open}, {"securebits", securebits_collect, securebits_open},
        {"timesource", timesource_collect, NULL}, {"resolver", resolver_collect, NULL},
        {"wifi", wifi_collect, NULL}, {"order", order_collect, NULL}, {"feeder", feeder_collect, NULL}};

static void line_print(const struct fact *f)
{
	printf("%s %s ", f->group, f->key);
	switch (f->kind) {
	case FACT_VALUE: printf("= %s\n", f->value); break;
	case FACT_ITEM: printf("+ %s\n", f->value); break;
	case FACT_REST: printf("more: %s\n", f->value); break;
	case FACT_NONE: printf("none\n"); break;
	case FACT_UNSEEN: printf("unseen: %s\n", f->value); break;
	}
}

static void all_print(const struct evidence *e)
{
	static const char *const groups[] = {
	        "mount", "integrity", "watchdog", "proto", "net", "process", "exec"};
	const struct fact *f;

	for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
		if (evidence_group_unseen(e, groups[i]))
			printf("%s unseen: %s\n", groups[i], evidence_group_unseen(e, groups[i]));
	for (size_t at = 0; (f = evidence_next_key(e, &at));)
		for (; f; f = f->next)
			line_print(f);
	if (evidence_overflow(e))
		printf("overflow\n");
}

static char *file_read(const char *path, size_t *n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = fd < 0 ? NULL : where_read_fd(fd, 8 << 20, n);

	if (!text) {
		perror(path);
		exit(111);
	}
	return text;
}

static int collect(struct evidence *e, const struct where *w, const char *name)
{
	for (size_t i = 0; i < sizeof collectors / sizeof *collectors; i++)
		if (strcmp(collectors[i].name, name) == 0) {
			if (collectors[i].open)
				collectors[i].open(w);
			return collectors[i].collect(e, w);
		}
	fprintf(stderr, "facts: %s: no such collector\n", name);
	exit(100);
}

static int given_take(struct evidence *e, const char *path)
{
	size_t n;
	char *text = file_read(path, &n), *save = NULL;
	int r = 0;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *group = strsep(&line, " "), *key = strsep(&line, " "), *kind = strsep(&line, " ");
		if (!kind)
			exit(100);
		if (strcmp(kind, "=") == 0)
			r |= evidence_fact(e, group, key, line ? line : "", path);
		else if (strcmp(kind, "+") == 0)
			r |= evidence_item(e, group, key, line ? line : "", path);
		else if (strcmp(kind, "none") == 0)
			r |= evidence_none(e, group, key, path);
		else
			r |= evidence_unseen(e, group, key, line ? line : "");
	}
	free(text);
	return r;
}

static void layer_add(struct policy *p, const char *path)
{
	char why[POLICY_WHY_BYTES_MAX];
	size_t n;
	char *text = file_read(path, &n);

	if (policy_add(p, path, text, n, "2026-01-01", why) < 0) {
		fprintf(stderr, "facts: %s\n", why);
		exit(100);
	}
	free(text);
}

static int verdicts_print(const struct evidence *e, const char *path, const char *layer, bool release)
{
	static struct policy policy;
	struct findings f;
	struct report r = {.findings = &f, .policy = &policy};

	layer_add(&policy, path);
	if (layer)
		layer_add(&policy, layer);
	if (judge(&policy, e, &f) < 0)
		return -1;
	for (size_t i = 0; !release && i < f.n; i++)
		printf("%s %s\n", verdict_name(f.finding[i].verdict), f.finding[i].id);
	if (release)
		report_release(&r, stdout);
	findings_free(&f);
	policy_free(&policy);
	return 0;
}

int main(int argc, char **argv)
{
	struct evidence *e = evidence_new();
	struct where w = {.live = 1, .root = -1, .kconfig_fd = -1, .cmdline_fd = -1, .sysctls_fd = -1, .image_fd = -1,
	                .hashtree_fd = -1};
	const char *json = NULL, *policy = NULL, *layer = NULL;
	bool ipv6 = true, bridged = false, release = false;
	int c, r = 0;
	size_t n;

	if (attempt_is_one(argc, argv))
		return ATTEMPT_RAN;
	while (e && (c = getopt(argc, argv, "o4brj:f:p:l:")) != -1)
		switch (c) {
		case 'o': w.live = 0; break;
		case '4': ipv6 = false; break;
		case 'b': bridged = true; break;
		case 'j': json = optarg; break;
		case 'f': r |= given_take(e, optarg); break;
		case 'p': policy = optarg; break;
		case 'l': layer = optarg; break;
		case 'r': release = true; break;
		default: return 100;
		}
	if (json) {
		char *text = file_read(json, &n);
		r |= ruleset_judge(text, n, ipv6, bridged, e);
		free(text);
	}
	if (optind < argc && (w.root = open(argv[optind++], O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
		return 111;
	for (; optind < argc; optind++)
		r |= collect(e, &w, argv[optind]);
	if (evidence_first(e, "net", "egress-allowed")) /* whom the packet filter names is known */
		r |= egress_compare(e);
	if (policy)
		r |= verdicts_print(e, policy, layer, release);
	else
		all_print(e);
	evidence_free(e);
	return r ? 111 : 0;
}
