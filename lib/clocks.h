/* clocks: the three clocks that are stamped on footage, read together. */
#ifndef CLOCKS_H
#define CLOCKS_H
#include <stdint.h>

/* What the kernel says of the wall clock (adjtimex(2), STA_UNSYNC), as stored in records. */
enum clocks_state { CLOCKS_UNKNOWN = 0, CLOCKS_UNSYNCHRONISED = 1, CLOCKS_SYNCHRONISED = 2 };

struct clocks {
	int64_t utc_ns;   /* CLOCK_REALTIME, nanoseconds since 1970 */
	uint64_t boot_ns; /* CLOCK_BOOTTIME */
	uint8_t state;    /* enum clocks_state */
};

void clocks_now(struct clocks *out);
uint64_t clocks_boot_ns(void);
/* "unknown", "unsynchronised" or "synchronised"; NULL for any other number. */
const char *clocks_state_name(uint8_t state);
#endif
