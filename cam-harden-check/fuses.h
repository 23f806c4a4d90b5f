/* fuses: what is burnt into the chip of a Pi 3 about from where it starts. */
#ifndef FUSES_H
#define FUSES_H
#include "evidence.h"
#include "where.h"

#include <stddef.h>
#include <stdint.h>

enum { FUSES_ROWS = 192, FUSES_USB_DEVICE = 1, FUSES_USB_HOST = 2, FUSES_GPIO = 4 };

/* Rows of 32 bits, little endian (Raspberry Pi documentation, "OTP register and bit definitions", other chips
 * than BCM2712). Other ways to start than the card, or -1: the copies in it do not agree. */
int fuses_parse(const uint8_t *p, size_t n);
/* boot.otp of the group "integrity": none where no driver of the kernel shows the fuses. 0, or -1: evidence
 * full. */
int fuses_collect(struct evidence *, const struct where *);
#endif
