/* Fuzz: what lies in an image. The first byte says which parser. */
#define _GNU_SOURCE
#include "cpio.h"
#include "hashtree.h"
#include "image-selinux.h"
#include "nftables-conf.h"
#include "ruleset-hash.h"
#include "sbom.h"
#include "sshsig.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct names {
	unsigned long n;
	size_t bytes;
};

static void entry(void *arg, const char *name, unsigned mode)
{
	struct names *names = arg;

	(void)mode;
	names->n++;
	names->bytes += strlen(name);
}

static void push(struct cpio *c, struct names *names, const uint8_t *p, size_t n, size_t piece)
{
	size_t at = 0;

	*names = (struct names){0, 0};
	*c = (struct cpio){.entry = entry, .arg = names};
	while (at < n) {
		size_t k = n - at < piece ? n - at : piece, took = cpio_push(c, p + at, k);
		if (took > k)
			abort();
		at += took;
		if (took < k)
			break;
	}
}

/* In whatever pieces it comes, it is the same archive. */
static void archive(const uint8_t *p, size_t n)
{
	static struct cpio a, b;
	struct names in_a, in_b;

	push(&a, &in_a, p, n, n);
	push(&b, &in_b, p, n, 7);
	if (in_a.n != in_b.n || in_a.bytes != in_b.bytes || a.why != b.why || cpio_end(&a) != cpio_end(&b))
		abort();
}

static void tree(const uint8_t *p, size_t n)
{
	struct hashtree t;

	if (n >= HASHTREE_SUPERBLOCK_BYTES && !hashtree_parse(p, &t) &&
	        (t.hash_block_bytes < t.digest_bytes || t.salt_bytes > sizeof t.salt || !t.data_blocks))
		abort();
}

static void texts(char *text, size_t n)
{
	static struct policy policy;
	static char why[POLICY_WHY_BYTES_MAX], said[NFTABLES_CONF_SAID_BYTES];
	static const char rule[] = "a | net | nft:log | review | - | low | own | why | -\n";
	char fingerprint[SSHSIG_FINGERPRINT_BYTES], hash[SHA256_TEXT_BYTES] = "", contents[SBOM_SAID_BYTES];
	struct evidence *e = evidence_new();

	if (!policy.rules && policy_add(&policy, "fuzz", rule, strlen(rule), "2026-01-01", why) < 0)
		abort();
	free(selinux_config_value(text, "SELINUX"));
	if (!ruleset_hash(text, n, hash) && strlen(hash) != SHA256_TEXT_BYTES - 1)
		abort();
	(void)sbom_parse(text, n, contents);
	/* nobody can make a signature by trying */
	if (!sshsig_verify(text, n, "file", "other", 5, fingerprint))
		abort();
	if (e && nftables_conf_compare(text, &policy, e, said) == 0 && strnlen(said, sizeof said) == sizeof said)
		abort();
	evidence_free(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	if (data[0] == 'c') {
		archive(data + 1, size - 1);
	} else if (data[0] == 'v') {
		tree(data + 1, size - 1);
	} else {
		char *text = malloc(size);
		if (!text)
			return 0;
		memcpy(text, data + 1, size - 1);
		text[size - 1] = 0;
		texts(text, size - 1);
		free(text);
	}
	return 0;
}
