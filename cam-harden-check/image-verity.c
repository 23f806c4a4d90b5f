/* Reads the image and its tree, both open; what the command line declares it takes from the evidence. The
 * tree that comes with the image proves nothing but that the two fit: what counts is the root hash, which the
 * command line or the release's policy has from elsewhere. */
#define _GNU_SOURCE
#include "image-verity.h"

#include "fdio.h"
#include "hashtree.h"
#include "list.h"
#include "verity.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { CMDLINE_BYTES = 8192 };

static const char group[] = "image";

static int unseen(struct evidence *e, const char *why)
{
	return evidence_unseen(e, group, "verity-tree", why) |
	       evidence_unseen(e, group, "verity-root-hash", why) |
	       evidence_unseen(e, group, "verity-declared", why);
}

/* The hash in a parameter, or NULL: systemd's, or the kernel's own table for its first device. */
static const char *hash_declared(const struct evidence *e, struct verity *v)
{
	const struct fact *hash = evidence_first(e, "cmdline", "roothash"),
	                  *table = evidence_first(e, "cmdline", "dm_mod.create");
	char text[CMDLINE_BYTES];

	if (hash && hash->kind == FACT_VALUE)
		return hash->value;
	if (!table || table->kind != FACT_VALUE)
		return NULL;
	int n = snprintf(text, sizeof text, "dm-mod.create=\"%s\"", table->value);
	return n < (int)sizeof text && verity_parse_cmdline(text, 0, v) == 0 ? v->digest : "";
}

static int declared_put(struct evidence *e, const char *root)
{
	static const char key[] = "verity-declared";
	static struct verity v;
	const char *why = evidence_group_unseen(e, "cmdline"), *hash = hash_declared(e, &v);
	char text[HASHTREE_DIGEST_BYTES_MAX * 2 + 64];

	if (why)
		return evidence_unseen(e, group, key, why);
	if (!hash)
		return evidence_none(e, group, key, "the command line");
	if (!*hash)
		return evidence_unseen(e, group, key, "dm-mod.create on the command line is not understood");
	if (strcasecmp(hash, root) == 0)
		return evidence_fact(e, group, key, "as computed", "the command line");
	snprintf(text, sizeof text, "another: %.130s", hash);
	return fact_put(e, group, key, text, "the command line");
}

int image_verity_collect(struct evidence *e, const struct where *w)
{
	uint8_t superblock[HASHTREE_SUPERBLOCK_BYTES];
	struct hashtree_result result;
	struct hashtree tree;
	off_t at = (off_t)w->hashtree_at;
	const char *why;

	if (w->live)
		return 0;
	if (w->image_fd < 0)
		return unseen(e, "no image was given: -V");
	if (lseek(w->hashtree_fd, at, SEEK_SET) != at ||
	        fd_read(w->hashtree_fd, superblock, sizeof superblock) != (ssize_t)sizeof superblock)
		why = "the tree's superblock cannot be read";
	else if (!(why = hashtree_parse(superblock, &tree)))
		why = hashtree_compute(&tree, w->image_fd, w->hashtree_fd, w->hashtree_at, &result);
	close(w->image_fd);
	close(w->hashtree_fd);
	if (why)
		return unseen(e, why);
	return fact_put(e, group, "verity-tree", result.differs[0] ? result.differs : "whole", w->image) |
	       fact_put(e, group, "verity-root-hash", result.root, w->image) | declared_put(e, result.root);
}
