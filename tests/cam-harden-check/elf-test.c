/* ELF files made byte by byte in each of the four forms, with what the parser has to see in them, and cut off
 * anywhere. */
#define _GNU_SOURCE
#include "elf-file.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>

struct made {
	uint8_t p[4096];
	size_t n;
	bool is64, big;
};

static void put(struct made *m, size_t at, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		m->p[at + (m->big ? bytes - 1 - i : i)] = (uint8_t)(v >> (8 * i));
	m->n = at + bytes > m->n ? at + bytes : m->n;
}

static void word(struct made *m, size_t at, uint64_t v)
{
	put(m, at, v, m->is64 ? 8 : 4);
}

/* Segment i; the table lies at 64. */
static void segment(struct made *m, unsigned i, uint32_t type, uint32_t flags, uint64_t offset,
        uint64_t address, uint64_t size)
{
	size_t at = 64 + i * (m->is64 ? 56 : 32);

	put(m, at, type, 4);
	if (m->is64) {
		put(m, at + 4, flags, 4);
		word(m, at + 8, offset);
		word(m, at + 16, address);
		word(m, at + 32, size);
	} else {
		word(m, at + 4, offset);
		word(m, at + 8, address);
		word(m, at + 16, size);
		put(m, at + 24, flags, 4);
	}
	put(m, m->is64 ? 56 : 44, i + 1, 2);
}

static void dynamic(struct made *m, unsigned i, uint64_t tag, uint64_t value)
{
	size_t step = m->is64 ? 16 : 8;
	word(m, 1024 + i * step, tag);
	word(m, 1024 + i * step + step / 2, value);
}

/* A position-independent program with everything that it should have. */
static struct made good(bool is64, bool big)
{
	struct made m = {.is64 = is64, .big = big};
	static const char interpreter[] = "/lib/ld.so", names[] = "\0main\0__stack_chk_fail";

	memcpy(m.p, "\177ELF", 4);
	m.p[4] = is64 ? 2 : 1;
	m.p[5] = big ? 2 : 1;
	put(&m, 16, 3, 2);
	put(&m, 18, 183, 2);
	word(&m, is64 ? 32 : 28, 64);
	put(&m, is64 ? 54 : 42, is64 ? 56 : 32, 2);
	segment(&m, 0, 1, 5, 0, 0x10000, 2048);
	segment(&m, 1, 2, 6, 1024, 0x10000 + 1024, 128);
	segment(&m, 2, 3, 4, 900, 0x10000 + 900, sizeof interpreter);
	segment(&m, 3, 0x6474e551, 6, 0, 0, 0);
	segment(&m, 4, 0x6474e552, 4, 1024, 0x10000 + 1024, 128);
	memcpy(m.p + 900, interpreter, sizeof interpreter);
	memcpy(m.p + 1200, names, sizeof names);
	dynamic(&m, 0, 5, 0x10000 + 1200);
	dynamic(&m, 1, 10, sizeof names);
	dynamic(&m, 2, 0x6ffffffb, 0x08000001);
	dynamic(&m, 3, 0, 0);
	m.n = 2048;
	return m;
}

/* In a block of exactly its size, so that a sanitizer sees each byte too far. */
static enum elf_result parse(const struct made *m, size_t n, struct elf *out)
{
	uint8_t *copy = malloc(n ? n : 1);
	if (!copy)
		return ELF_BROKEN;
	memcpy(copy, m->p, n);
	enum elf_result r = elf_parse(copy, n, out);
	free(copy);
	return r;
}

