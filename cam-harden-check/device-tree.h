/* device-tree: one flattened device tree, walked from its bytes (Devicetree Specification 0.4, chapter 5;
 * versions 16 and 17). libfdt would do it too, but Debian 12 has it for one architecture at a time, so that a
 * computer that builds for the Pi could not build for itself. */
#ifndef DEVICE_TREE_H
#define DEVICE_TREE_H
#include <stddef.h>
#include <stdint.h>

enum { TREE_HEAD_BYTES = 40, TREE_DEPTH_MAX = 32 };

/* Called for each node as it begins (property NULL), then for each of its properties. node holds the names
 * from the root's, which is empty, down to this one: depth of them, at least one. */
typedef void tree_look(void *arg, const char *const *node, unsigned depth, const char *property,
        const uint8_t *value, size_t n);

/* How long the tree at p says that it is, or 0: there is none, or it is longer than n bytes. */
size_t tree_bytes(const uint8_t *p, size_t n);
/* 0, or -1: something in it lies outside of it, does not end, or is deeper than TREE_DEPTH_MAX. What was
 * looked at before that counts for nothing. */
int tree_walk(const uint8_t *p, size_t n, tree_look *look, void *arg);
#endif
