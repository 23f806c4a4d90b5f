#define _GNU_SOURCE
#include "tpm-owner.h"

#include "list.h"
#include "tpm-tool.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* What is so, or -1 and why that is not known. */
static int is = -1;
static const char *why = "the TPM was not asked";

/* The number behind "NAME:" and blanks, at the beginning of a line but for blanks. */
static bool number_find(const char *text, const char *name, unsigned long *out)
{
	size_t n = strlen(name);
	char *end;

	for (const char *s = text; s; s = strchr(s, '\n'), s = s ? s + 1 : NULL) {
		s += strspn(s, " ");
		if (strncmp(s, name, n) != 0 || s[n] != ':')
			continue;
		const char *value = s + n + 1 + strspn(s + n + 1, " ");
		*out = strtoul(value, &end, 0);
		return end != value && (*end == '\n' || !*end);
	}
	return false;
}

int tpm_owner_parse(const char *text)
{
	unsigned long owner, lockout, interval;

	if (!number_find(text, "ownerAuthSet", &owner) || !number_find(text, "lockoutAuthSet", &lockout) ||
	        !number_find(text, "TPM2_PT_LOCKOUT_INTERVAL", &interval))
		return -1;
	/* after so many seconds a failure is forgotten; 0: they are not counted (TPM 2.0 Library, part 1,
	 * "Dictionary Attack Protection") */
	return (owner ? 0 : TPM_OWNER_OPEN) | (lockout ? 0 : TPM_LOCKOUT_OPEN) |
	       (interval ? 0 : TPM_GUESSES_FREE);
}

void tpm_owner_open(const struct where *w)
{
	static const char *const argv[] = {"tpm2_getcap", "properties-variable", NULL};
	size_t n;

	why = "there is no /dev/tpmrm0 to ask";
	if (!tpm_tool_may(w))
		return;
	char *text = tpm_tool_read(argv, &n);
	why = text ? "what tpm2_getcap printed is not understood" : "the TPM, or tpm2_getcap, did not answer";
	is = text && strlen(text) == n ? tpm_owner_parse(text) : -1;
	free(text);
}

int tpm_owner_collect(struct evidence *e, const struct where *w)
{
	struct list l = {e, "integrity", "tpm.unowned", "tpm2_getcap", 0, NULL, 0};

	if (!w->live)
		return 0;
	if (!where_exists(w, "sys/class/tpm/tpm0") && where_exists(w, "sys/class"))
		return evidence_none(e, l.group, l.key, "/sys/class/tpm");
	if (is < 0)
		list_unseen(&l, why);
	if (is > 0 && is & TPM_OWNER_OPEN)
		list_add(&l, "the owner has no password");
	if (is > 0 && is & TPM_LOCKOUT_OPEN)
		list_add(&l, "clearing it takes no password");
	if (is > 0 && is & TPM_GUESSES_FREE)
		list_add(&l, "passwords can be guessed without end");
	return list_end(&l);
}
