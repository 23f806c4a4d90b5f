#include "keep.h"

enum { NS_PER_MS = 1000000, TIMEOUT_MS_MAX = 60000 };

static bool same(const struct name *a, const struct name *b)
{
	return name_compare(a, b) == 0 && a->utc_s == b->utc_s && a->state == b->state;
}

static unsigned *bucket_of(struct keep *k, const struct name *n)
{
	uint64_t h = n->epoch * UINT64_C(0x9e3779b97f4a7c15) + n->segment;

	for (int i = 0; i < NAME_STREAM_BYTES; i++)
		h = h * 31 + n->stream[i];
	h *= UINT64_C(0x9e3779b97f4a7c15);
	return &k->bucket[(h >> 32) % KEEP_BUCKETS];
}

enum keep_answer keep_add(struct keep *k, const struct name *n, uint64_t now_ns)
{
	unsigned *bucket = bucket_of(k, n);

	for (unsigned i = *bucket; i; i = k->kept[i - 1].next)
		if (same(&k->kept[i - 1].name, n))
			return KEEP_KNOWN;
	if (k->n == KEEP_NAMES)
		return KEEP_FULL;
	unsigned i = (k->at + k->n++) % KEEP_NAMES;
	k->kept[i].name = *n;
	k->kept[i].due_ns = now_ns + k->keep_ns;
	k->kept[i].next = *bucket;
	*bucket = i + 1;
	return KEEP_TAKEN;
}

bool keep_due(struct keep *k, uint64_t now_ns, struct name *out)
{
	if (!k->n || k->kept[k->at].due_ns > now_ns)
		return false;
	*out = k->kept[k->at].name;
	unsigned *link = bucket_of(k, out);
	while (*link != k->at + 1)
		link = &k->kept[*link - 1].next;
	*link = k->kept[k->at].next;
	k->at = (k->at + 1) % KEEP_NAMES;
	k->n--;
	return true;
}

int keep_timeout_ms(const struct keep *k, uint64_t now_ns)
{
	if (!k->n)
		return -1;
	uint64_t due_ns = k->kept[k->at].due_ns;
	uint64_t ms = due_ns > now_ns ? (due_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS : 0;
	return ms > TIMEOUT_MS_MAX ? TIMEOUT_MS_MAX : (int)ms; /* poll's clock stands still in sleep */
}
