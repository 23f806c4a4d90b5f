/* number: decimal numbers in text. */
#ifndef NUMBER_H
#define NUMBER_H
#include <stdint.h>

/* The whole of s, digits only, as a number in min..max. -1 with EINVAL (not a number) or ERANGE. */
int number_parse(const char *s, uint64_t min, uint64_t max, uint64_t *out);
#endif
