/* Reads /proc/keys, which lists only what the reader may view: as another user than root that is nothing of
 * the kernel's, and nothing was seen. */
#define _GNU_SOURCE
#include "keyring.h"

#include "list.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_BYTES_MAX = 1 << 20 };

static const char group[] = "integrity", path[] = "proc/keys";

/* "ID FLAGS USAGE TIMEOUT PERM UID GID TYPE DESCRIPTION", with blanks between them. */
int key_line_parse(const char *line, struct key_line *out)
{
	enum { ID, UID = 5, TYPE = 7, FIELDS };
	const char *field[FIELDS], *s = line;
	size_t n[FIELDS];
	char *end;

	for (int i = 0; i < FIELDS; i++) {
		field[i] = s += strspn(s, " ");
		s += n[i] = strcspn(s, " ");
	}
	out->uid = strtoul(field[UID], &end, 10);
	if (n[ID] != 8 || strspn(line, "0123456789abcdef") != 8 || end != field[UID] + n[UID] || !n[UID] ||
	        !n[TYPE] || n[TYPE] >= sizeof out->type || *s != ' ')
		return -1;
	memcpy(out->type, field[TYPE], n[TYPE]);
	out->type[n[TYPE]] = 0;
	out->description = s + strspn(s, " ");
	return 0;
}

long keyring_keys(const char *description, const char *name)
{
	size_t n = strlen(name);
	char *end;

	if (strncmp(description, name, n) != 0 || strncmp(description + n, ": ", 2) != 0)
		return -1;
	const char *count = description + n + 2;
	if (strcmp(count, "empty") == 0)
		return 0;
	long keys = isdigit((unsigned char)*count) ? strtol(count, &end, 10) : -1;
	return keys >= 0 && !*end ? keys : -1;
}

/* Where certificates end up that the kernel was not built with: from the boot loader or firmware (machine,
 * platform), or added while it runs (secondary, which has the built-in ones and the machine's within it). */
struct rings {
	long builtin, secondary, platform, machine; /* -1: there is none */
};

static void ring_take(struct rings *r, const char *description)
{
	const struct {
		const char *name;
		long *keys;
	} known[] = {{".builtin_trusted_keys", &r->builtin}, {".secondary_trusted_keys", &r->secondary},
	        {".platform", &r->platform}, {".machine", &r->machine}};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		long keys = keyring_keys(description, known[i].name);
		*known[i].keys = keys >= 0 ? keys : *known[i].keys;
	}
}

static int added_put(struct evidence *e, const struct rings *r)
{
	struct list l = {e, group, "keyring.added", path, 0, NULL, 0};
	long within = 1 + (r->machine >= 0);

	if (r->builtin < 0)
		list_unseen(&l, "the kernel's keyrings may not be viewed");
	if (r->secondary > within)
		list_add(&l, ".secondary_trusted_keys: %ld added", r->secondary - within);
	if (r->platform > 0)
		list_add(&l, ".platform: %ld", r->platform);
	if (r->machine > 0)
		list_add(&l, ".machine: %ld", r->machine);
	return list_end(&l);
}

static int none_put(struct evidence *e, const char *why)
{
	static const char *const keys[] = {"keyring.certificates", "keyring.count", "keyring.added"};
	int r = 0;

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		r |= why ? evidence_unseen(e, group, keys[i], why) : evidence_none(e, group, keys[i], path);
	return r;
}

int keyring_collect(struct evidence *e, const struct where *w)
{
	struct list l = {e, group, "keyring.certificates", path, 0, NULL, 0};
	struct rings rings = {-1, -1, -1, -1};
	struct key_line key;
	char *save = NULL, count[32];
	size_t n;

	if (!w->live)
		return 0;
	char *text = where_read(w, path, TEXT_BYTES_MAX, &n);
	if (!text) /* without a whole /proc, what is not there proves nothing */
		return none_put(e, errno != ENOENT                    ? "/proc/keys cannot be read"
		                   : !where_exists(w, "proc/version") ? "/proc is not mounted whole"
		                                                      : NULL);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (key_line_parse(line, &key) < 0)
			l.unseen = "a line of /proc/keys that is not understood";
		else if (strcmp(key.type, "asymmetri") == 0)
			list_add(&l, "%s", key.description);
		else if (strcmp(key.type, "keyring") == 0 && key.uid == 0)
			ring_take(&rings, key.description);
	}
	free(text);
	if (rings.builtin < 0)
		list_unseen(&l, "the kernel's keyrings may not be viewed");
	snprintf(count, sizeof count, "%lu", l.n);
	int r = l.unseen ? evidence_unseen(e, group, "keyring.count", l.unseen)
	                 : fact_put(e, group, "keyring.count", count, path);
	return r | added_put(e, &rings) | list_end(&l);
}
