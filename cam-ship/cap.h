/* cap: how many bytes may be sent now, so that no more than rate go out in a second, over all transfers. */
#ifndef CAP_H
#define CAP_H
#include <stddef.h>
#include <stdint.h>

struct cap {
	uint64_t rate; /* bytes in a second; 0: no cap */
	uint64_t room; /* bytes that may go now */
	int64_t at_ns; /* when that was reckoned */
	uint64_t sent; /* all in all, capped or not */
};

/* DIGITS with k, M or G for 2^10, 2^20 or 2^30. 0, or -1 when it is none from 1k to 1024G. */
int cap_parse(struct cap *c, const char *text);
/* Time passes. */
void cap_earn(struct cap *c, int64_t now_ns);
/* Of want, how many may be sent; they are taken to be sent. 0: not now. */
size_t cap_take(struct cap *c, size_t want);
/* How long until cap_take gives something, at least 1. */
int64_t cap_wait_ms(const struct cap *c);
#endif
