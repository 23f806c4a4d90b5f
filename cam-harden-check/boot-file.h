/* boot-file: one file that a Pi's firmware could start: U-Boot, a kernel, or something unknown. */
#ifndef BOOT_FILE_H
#define BOOT_FILE_H
#include "uboot.h"
#include "where.h"

enum boot_file {
	BOOT_FILE_NONE, /* no such file */
	BOOT_FILE_KERNEL,
	BOOT_FILE_UBOOT,
	BOOT_FILE_UNKNOWN, /* or damaged, too long, unreadable */
};

/* As it is, or compressed by gzip. bytes: what out points into, to be freed; NULL when it is no U-Boot. */
enum boot_file boot_file_read(const struct where *, const char *path, char **bytes, struct uboot *out);
#endif
