/* place: where a segment or a stub of one stands in the chain, and what is said of that. Used by segment.c
 * and reader.c only; of the functions, those that return an int return 0, or -1 with errno: memory ran out.
 */
#ifndef PLACE_H
#define PLACE_H
#include "reader.h"

/* The open segment is no stub, which what comes first after the header tells: its place is told and its key
 * opened. Does nothing when that was done. */
int place_segment(struct reader *r);
/* It is one: nothing but header and last mark has come. */
int place_stub(struct reader *r);
/* It is over, and its header and last mark are remembered: what follows it may come much later. */
int place_over(struct reader *r, int stub);
/* Nothing more comes: tells of links to marks that never came, but for those of the first that came of each
 * camera. */
void place_links_end(struct reader *r);
#endif
