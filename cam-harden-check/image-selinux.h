/* image-selinux: SELinux as the root declares it: before it runs, and where nothing runs. */
#ifndef IMAGE_SELINUX_H
#define IMAGE_SELINUX_H
#include "evidence.h"
#include "where.h"

/* The value of NAME=VALUE in a text like /etc/selinux/config, the last one, to be freed; NULL: there is none,
 * or no memory. */
char *selinux_config_value(const char *text, const char *name);

/* The keys "selinux..." and "file_contexts" of the group "image". 0, or -1: evidence full. */
int image_selinux_collect(struct evidence *, const struct where *);
#endif
