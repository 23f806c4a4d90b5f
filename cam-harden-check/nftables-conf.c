/* What the generator writes has its operands in a comment: it is made anew with them, and compared line by
 * line. Comments and blanks do not count. Whoever wants other rules changes the policy or the operands, not
 * the file: then what runs, what lies there and what was decided are the same. */
#define _GNU_SOURCE
#include "nftables-conf.h"

#include "generate-nft.h"
#include "list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char group[] = "image", key[] = "nftables.conf";

/* The next line that says something, without comment and with single blanks, or NULL. */
static char *line_next(char **text)
{
	for (char *line; (line = strsep(text, "\n"));) {
		char *to = line;
		int quoted = 0, blank = 1;
		for (const char *s = line; *s && (quoted || *s != '#'); s++) {
			quoted ^= *s == '"';
			if (!quoted && (*s == ' ' || *s == '\t')) {
				if (!blank)
					*to++ = ' ';
				blank = 1;
				continue;
			}
			*to++ = *s;
			blank = 0;
		}
		to -= to > line && to[-1] == ' ';
		*to = 0;
		if (*line)
			return line;
	}
	return NULL;
}

/* A copy of what stands behind "# With ", or NULL. */
static char *operands_find(const char *text)
{
	const char *s = strncmp(text, GENERATE_NFT_WITH, strlen(GENERATE_NFT_WITH)) == 0
	                        ? text
	                        : strstr(text, "\n" GENERATE_NFT_WITH);

	if (!s)
		return NULL;
	s += (*s == '\n') + strlen(GENERATE_NFT_WITH);
	return strndup(s, strcspn(s, "\n"));
}

/* The ruleset that these operands make. NULL: they make none, or no memory (with ENOMEM). */
static char *ruleset_make(char *with, const struct policy *p, const struct evidence *e)
{
	struct operands o = {.n = 0};
	char *made = NULL;
	size_t n;
	int bad = 0;

	for (char *one; (one = strsep(&with, " "));)
		bad |= *one && operands_add(&o, one) < 0;
	errno = 0;
	FILE *out = open_memstream(&made, &n);
	if (!out)
		return NULL;
	bad |= generate_nft(p, e, &o, out, false) != 0;
	if (fclose(out) != 0 || bad) {
		free(made);
		return NULL;
	}
	return made;
}

static void lines_compare(char *text, char *made, const char *with, char said[NFTABLES_CONF_SAID_BYTES])
{
	for (;;) {
		const char *has = line_next(&text), *wants = line_next(&made);
		if (!has && !wants)
			break;
		if (has && wants && strcmp(has, wants) == 0)
			continue;
		snprintf(said, NFTABLES_CONF_SAID_BYTES, "\"%.200s\" where \"%.200s\" is generated",
		        has ? has : "its end", wants ? wants : "its end");
		return;
	}
	snprintf(said, NFTABLES_CONF_SAID_BYTES, "as generated with %.960s", with);
}

int nftables_conf_compare(
        char *text, const struct policy *p, const struct evidence *e, char said[NFTABLES_CONF_SAID_BYTES])
{
	char *with = operands_find(text), *copy = with ? strdup(with) : NULL;
	char *made = copy ? ruleset_make(copy, p, e) : NULL;
	int r = made || errno != ENOMEM ? 0 : -1;

	if (made)
		lines_compare(text, made, with, said);
	else
		snprintf(said, NFTABLES_CONF_SAID_BYTES, "not what -g nft wrote: %s",
		        with ? "its operands make no ruleset" : "a comment with its operands is missing");
	free(made);
	free(copy);
	free(with);
	return r;
}

static int unseen(struct evidence *e, const char *source, const char *why)
{
	char said[256];

	snprintf(said, sizeof said, "%s: %s", source, why);
	return evidence_unseen(e, group, key, said);
}

static int file_judge(struct evidence *e, const struct where *w, const struct policy *p, const char *source)
{
	char said[NFTABLES_CONF_SAID_BYTES];
	size_t n;
	char *text = where_read(w, source + 1, NFTABLES_CONF_BYTES_MAX, &n);

	if (!text)
		return errno == ENOENT ? 0 : unseen(e, source, strerror(errno));
	const char *why = !n                    ? "empty"
	                  : memchr(text, 0, n)  ? "not a text"
	                  : text[n - 1] != '\n' ? "the last line does not end: cut off?"
	                                        : NULL;
	if (!why && nftables_conf_compare(text, p, e, said) < 0)
		why = "no memory";
	free(text);
	return why ? unseen(e, source, why) : fact_put(e, group, key, said, source);
}

int nftables_conf_collect(struct evidence *e, const struct where *w, const struct policy *p)
{
	int r = file_judge(e, w, p, "/etc/cam/nftables.conf") | file_judge(e, w, p, "/etc/nftables.conf");

	if (!evidence_first(e, group, key))
		r |= evidence_none(e, group, key, "/etc/nftables.conf");
	return r;
}
