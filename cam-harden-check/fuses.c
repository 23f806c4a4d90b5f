/* Reads the fuses as the driver of Raspberry Pi's kernels shows them since 2024, below /sys/bus/nvmem; the
 * kernel of kernel.org has no driver, and the chip shows them to the firmware only. */
#define _GNU_SOURCE
#include "fuses.h"

#include "list.h"

#include <errno.h>
#include <stdlib.h>

enum { MODE = 17, MODE_COPY = 18, SERIAL = 28, SERIAL_INVERSE = 29 };

static uint32_t row(const uint8_t *p, unsigned i)
{
	p += 4 * (size_t)i;
	return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

int fuses_parse(const uint8_t *p, size_t n)
{
	if (n < 4 * (SERIAL_INVERSE + 1) || row(p, MODE) != row(p, MODE_COPY) ||
	        row(p, SERIAL) != ~row(p, SERIAL_INVERSE))
		return -1;
	uint32_t mode = row(p, MODE);
	return (mode >> 28 & 1 ? FUSES_USB_DEVICE : 0) | (mode >> 29 & 1 ? FUSES_USB_HOST : 0) |
	       (mode >> 19 & 1 ? FUSES_GPIO : 0);
}

int fuses_collect(struct evidence *e, const struct where *w)
{
	static const char path[] = "sys/bus/nvmem/devices/nvmem_otp0/nvmem", group[] = "integrity",
	                  key[] = "boot.otp";
	struct list l = {e, group, key, path, 0, NULL, 0};
	size_t n = 0;

	if (!w->live)
		return 0;
	char *p = where_read(w, path, 4 * FUSES_ROWS, &n);
	if (!p && errno == ENOENT)
		return where_exists(w, "sys/class") ? evidence_none(e, group, key, path)
		                                    : evidence_unseen(e, group, key, "/sys is not mounted");
	if (!p)
		return evidence_unseen(e, group, key, "the fuses cannot be read");
	int ways = fuses_parse((const uint8_t *)p, n);
	free(p);
	if (ways < 0)
		return evidence_unseen(e, group, key, "the copies in the fuses do not agree");
	list_add(&l, "sd");
	if (ways & FUSES_USB_DEVICE)
		list_add(&l, "usb-device");
	if (ways & FUSES_USB_HOST)
		list_add(&l, "usb-host");
	if (ways & FUSES_GPIO)
		list_add(&l, "gpio");
	return list_end(&l);
}
