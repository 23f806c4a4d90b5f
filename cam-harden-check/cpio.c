#define _GNU_SOURCE
#include "cpio.h"

#include <string.h>

enum { AT_MODE = 14, AT_SIZE = 54, AT_NAME_BYTES = 94, DIGITS = 8 };

static const char trailer[] = "TRAILER!!!";

/* -1: not hexadecimal. */
static int number(const char *s, uint32_t *out)
{
	uint32_t v = 0;

	for (int i = 0; i < DIGITS; i++) {
		char c = s[i];
		int d = c >= '0' && c <= '9'   ? c - '0'
		        : c >= 'a' && c <= 'f' ? c - 'a' + 10
		        : c >= 'A' && c <= 'F' ? c - 'A' + 10
		                               : -1;
		if (d < 0)
			return -1;
		v = v << 4 | (uint32_t)d;
	}
	*out = v;
	return 0;
}

static uint64_t padding(uint64_t n)
{
	return (4 - (n & 3)) & 3;
}

static void head_take(struct cpio *c)
{
	uint32_t size, name_bytes;

	if ((memcmp(c->head, "070701", 6) != 0 && memcmp(c->head, "070702", 6) != 0) ||
	        number(c->head + AT_SIZE, &size) < 0 || number(c->head + AT_NAME_BYTES, &name_bytes) < 0) {
		c->why = "not an archive of the kind newc";
		return;
	}
	if (!name_bytes || name_bytes > CPIO_NAME_BYTES_MAX) {
		c->why = "a name that is too long";
		return;
	}
	c->name_bytes = name_bytes;
	c->after_name = padding(CPIO_HEAD_BYTES + name_bytes) + size + padding(size);
	c->state = CPIO_NAME;
	c->have = 0;
}

static void name_take(struct cpio *c)
{
	uint32_t mode;
	const char *name = c->name + strspn(c->name, "/");

	if (c->name[c->name_bytes - 1] || strlen(c->name) + 1 != c->name_bytes ||
	        number(c->head + AT_MODE, &mode) < 0) {
		c->why = "an entry that makes no sense";
		return;
	}
	c->state = CPIO_SKIP;
	c->skip = c->after_name;
	c->have = 0;
	if (strcmp(c->name, trailer) == 0) {
		c->archives++;
		c->state = CPIO_BETWEEN;
		return; /* what pads it are zeros like those behind it */
	}
	if (++c->entries > CPIO_ENTRIES_MAX)
		c->why = "more files than are looked at";
	else
		c->entry(c->arg, name, mode);
}

/* Takes what there is of want bytes. 1: now all of them are there. */
static int gather(struct cpio *c, char *to, size_t want, const uint8_t *p, size_t n, size_t *taken)
{
	size_t k = want - c->have < n ? want - c->have : n;

	memcpy(to + c->have, p, k);
	c->have += k;
	*taken = k;
	return c->have == want;
}

size_t cpio_push(struct cpio *c, const uint8_t *p, size_t n)
{
	size_t at = 0, k;

	while (at < n && !c->why) {
		switch (c->state) {
		case CPIO_BETWEEN:
			if (p[at] == 0) {
				at++;
				break;
			}
			if (p[at] != '0')
				return at;
			c->state = CPIO_HEAD;
			c->have = 0;
			break;
		case CPIO_HEAD:
			if (gather(c, c->head, CPIO_HEAD_BYTES, p + at, n - at, &k))
				head_take(c);
			at += k;
			break;
		case CPIO_NAME:
			if (gather(c, c->name, c->name_bytes, p + at, n - at, &k))
				name_take(c);
			at += k;
			break;
		case CPIO_SKIP:
			k = c->skip < n - at ? (size_t)c->skip : n - at;
			c->skip -= k;
			at += k;
			if (!c->skip) {
				c->state = CPIO_HEAD;
				c->have = 0;
			}
			break;
		}
	}
	return at;
}

int cpio_end(const struct cpio *c)
{
	return c->why || c->state != CPIO_BETWEEN || !c->archives ? -1 : 0;
}
