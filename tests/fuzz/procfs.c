/* Fuzz: texts of /proc and /sys, a line or a file at a time. The first byte says which parser. */
#define _GNU_SOURCE
#include "lsm.h"
#include "mountinfo.h"
#include "process.h"
#include "secret-key.h"
#include "socket-line.h"
#include "verity.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ends(const char *s, size_t max)
{
	if (strnlen(s, max) == max)
		abort();
}

static void mount_parse(const char *text)
{
	static struct mount m;
	unsigned long n;

	if (mountinfo_parse(text, &m) < 0)
		return;
	ends(m.point, sizeof m.point);
	ends(m.root, sizeof m.root);
	ends(m.source, sizeof m.source);
	ends(m.options, sizeof m.options);
	ends(m.type, sizeof m.type);
	const char *v = mount_value(&m, "size", &n);
	if (v && v + n > m.options + strlen(m.options))
		abort();
	(void)mount_has(&m, "ro");
}

static void process_parse(const char *text)
{
	struct process_status s;
	struct process_map map;
	uint64_t soft, hard;
	struct process_stat stat;

	if (process_status_parse(text, &s) == 0) {
		ends(s.name, sizeof s.name);
		ends(s.store_bypass, sizeof s.store_bypass);
	}
	if (process_map_parse(text, &map) == 0 && map.path > text + strlen(text))
		abort();
	(void)process_limit_parse(text, "Max open files", &soft, &hard);
	(void)process_stat_parse(text, &stat);
}

static void others_parse(const char *text)
{
	static struct verity v;
	struct socket_line s;

	if (socket_line_parse(text, false, &s) == 0 || socket_line_parse(text, true, &s) == 0) {
		ends(s.local, sizeof s.local);
		ends(s.remote, sizeof s.remote);
	}
	if (verity_parse(text, &v) == 0 || verity_parse_cmdline(text, 1, &v) == 0) {
		ends(v.algorithm, sizeof v.algorithm);
		ends(v.digest, sizeof v.digest);
		ends(v.options, sizeof v.options);
	}
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
	case 'm': mount_parse(text); break;
	case 'p': process_parse(text); break;
	case 'k': (void)secret_key_is_in(text, size - 1, "cam-recipient-secret1"); break;
	case 's':
		if (lsm_permissive_domains((const uint8_t *)text, size - 1) < -1)
			abort();
		break;
	default: others_parse(text); break;
	}
	free(text);
	return 0;
}
