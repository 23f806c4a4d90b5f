#define _GNU_SOURCE
#include "hashtree.h"

#include "fdio.h"

#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- the superblock: numbers are little-endian --- */

enum {
	AT_VERSION = 8,
	AT_TYPE = 12,
	AT_ALGORITHM = 32,
	AT_DATA_BLOCK = 64,
	AT_HASH_BLOCK = 68,
	AT_BLOCKS = 72,
	AT_SALT_BYTES = 80,
	AT_SALT = 88,
	ALGORITHM_BYTES = 32,
	DATA_BLOCKS_MAX_BITS = 40
};

static uint64_t take(const uint8_t *p, unsigned bytes)
{
	uint64_t v = 0;

	while (bytes--)
		v = v << 8 | p[bytes];
	return v;
}

static bool block_ok(uint64_t n)
{
	return n >= HASHTREE_BLOCK_BYTES_MIN && n <= HASHTREE_BLOCK_BYTES_MAX && !(n & (n - 1));
}

const char *hashtree_parse(const uint8_t s[HASHTREE_SUPERBLOCK_BYTES], struct hashtree *out)
{
	*out = (struct hashtree){.data_block_bytes = take(s + AT_DATA_BLOCK, 4),
	        .hash_block_bytes = take(s + AT_HASH_BLOCK, 4),
	        .data_blocks = take(s + AT_BLOCKS, 8),
	        .salt_bytes = take(s + AT_SALT_BYTES, 2)};
	if (memcmp(s, "verity\0\0", 8) != 0)
		return "no superblock of dm-verity";
	if (take(s + AT_VERSION, 4) != 1 || take(s + AT_TYPE, 4) != 1)
		return "a tree of a kind that is not computed here: version and type 1 are";
	if (!block_ok(out->data_block_bytes) || !block_ok(out->hash_block_bytes) ||
	        out->salt_bytes > HASHTREE_SALT_BYTES_MAX || !out->data_blocks ||
	        out->data_blocks >> DATA_BLOCKS_MAX_BITS)
		return "a superblock that makes no sense";
	memcpy(out->algorithm, s + AT_ALGORITHM, ALGORITHM_BYTES - 1);
	memcpy(out->salt, s + AT_SALT, out->salt_bytes);
	out->digest_bytes = strcmp(out->algorithm, "sha256") == 0   ? 32
	                    : strcmp(out->algorithm, "sha512") == 0 ? 64
	                                                            : 0;
	return out->digest_bytes ? NULL : "a tree whose hash is not computed here: sha256 and sha512 are";
}

/* --- the tree --- */

/* One level while it is being made: the block that is not full yet. Level 0 is nearest to the data. */
struct level {
	uint8_t *block;
	size_t filled;
	uint64_t index, blocks, at; /* at: of its first block in the tree, in blocks */
};

struct maker {
	const struct hashtree *t;
	struct hashtree_result *out;
	struct level level[HASHTREE_LEVELS_MAX];
	unsigned levels;
	size_t per_block; /* digests in a block of hashes */
	uint8_t *stored;  /* what the tree has there */
	int tree;
	const char *why;
};

static void digest(
        const struct hashtree *t, const uint8_t *p, size_t n, uint8_t out[HASHTREE_DIGEST_BYTES_MAX])
{
	crypto_hash_sha256_state s256;
	crypto_hash_sha512_state s512;

	if (t->digest_bytes == 32) {
		crypto_hash_sha256_init(&s256);
		crypto_hash_sha256_update(&s256, t->salt, t->salt_bytes);
		crypto_hash_sha256_update(&s256, p, n);
		crypto_hash_sha256_final(&s256, out);
	} else {
		crypto_hash_sha512_init(&s512);
		crypto_hash_sha512_update(&s512, t->salt, t->salt_bytes);
		crypto_hash_sha512_update(&s512, p, n);
		crypto_hash_sha512_final(&s512, out);
	}
}

