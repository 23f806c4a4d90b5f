/* bootloader: what the firmware starts from the boot partition, and what that does before there is a kernel.
 *
 * A Pi's firmware runs the file that config.txt names, or kernel8.img: a kernel, or U-Boot. Of either nothing
 * is verified (boot.rot); what U-Boot verifies and obeys is in its program. */
#ifndef BOOTLOADER_H
#define BOOTLOADER_H
#include "evidence.h"
#include "where.h"

/* boot.fit, boot.uboot-shell, boot.uboot-env of the group "integrity" and reboot-loop of "watchdog", of the
 * running device or of an image. 0, or -1: evidence full. */
int bootloader_collect(struct evidence *, const struct where *);
#endif
