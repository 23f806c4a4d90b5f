/* policy: rules in lines, and layers of them: cam-policy(5).
 *
 *     ID | GROUP | KEY | EXPECTED | CONDITION | SEVERITY | SOURCE | WHY | BREAKS
 *     target | ARCH | BOARD
 *     waive ID | OWNER | UNTIL | REASON
 *     drop ID | OWNER | UNTIL | REASON
 *     override ID | EXPECTED | OWNER | UNTIL | REASON
 *     reviewed ID | OWNER | UNTIL | SEEN | REASON */
#ifndef POLICY_H
#define POLICY_H
#include "expect.h"

enum {
	POLICY_RULES_MAX = 2048,
	POLICY_BYTES_MAX = 2 << 20, /* of one file */
	POLICY_LINE_BYTES_MAX = 4096,
	POLICY_ID_BYTES_MAX = 64,
	POLICY_LAYERS_MAX = 8,
	POLICY_WHY_BYTES_MAX = 256,
};

enum severity { SEVERITY_INFO, SEVERITY_LOW, SEVERITY_MEDIUM, SEVERITY_HIGH, SEVERITY_CRITICAL };

/* A person's decision about a rule, in a later layer. */
struct decision {
	const char *owner, *until,
	        *reason; /* until: YYYY-MM-DD, the last day on which it holds; owner NULL: none */
	int expired;
};

struct rule {
	const char *id, *group, *key, *expected_text, *condition_text, *source, *why, *breaks;
	enum severity severity;
	struct expect expected, condition;
	struct decision waived, dropped, overridden, reviewed;
	const char *reviewed_seen; /* what the owner saw; - of what no device shows */
	int reviewable;            /* a person may judge it, in some layer */
	const char *layer;
	unsigned line;
};

struct policy {
	struct rule *rule;
	size_t rules, room;
	const char *arch, *board; /* of the target, or NULL */
	char *text[POLICY_LAYERS_MAX];
	const char *layer[POLICY_LAYERS_MAX];
	size_t layers;
	char today[11];
};

/* Puts a layer on top. name is for messages and stays the caller's; text is copied. today decides what is
 * expired, YYYY-MM-DD. 0, or -1 with what is wrong in why: "NAME:LINE: WHAT". */
int policy_add(struct policy *, const char *name, const char *text, size_t n, const char *today,
        char why[POLICY_WHY_BYTES_MAX]);
void policy_free(struct policy *);
struct rule *policy_find(const struct policy *, const char *id);
const char *severity_name(enum severity);

extern const unsigned char policy_builtin[]; /* pi3-camera, compiled in */
extern const size_t policy_builtin_bytes;
#endif
