/* review: the one form in which a value stands in a policy as what a person has judged: cam-policy(5). */
#ifndef REVIEW_H
#define REVIEW_H
#include "evidence.h"

enum { REVIEW_BYTES_MAX = 2048 };

/* What is written of a key that is not there. */
#define REVIEW_NOT_THERE "not there"

/* The value or list that begins with this fact, in max bytes. What could be taken for nothing, or for a field
 * without a value, is quoted. 0, or -1: it does not fit. */
int review_text(char *out, size_t max, const struct fact *first);
#endif
