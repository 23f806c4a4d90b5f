/* secret-key: finds keys as cam-key(1) writes them, in any text. */
#ifndef SECRET_KEY_H
#define SECRET_KEY_H
#include <stdbool.h>
#include <stddef.h>

/* Is there a line of a key file with this word in the text, secret and whole: "WORD [MONTH] PUBLIC
 * plain|argon2id ..."? */
bool secret_key_is_in(const char *text, size_t n, const char *word);
#endif
