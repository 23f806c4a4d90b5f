/* evidence: what is known of the device, and what could not be seen of it.
 *
 * A fact belongs to a group ("kconfig", "sysctl", "mount", ...) and a key, and has a value and a source that
 * a person can look at ("/proc/config.gz"). Of one key the first fact is judged, so collectors put in what
 * runs before what is declared; facts of further sources are compared with it, and a disagreement is a
 * finding of its own. Strings are copied. Everything returns 0, or -1 with ENOMEM, E2BIG (a bound is reached)
 * or EINVAL (a string that is too long or has control characters); the evidence then counts as incomplete as
 * a whole: evidence_overflow(). */
#ifndef EVIDENCE_H
#define EVIDENCE_H
#include <stddef.h>

enum {
	EVIDENCE_FACTS_MAX = 1 << 17,
	EVIDENCE_BYTES_MAX = 32 << 20,
	EVIDENCE_KEY_BYTES_MAX = 256,
	EVIDENCE_VALUE_BYTES_MAX = 8192, /* longer ones are refused, never cut */
};

enum fact_kind {
	FACT_VALUE,
	FACT_ITEM,   /* one element of a list */
	FACT_REST,   /* behind the elements: there are, or may be, more; value says so */
	FACT_NONE,   /* looked at everything: not there, or the list is empty */
	FACT_UNSEEN, /* value says why */
};

struct fact {
	const char *group, *key, *value, *source;
	enum fact_kind kind;
	const struct fact *next; /* of the same group and key, in the order of coming */
};

struct evidence;

struct evidence *evidence_new(void); /* NULL with ENOMEM */
void evidence_free(struct evidence *);

int evidence_fact(
        struct evidence *, const char *group, const char *key, const char *value, const char *source);
int evidence_item(
        struct evidence *, const char *group, const char *key, const char *item, const char *source);
int evidence_rest(
        struct evidence *, const char *group, const char *key, const char *what, const char *source);
int evidence_none(struct evidence *, const char *group, const char *key, const char *source);
/* Could not be seen, is implausible or truncated: every rule that needs it is INCOMPLETE. key NULL: the whole
 * group. */
int evidence_unseen(struct evidence *, const char *group, const char *key, const char *why);
/* Of the group, what nobody put in could not be seen, for this reason; a second one is added to it. */
int evidence_missing(struct evidence *, const char *group, const char *why);
/* Everything there is of a group has been put in: a key without a fact is not there (a complete kernel
 * configuration, a command line). Of other groups, a key without a fact was not looked at. */
int evidence_whole(struct evidence *, const char *group, const char *source);

/* --- for the judge --- */

const struct fact *evidence_first(const struct evidence *, const char *group, const char *key);
/* Why nothing of the group can be relied on, or NULL. */
const char *evidence_group_unseen(const struct evidence *, const char *group);
/* The source that is the whole of the group, or NULL. */
const char *evidence_group_whole(const struct evidence *, const char *group);
/* Every key that was put in, in the order of coming: *at starts at 0; NULL at the end. */
const struct fact *evidence_next_key(const struct evidence *, size_t *at);
/* A bound was reached or memory ran out, so that something is missing: what and why. NULL: no. */
const char *evidence_overflow(const struct evidence *);
#endif
