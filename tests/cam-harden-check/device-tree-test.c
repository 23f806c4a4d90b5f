/* A device tree made word by word, what is seen of it, and the same cut off or with one word wrong. */
#define _GNU_SOURCE
#include "device-tree.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>

enum { STRUCTURE = 40, STRINGS_AT = 128, TOTAL = 144, WORDS = 18 };

static uint8_t made[TOTAL];

static void word(size_t at, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		made[at + (size_t)i] = (uint8_t)(v >> (24 - 8 * i));
}

static void words(size_t at, const uint32_t *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		word(at + 4 * i, v[i]);
}

/* / { x = "ab"; one { two { y; }; }; }; with a hole in it. Version 17, or 16, which does not say how long the
 * structure is. */
static void make(uint32_t version)
{
	static const uint32_t structure[WORDS] = {
	        1, 0, 3, 3, 0, 0x61620000, 4, 1, 0x6f6e6500, 1, 0x74776f00, 3, 0, 2, 2, 2, 2, 9};
	const uint32_t head[10] = {0xd00dfeed, TOTAL, STRUCTURE, STRINGS_AT, TOTAL, version, 16, 0, 4,
	        version > 16 ? 4 * WORDS : 0};

	memset(made, 0, sizeof made);
	words(0, head, 10);
	words(STRUCTURE, structure, WORDS);
	memcpy(made + STRINGS_AT, "x\0y", 4);
}

static char seen[256];
static size_t seen_n;

static void note(const char *s, size_t n)
{
	for (size_t i = 0; i < n && s[i] && seen_n + 1 < sizeof seen; i++)
		seen[seen_n++] = s[i];
	seen[seen_n] = 0;
}

static void look(void *arg, const char *const *node, unsigned depth, const char *property,
        const uint8_t *value, size_t n)
{
	(void)arg;
	for (unsigned i = 1; i < depth; i++) {
		note("/", 1);
		note(node[i], strlen(node[i]));
	}
	if (property) {
		note(".", 1);
		note(property, strlen(property));
		note((const char *)value, n);
	}
	note(" ", 1);
}

static int walk(size_t n)
{
	uint8_t *p = malloc(n + !n); /* its own, so that a byte too far is seen */
	seen[seen_n = 0] = 0;
	if (!p)
		abort();
	memcpy(p, made, n);
	int r = tree_walk(p, n, look, NULL);
	free(p);
	return r;
}

static void whole(void)
{
	static const char want[] = " .xab /one /one/two /one/two.y ";

	for (uint32_t version = 16; version <= 17; version++) {
		make(version);
		ok(walk(TOTAL) == 0 && strcmp(seen, want) == 0, "version %u: each node and property: %s",
		        version, seen);
	}
	ok(tree_bytes(made, TOTAL) == TOTAL && tree_bytes(made, TOTAL - 1) == 0, "it says how long it is");
}

static void cut_off(void)
{
	int good = 0;

	make(17);
	for (size_t n = 0; n < TOTAL; n++)
		good += walk(n) == -1;
	ok(good == TOTAL, "cut off at any byte it is none");
}

/* One word of it is another one. */
static void broken(size_t at, uint32_t v, const char *name)
{
	make(17);
	word(at, v);
	ok(walk(TOTAL) == -1, "%s", name);
}

int main(void)
{
	enum {
		X_LENGTH = STRUCTURE + 12,
		X_NAME = STRUCTURE + 16,
		LAST_END_NODE = STRUCTURE + 64,
		END = STRUCTURE + 68
	};

	whole();
	cut_off();
	broken(0, 0xd00dfeee, "another magic");
	broken(4, 39, "shorter than its head");
	broken(20, 15, "an older version");
	broken(24, 18, "made for newer readers only");
	broken(8, TOTAL + 4, "a structure outside");
	broken(12, TOTAL + 4, "names outside");
	broken(32, TOTAL, "names that are too long");
	broken(36, TOTAL, "a structure that is too long");
	broken(36, 4 * 17, "a structure that ends before its end");
	broken(X_LENGTH, 1000, "a value that is too long");
	broken(X_LENGTH, 0xfffffffe, "a value whose length wraps around");
	broken(X_NAME, 4, "a name outside of the names");
	broken(X_NAME, 0x10000000, "a name far outside");
	broken(32, 3, "a name that does not end");
	broken(LAST_END_NODE, 9, "an end within a node");
	broken(LAST_END_NODE, 7, "an unknown word");
	broken(END, 2, "a node that ends and never began");
	make(17);
	word(STRUCTURE, 4);
	word(STRUCTURE + 4, 4);
	word(LAST_END_NODE, 4);
	ok(walk(TOTAL) == -1, "a property before there is a node");
	make(17);
	word(STRUCTURE, 2);
	word(STRUCTURE + 4, 4);
	ok(walk(TOTAL) == -1 && !*seen, "a node's end before its begin");
	make(17);
	for (size_t i = 0; i < WORDS; i++) {
		word(STRUCTURE + 4 * i, 4);
		(void)walk(TOTAL); /* for the sanitizers */
	}
	return tap_done();
}
