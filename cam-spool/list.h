/* list: what is in a spool directory, for people and for programs. */
#ifndef LIST_H
#define LIST_H
#include <stdbool.h>

/* Prints the contents of path, as a table or as one JSON object. Writes nothing else, and goes well with a
 * cam-spool at work there. The exit code. */
int list_main(const char *path, bool json);
#endif
