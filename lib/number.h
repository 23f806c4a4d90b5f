/* number: decimal numbers in text, also of bytes and of seconds. */
#ifndef NUMBER_H
#define NUMBER_H
#include <stdint.h>

/* The whole of s, digits only, as a number in min..max. -1 with EINVAL (not a number) or ERANGE. */
int number_parse(const char *s, uint64_t min, uint64_t max, uint64_t *out);
/* The same with at most one unit behind the digits: k, M, G or T, as powers of 1024. */
int number_parse_bytes(const char *s, uint64_t min, uint64_t max, uint64_t *out);
/* The same with s, m, h or d: seconds, minutes, hours or days, as seconds. */
int number_parse_seconds(const char *s, uint64_t min, uint64_t max, uint64_t *out);
#endif
