/* Reads os-release, and what tpm2_nvreadpublic and tpm2_nvread print. */
#define _GNU_SOURCE
#include "rollback.h"

#include "list.h"
#include "tpm-tool.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_BYTES_MAX = 64 << 10, COUNTER_BYTES = 8, TYPE_COUNTER = 1, WRITTEN = 29 };

static const char group[] = "integrity", key[] = "rollback";

/* What the TPM said. */
static struct {
	const char *why; /* nothing, and why */
	enum rollback_counter counter;
	uint64_t value;
} said = {.why = "the TPM was not asked"};

/* --- texts --- */

/* "0x1800001:", and in the lines below it that are indented "attributes:" and then "value: 0x22040012". */
enum rollback_counter rollback_index_parse(const char *text)
{
	static const char head[] = ROLLBACK_INDEX ":\n";
	const char *s =
	        strncmp(text, head, strlen(head)) == 0 ? text : strstr(text, "\n" ROLLBACK_INDEX ":\n");

	if (!s)
		return ROLLBACK_NONE;
	s = strchr(s + 1, '\n') + 1;
	const char *end = s;
	while (*end == ' ')
		end += strcspn(end, "\n") + (end[strcspn(end, "\n")] == '\n');
	const char *attributes = memmem(s, (size_t)(end - s), "\n  attributes:\n", 15),
	           *value = attributes ? memmem(attributes, (size_t)(end - attributes), "\n    value: 0x", 14)
	                               : NULL;
	if (!value)
		return ROLLBACK_UNKNOWN;
	unsigned long bits = strtoul(value + 12, NULL, 16);
	return (bits >> 4 & 15) == TYPE_COUNTER && bits >> WRITTEN & 1 ? ROLLBACK_COUNTER : ROLLBACK_ANOTHER;
}

int rollback_version_parse(const char *text, uint64_t *out)
{
	static const char name[] = "IMAGE_VERSION=";
	const char *s = strncmp(text, name, strlen(name)) == 0 ? text : strstr(text, "\nIMAGE_VERSION=");

	if (!s)
		return -1;
	s = strchr(s, '=') + 1;
	const char *quote = *s == '"' || *s == '\'' ? s++ : NULL;
	size_t digits = strspn(s, "0123456789");
	if (!digits || digits > 18 || (quote && s[digits] != *quote) ||
	        (s[digits + !!quote] != '\n' && s[digits + !!quote]))
		return -1;
	*out = strtoull(s, NULL, 10);
	return 0;
}

/* --- the TPM --- */

static const char *index_ask(void)
{
	static const char *const argv[] = {"tpm2_nvreadpublic", NULL};
	size_t n;
	char *text = tpm_tool_read(argv, &n);

	if (!text)
		return "the TPM, or tpm2_nvreadpublic, did not answer";
	said.counter = strlen(text) == n ? rollback_index_parse(text) : ROLLBACK_UNKNOWN;
	free(text);
	return said.counter == ROLLBACK_UNKNOWN ? "what tpm2_nvreadpublic printed is not understood" : NULL;
}

static const char *counter_ask(void)
{
	static const char *const argv[] = {
	        "tpm2_nvread", ROLLBACK_INDEX, "-C", ROLLBACK_INDEX, "-s", "8", NULL};
	size_t n = 0;
	char *text = tpm_tool_read(argv, &n);
	bool good = text && n == COUNTER_BYTES;

	for (size_t i = 0; good && i < n; i++)
		said.value = said.value << 8 | (uint8_t)text[i];
	free(text);
	return good ? NULL : "the TPM, or tpm2_nvread, did not answer";
}

void rollback_open(const struct where *w)
{
	if (!tpm_tool_may(w)) {
		said.why = "there is no /dev/tpmrm0 to ask";
		return;
	}
	said.why = index_ask();
	if (!said.why && said.counter == ROLLBACK_COUNTER)
		said.why = counter_ask();
}

/* --- together --- */

static int version_read(const struct where *w, uint64_t *out)
{
	static const char *const paths[] = {"etc/os-release", "usr/lib/os-release"};
	size_t n;
	char *text = NULL;

	for (size_t i = 0; !text && i < sizeof paths / sizeof *paths; i++)
		text = where_read(w, paths[i], TEXT_BYTES_MAX, &n);
	int r = text ? rollback_version_parse(text, out) : -1;
	free(text);
	return r;
}

int rollback_collect(struct evidence *e, const struct where *w)
{
	char text[96];
	uint64_t version;

	if (!w->live)
		return 0;
	if (!where_exists(w, "sys/class/tpm/tpm0") && where_exists(w, "sys/class"))
		return evidence_none(e, group, key, "/sys/class/tpm");
	if (said.why)
		return evidence_unseen(e, group, key, said.why);
	if (said.counter != ROLLBACK_COUNTER)
		return fact_put(e, group, key,
		        said.counter == ROLLBACK_NONE ? "no counter"
		                                      : "an index that is no counter, or was never raised",
		        "TPM, index " ROLLBACK_INDEX);
	if (version_read(w, &version) < 0)
		return fact_put(e, group, key, "an image without a number", "IMAGE_VERSION in os-release");
	snprintf(text, sizeof text, "older: %" PRIu64 ", and the counter is %" PRIu64, version, said.value);
	return fact_put(e, group, key, version >= said.value ? "current" : text,
	        "IMAGE_VERSION, and TPM index " ROLLBACK_INDEX);
}
