/* Fuzz: files of configuration that say whom the device asks, a file at a time. The first byte says which. */
#define _GNU_SOURCE
#include "egress.h"
#include "lines.h"
#include "resolver.h"
#include "timesource.h"
#include "wifi.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void includes_check(const struct lines_include *include, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (strnlen(include[i].path, sizeof include[i].path) == sizeof include[i].path ||
		        strnlen(include[i].suffix, sizeof include[i].suffix) == sizeof include[i].suffix ||
		        *include[i].path == '/')
			abort();
}

static void time_parse(char *text)
{
	static struct timesource t;

	t = (struct timesource){0};
	lines_each(text, "#%!;", timesource_line, &t);
	includes_check(t.include, t.includes);
	const char *kind = timesource_kind(&t);
	if (kind && strcmp(kind, "nts") == 0 && !t.nts)
		abort();
}

static void unbound_parse(char *text)
{
	static struct resolver_unbound u;

	u = (struct resolver_unbound){0};
	lines_each(text, "#", resolver_unbound_line, &u);
	includes_check(u.include, u.includes);
	if (resolver_unbound_end(&u) == RESOLVER_ENCRYPTED && (!u.certificates || !u.roots))
		abort();
}

static void servers_parse(char *text)
{
	struct resolver r = {0};
	struct resolver_systemd s = {0};
	bool others = false;
	char *copy = strdup(text), *more = strdup(text);

	if (copy && more) {
		lines_each(text, "#;", resolver_line, &r);
		lines_each(copy, "#", resolver_switch_line, &others);
		lines_each(more, "#;", resolver_systemd_line, &s);
		if (resolver_systemd_end(&s) == RESOLVER_ENCRYPTED && !s.yes)
			abort();
	}
	free(copy);
	free(more);
}

static void weak_note(void *arg, const char *ssid, const char *what)
{
	*(size_t *)arg += strlen(ssid) + strlen(what);
}

static void wifi_parse(char *text)
{
	static struct wifi w;
	size_t n = 0;

	w = (struct wifi){.weak = weak_note, .arg = &n};
	lines_each(text, "#", wifi_line, &w);
	(void)wifi_end(&w);
}

/* What was read of a flow holds for its own addresses. */
static void flow_parse(char *text)
{
	struct egress_flow f;
	char *save = NULL, *flow = strtok_r(text, "\n", &save), *peer = strtok_r(NULL, "\n", &save);

	if (!flow || egress_parse(flow, &f) < 0)
		return;
	if (f.port[0] > f.port[1] || f.port[1] > 65535 || f.uid[0] > f.uid[1])
		abort();
	if (peer)
		(void)egress_names(&f, peer, f.uid[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	char *text = malloc(size);
	if (!text)
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = 0;
	switch (data[0]) {
	case 't': time_parse(text); break;
	case 'u': unbound_parse(text); break;
	case 'w': wifi_parse(text); break;
	case 'f': flow_parse(text); break;
	default: servers_parse(text); break;
	}
	free(text);
	return 0;
}
