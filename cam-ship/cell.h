/* cell: what the uploader gives up, in two steps. */
#ifndef CELL_H
#define CELL_H
#include "trust.h"

/* After the dialer was forked and libcurl set up, before any certificate, key or credential is read. */
void cell_starting(const char *spool, const struct trust_files *files);
/* When all that has been read, before the first connection. */
void cell_shipping(void);
#endif