static void good_test(bool is64, bool big)
{
	struct made m = good(is64, big), n;
	struct elf f;
	const char *form = is64  ? big ? "64 bit, big" : "64 bit, little"
	                   : big ? "32 bit, big"
	                         : "32 bit, little";

	ok(parse(&m, m.n, &f) == ELF_OK && f.program && f.pie && f.relro && f.bind_now && f.stack_known &&
	                !f.stack_executable && f.canary && f.symbols_known && !f.rpath && !f.write_execute &&
	                !f.text_relocations && !f.library && f.machine == 183 &&
	                strcmp(f.interpreter, "/lib/ld.so") == 0,
	        "%s: a good program", form);
	n = m;
	put(&n, 16, 2, 2);
	ok(parse(&n, n.n, &f) == ELF_OK && f.program && !f.pie, "%s: at a fixed address", form);
	n = m;
	put(&n, 16, 1, 2);
	ok(parse(&n, n.n, &f) == ELF_OK && !f.program, "%s: an object file is no program", form);
	n = m;
	dynamic(&n, 2, 0, 0);
	ok(parse(&n, n.n, &f) == ELF_OK && !f.bind_now, "%s: bound late", form);
	n = m;
	dynamic(&n, 2, 30, 8);
	ok(parse(&n, n.n, &f) == ELF_OK && f.bind_now, "%s: DF_BIND_NOW", form);
	n = m;
	dynamic(&n, 2, 24, 0);
	ok(parse(&n, n.n, &f) == ELF_OK && f.bind_now, "%s: DT_BIND_NOW", form);
	n = m;
	dynamic(&n, 3, 15, 1);
	ok(parse(&n, n.n, &f) == ELF_OK && f.rpath, "%s: RPATH", form);
	n = m;
	dynamic(&n, 3, 29, 1);
	ok(parse(&n, n.n, &f) == ELF_OK && f.rpath, "%s: RUNPATH", form);
	n = m;
	dynamic(&n, 3, 22, 0);
	ok(parse(&n, n.n, &f) == ELF_OK && f.text_relocations, "%s: text relocations", form);
	n = m;
	segment(&n, 3, 0x6474e551, 7, 0, 0, 0);
	put(&n, is64 ? 56 : 44, 5, 2);
	ok(parse(&n, n.n, &f) == ELF_OK && f.stack_executable, "%s: an executable stack", form);
	n = m;
	segment(&n, 3, 4, 4, 0, 0, 0);
	put(&n, is64 ? 56 : 44, 5, 2);
	ok(parse(&n, n.n, &f) == ELF_OK && !f.stack_known, "%s: nothing is said of the stack", form);
	n = m;
	segment(&n, 0, 1, 7, 0, 0x10000, 2048);
	put(&n, is64 ? 56 : 44, 5, 2);
	ok(parse(&n, n.n, &f) == ELF_OK && f.write_execute, "%s: written and executed", form);
	n = m;
	memset(n.p + 1206, 'x', 4);
	ok(parse(&n, n.n, &f) == ELF_OK && f.symbols_known && !f.canary, "%s: no canary", form);
	n = m;
	put(&n, is64 ? 56 : 44, 4, 2);
	ok(parse(&n, n.n, &f) == ELF_OK && !f.relro, "%s: no RELRO", form);
}

static void broken_test(bool is64, bool big)
{
	struct made m = good(is64, big), n;
	struct elf f;
	unsigned wrong = 0;

	for (size_t k = 0; k < 1024 + 64; k++)
		wrong += parse(&m, k, &f) == ELF_OK;
	ok(!wrong, "cut off before its end it is broken, wherever it is cut");
	n = m;
	put(&n, is64 ? 56 : 44, 0xffff, 2);
	ok(parse(&n, n.n, &f) == ELF_BROKEN, "more segments than are looked at");
	n = m;
	word(&n, is64 ? 32 : 28, is64 ? UINT64_MAX - 8 : UINT32_MAX - 8);
	ok(parse(&n, n.n, &f) == ELF_BROKEN, "segments beyond everything");
	n = m;
	dynamic(&n, 1, 10, is64 ? UINT64_MAX : UINT32_MAX);
	ok(parse(&n, n.n, &f) == ELF_BROKEN, "more names than there is room for");
	n = m;
	n.p[900 + 10] = 'x';
	ok(parse(&n, n.n, &f) == ELF_BROKEN, "an interpreter without an end");
}

/* A file that does have room for more segments than are looked at. */
static void many_test(void)
{
	static uint8_t p[64 + (ELF_SEGMENTS_MAX + 1) * 56];
	struct made m = good(true, false);
	struct elf f;

	memcpy(p, m.p, 64);
	for (size_t i = 0; i <= ELF_SEGMENTS_MAX; i++)
		p[64 + i * 56] = 1;
	p[56] = (ELF_SEGMENTS_MAX + 1) & 0xff;
	p[57] = (ELF_SEGMENTS_MAX + 1) >> 8;
	ok(elf_parse(p, sizeof p, &f) == ELF_BROKEN, "one segment more than is looked at");
	p[56] = ELF_SEGMENTS_MAX & 0xff;
	p[57] = ELF_SEGMENTS_MAX >> 8;
	ok(elf_parse(p, sizeof p, &f) == ELF_OK, "as many as are");
}

int main(void)
{
	struct elf f;

	many_test();

	for (int form = 0; form < 4; form++) {
		good_test(form & 1, form & 2);
		broken_test(form & 1, form & 2);
	}
	ok(elf_parse((const uint8_t *)"", 0, &f) == ELF_NOT, "nothing");
	ok(elf_parse((const uint8_t *)"#!/bin/sh", 9, &f) == ELF_NOT, "a script");
	ok(elf_parse((const uint8_t *)"\177ELF", 4, &f) == ELF_BROKEN, "four bytes");
	return tap_done();
}