/* On disk the top comes first. A single block of data has no tree: its digest is the root. */
static const char *levels_place(struct maker *m, uint64_t tree_at)
{
	uint64_t n = m->t->data_blocks, size = m->t->hash_block_bytes;
	uint64_t at = (tree_at + HASHTREE_SUPERBLOCK_BYTES + size - 1) / size;

	while (n > 1) {
		if (m->levels == HASHTREE_LEVELS_MAX)
			return "a tree of too many levels";
		n = (n + m->per_block - 1) / m->per_block;
		m->level[m->levels++].blocks = n;
	}
	for (unsigned i = m->levels; i-- > 0;) {
		m->level[i].at = at;
		at += m->level[i].blocks;
		if (!(m->level[i].block = calloc(1, size)))
			return "no memory";
	}
	return NULL;
}

static void difference_note(struct maker *m, unsigned i)
{
	const struct level *l = &m->level[i];
	size_t d = m->t->digest_bytes, slot = 0;

	if (m->out->differs[0])
		return;
	while (slot < m->per_block && memcmp(l->block + slot * d, m->stored + slot * d, d) == 0)
		slot++;
	uint64_t block = l->index * m->per_block + slot;
	if (!i && block < m->t->data_blocks)
		snprintf(m->out->differs, sizeof m->out->differs, "block %llu of the data",
		        (unsigned long long)block);
	else
		snprintf(m->out->differs, sizeof m->out->differs, "block %llu of the tree's level %u",
		        (unsigned long long)l->index, i);
}

static void root_put(struct maker *m, const uint8_t *d)
{
	sodium_bin2hex(m->out->root, sizeof m->out->root, d, m->t->digest_bytes);
}

/* The level's block is full, or the last one: it is compared, and its digest goes into the level above. */
static void block_end(struct maker *m, unsigned i)
{
	struct level *l = &m->level[i];
	size_t size = m->t->hash_block_bytes;
	uint8_t d[HASHTREE_DIGEST_BYTES_MAX];
	off_t at = (off_t)((l->at + l->index) * size);
	ssize_t n = lseek(m->tree, at, SEEK_SET) == at ? fd_read(m->tree, m->stored, size) : -1;

	if (n < 0 || (size_t)n < size) {
		m->why = n < 0 ? "the tree cannot be read" : "the tree is cut off";
		return;
	}
	if (memcmp(l->block, m->stored, size) != 0)
		difference_note(m, i);
	digest(m->t, l->block, size, d);
	memset(l->block, 0, size);
	l->filled = 0;
	l->index++;
	if (i + 1 == m->levels) {
		root_put(m, d);
		return;
	}
	struct level *up = l + 1;
	memcpy(up->block + up->filled++ * m->t->digest_bytes, d, m->t->digest_bytes);
	if (up->filled == m->per_block)
		block_end(m, i + 1);
}

static void data_read(struct maker *m, int data)
{
	size_t size = m->t->data_block_bytes;
	uint8_t *block = malloc(size), d[HASHTREE_DIGEST_BYTES_MAX];
	struct level *l = m->level;

	m->why = block ? NULL : "no memory";
	for (uint64_t i = 0; i < m->t->data_blocks && !m->why; i++) {
		ssize_t n = fd_read(data, block, size);
		if (n < 0 || (size_t)n < size) {
			m->why = n < 0 ? "the image cannot be read"
			               : "the image is shorter than its tree says";
			break;
		}
		digest(m->t, block, size, d);
		if (!m->levels) {
			root_put(m, d);
			break;
		}
		memcpy(l->block + l->filled++ * m->t->digest_bytes, d, m->t->digest_bytes);
		if (l->filled == m->per_block)
			block_end(m, 0);
	}
	for (unsigned i = 0; i < m->levels && !m->why; i++)
		if (m->level[i].filled)
			block_end(m, i);
	free(block);
}

const char *hashtree_compute(
        const struct hashtree *t, int data, int tree, uint64_t tree_at, struct hashtree_result *out)
{
	struct maker m = {.t = t,
	        .out = out,
	        .per_block = t->hash_block_bytes / t->digest_bytes,
	        .stored = malloc(t->hash_block_bytes),
	        .tree = tree};

	*out = (struct hashtree_result){0};
	m.why = m.stored ? levels_place(&m, tree_at) : "no memory";
	if (!m.why)
		data_read(&m, data);
	for (unsigned i = 0; i < m.levels; i++)
		free(m.level[i].block);
	free(m.stored);
	return m.why;
}
