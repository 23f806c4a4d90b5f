/* initramfs: what the kernel is given to start from before the verified root, if anything. */
#ifndef INITRAMFS_H
#define INITRAMFS_H
#include "evidence.h"
#include "where.h"

/* The keys "initramfs-files" and "initramfs-shells" of the group "image", offline only: a running device has
 * thrown its initramfs away. After kconfig_collect(). 0, or -1: evidence full. */
int initramfs_collect(struct evidence *, const struct where *);
#endif
