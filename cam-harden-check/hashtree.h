/* hashtree: dm-verity's tree of hashes over an image, made anew from the data and held against the one that
 * is stored (admin-guide/device-mapper/verity.rst of the kernel; the superblock is veritysetup's).
 *
 * Memory is one block a level, whatever the size of the image. */
#ifndef HASHTREE_H
#define HASHTREE_H
#include <stddef.h>
#include <stdint.h>

enum {
	HASHTREE_SUPERBLOCK_BYTES = 512,
	HASHTREE_BLOCK_BYTES_MIN = 512,
	HASHTREE_BLOCK_BYTES_MAX = 64 << 10,
	HASHTREE_SALT_BYTES_MAX = 256,
	HASHTREE_DIGEST_BYTES_MAX = 64,
	HASHTREE_LEVELS_MAX = 16,
};

struct hashtree {
	char algorithm[32]; /* sha256 or sha512 */
	size_t digest_bytes, data_block_bytes, hash_block_bytes, salt_bytes;
	uint64_t data_blocks;
	uint8_t salt[HASHTREE_SALT_BYTES_MAX];
};

/* NULL, or why this superblock cannot be used: none, damaged, of a kind that is not computed here. */
const char *hashtree_parse(const uint8_t superblock[HASHTREE_SUPERBLOCK_BYTES], struct hashtree *out);

struct hashtree_result {
	char root[2 * HASHTREE_DIGEST_BYTES_MAX + 1]; /* of the data as it is, in hexadecimal */
	char differs[80]; /* the first place where the stored tree says otherwise, or "" */
};

/* Reads data from its current offset on, and tree, whose superblock lies at tree_at. NULL, or why nothing can
 * be said: cut off, not to be read, no memory. */
const char *hashtree_compute(
        const struct hashtree *, int data, int tree, uint64_t tree_at, struct hashtree_result *out);
#endif
