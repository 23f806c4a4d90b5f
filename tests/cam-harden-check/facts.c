/* facts: what the collectors put into the evidence, as lines, for tests in shell.
 *
 *     facts [-o] ROOT COLLECTOR...     of a tree that stands for a running device, or with -o for an image
 *     facts -j [4][b]                  of nft's JSON on stdin; 4: without IPv6, b: with a bridge
 *
 * GROUP KEY = VALUE, GROUP KEY + ITEM, GROUP KEY none, GROUP KEY unseen: WHY. */
#define _GNU_SOURCE
#include "evidence.h"
#include "files.h"
#include "firewall.h"
#include "lsm.h"
#include "boot.h"
#include "mounts.h"
#include "processes.h"
#include "protocols.h"
#include "verity.h"
#include "ruleset.h"
#include "sockets.h"
#include "where.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int collector(struct evidence *, const struct where *);

static const struct {
	const char *name;
	collector *collect;
} collectors[] = {{"firewall", firewall_collect}, {"mounts", mounts_collect}, {"files", files_collect}, {"boot", boot_collect}, {"processes", processes_collect}, {"sockets", sockets_collect}, {"protocols", protocols_collect}, {"verity", verity_collect}, {"lsm", lsm_collect}};

static void line_print(const struct fact *f)
{
	printf("%s %s ", f->group, f->key);
	switch (f->kind) {
	case FACT_VALUE: printf("= %s\n", f->value); break;
	case FACT_ITEM: printf("+ %s\n", f->value); break;
	case FACT_NONE: printf("none\n"); break;
	case FACT_UNSEEN: printf("unseen: %s\n", f->value); break;
	}
}

static void all_print(const struct evidence *e)
{
	const struct fact *f, *last = NULL;
	const char *why;

	for (size_t at = 0; (f = evidence_next_key(e, &at));) {
		why = evidence_group_unseen(e, f->group);
		if (why && (!last || strcmp(last->group, f->group) != 0))
			printf("%s unseen: %s\n", f->group, why);
		last = f;
		for (; f; f = f->next)
			line_print(f);
	}
	if (evidence_overflow(e))
		printf("overflow\n");
}

static int json_judge(struct evidence *e, const char *how)
{
	static char buf[RULESET_BYTES_MAX + 2];
	size_t n = fread(buf, 1, sizeof buf, stdin);

	return ruleset_judge(buf, n, !strchr(how, '4'), strchr(how, 'b') != NULL, e);
}

static int collect(struct evidence *e, const struct where *w, const char *name)
{
	for (size_t i = 0; i < sizeof collectors / sizeof *collectors; i++)
		if (strcmp(collectors[i].name, name) == 0)
			return collectors[i].collect(e, w);
	fprintf(stderr, "facts: %s: no such collector\n", name);
	exit(100);
}

int main(int argc, char **argv)
{
	struct evidence *e = evidence_new();
	struct where w = {.live = 1, .kconfig_fd = -1, .cmdline_fd = -1, .sysctls_fd = -1};
	int at = 1, r = 0;

	if (!e || argc < 2)
		return 100;
	if (strcmp(argv[at], "-j") == 0) {
		r = json_judge(e, argc > 2 ? argv[2] : "");
	} else {
		if (strcmp(argv[at], "-o") == 0) {
			w.live = 0;
			at++;
		}
		w.root = open(argv[at++], O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (w.root < 0)
			return 111;
		for (; at < argc; at++)
			r |= collect(e, &w, argv[at]);
	}
	all_print(e);
	evidence_free(e);
	return r ? 111 : 0;
}
