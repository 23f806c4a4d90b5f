/* boot: what vouches for the start of the device (firmware settings, TPM, measured boot), and what ends a
 * hang. */
#ifndef BOOT_H
#define BOOT_H
#include "evidence.h"
#include "where.h"

/* The keys "boot...", "tpm..." of the group "integrity" and all of "watchdog". Of an image: boot.config.txt.
 * 0, or -1: evidence full. */
int boot_collect(struct evidence *, const struct where *);
#endif
