/* ruleset: what the packet filter lets through, worked out from nft's JSON (libnftables-json(5)).
 *
 * Whether chains exist says nothing: a ruleset of thirty rules can accept everything. So each base chain is
 * walked as a packet would be, through jumps and verdict maps, and every accept is held against what its
 * conditions bind it to. A condition that is not understood binds nothing; a statement that is not understood
 * makes the whole ruleset not understood. Where several chains see the same packets, the strictest one
 * counts: a packet has to pass all of them. */
#ifndef RULESET_H
#define RULESET_H
#include <stdbool.h>
#include <stddef.h>

struct evidence;

enum { RULESET_BYTES_MAX = 4 << 20 };

/* The facts of the group "net" whose keys begin with "nft:", from n bytes of JSON. ipv6: this kernel speaks
 * it. bridged: there is a bridge. 0, or -1 with errno ENOMEM or E2BIG; a text that cannot be understood is
 * evidence not seen, not an error. */
int ruleset_judge(const char *json, size_t n, bool ipv6, bool bridged, struct evidence *e);
/* Nothing of it could be seen. */
void ruleset_unseen(struct evidence *e, const char *why);
#endif
