/* value: one test of an expression on what is known of one key. */
#ifndef VALUE_H
#define VALUE_H
#include "expect.h"

/* An integer, or a version of up to four components? */
int value_is_number(const char *);
int value_is_item(const struct fact *);
/* Are there, or may there be, more elements than these? */
int value_goes_on(const struct fact *first);
/* Of a key that is there. What needs more than the key's own facts is unknown: max, and what a person judges.
 */
enum truth value_judge(const struct term *, const struct fact *first);
/* Of a key that is known not to be there. */
enum truth value_absent(enum test);
#endif
