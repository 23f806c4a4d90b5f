/* Reads only through range-checked accessors: no structure is laid over the bytes. */
#define _GNU_SOURCE
#include "elf-file.h"

#include <string.h>

enum {
	TYPE_EXEC = 2,
	TYPE_DYN = 3,
	SEGMENT_LOAD = 1,
	SEGMENT_DYNAMIC = 2,
	SEGMENT_INTERP = 3,
	FLAG_EXECUTE = 1,
	FLAG_WRITE = 2,
	SECTION_SYMTAB = 2,
	SECTION_STRTAB = 3,
	DYNAMIC_STRTAB = 5,
	DYNAMIC_SYMTAB = 6,
	DYNAMIC_STRSZ = 10,
	DYNAMIC_RPATH = 15,
	DYNAMIC_TEXTREL = 22,
	DYNAMIC_BIND_NOW = 24,
	DYNAMIC_RUNPATH = 29,
	DYNAMIC_FLAGS = 30,
	SECTIONS_MAX = 4096,
	SEARCHED_BYTES_MAX = 16 << 20, /* of a program without names: all of it is read */
};
static const uint32_t segment_stack = 0x6474e551, segment_relro = 0x6474e552;
static const uint64_t dynamic_flags_1 = 0x6ffffffb, flag_1_pie = 0x08000000;

struct file {
	const uint8_t *p;
	size_t n;
	bool is64, big;
	bool bad; /* something was read that is not there */
};

static bool inside(const struct file *f, uint64_t at, uint64_t n)
{
	return at <= f->n && n <= f->n - at;
}

static uint64_t get(struct file *f, uint64_t at, unsigned bytes)
{
	uint64_t v = 0;

	if (!inside(f, at, bytes)) {
		f->bad = true;
		return 0;
	}
	for (unsigned i = 0; i < bytes; i++)
		v = v << 8 | f->p[at + (f->big ? i : bytes - 1 - i)];
	return v;
}

static uint64_t word(struct file *f, uint64_t at)
{
	return get(f, at, f->is64 ? 8 : 4);
}

struct segment {
	uint32_t type, flags;
	uint64_t offset, address, size;
};

static struct segment segment_get(struct file *f, uint64_t at)
{
	struct segment s = {.type = (uint32_t)get(f, at, 4)};

	if (f->is64) {
		s.flags = (uint32_t)get(f, at + 4, 4);
		s.offset = word(f, at + 8);
		s.address = word(f, at + 16);
		s.size = word(f, at + 32);
	} else {
		s.offset = word(f, at + 4);
		s.address = word(f, at + 8);
		s.size = word(f, at + 16);
		s.flags = (uint32_t)get(f, at + 24, 4);
	}
	return s;
}

/* Where an address lies in the file. */
static bool address_offset(
        const struct segment *load, size_t loads, uint64_t address, uint64_t *offset, uint64_t *room)
{
	for (size_t i = 0; i < loads; i++)
		if (address >= load[i].address && address - load[i].address < load[i].size) {
			*offset = load[i].offset + (address - load[i].address);
			*room = load[i].size - (address - load[i].address);
			return *offset >= load[i].offset;
		}
	return false;
}

struct dynamic {
	uint64_t strings, strings_size;
	bool now, pie, flags_seen;
};

static void dynamic_read(struct file *f, const struct segment *s, struct elf *out, struct dynamic *d)
{
	unsigned step = f->is64 ? 16 : 8;
	uint64_t count = s->size / step;

	if (!inside(f, s->offset, s->size) || count > ELF_DYNAMIC_MAX) {
		f->bad = true;
		return;
	}
	for (uint64_t i = 0; i < count; i++) {
		uint64_t at = s->offset + i * step, tag = word(f, at), value = word(f, at + step / 2);
		if (!tag)
			break;
		d->strings = tag == DYNAMIC_STRTAB ? value : d->strings;
		d->strings_size = tag == DYNAMIC_STRSZ ? value : d->strings_size;
		out->rpath |= tag == DYNAMIC_RPATH || tag == DYNAMIC_RUNPATH;
		out->text_relocations |= tag == DYNAMIC_TEXTREL || (tag == DYNAMIC_FLAGS && value & 4);
		d->now |= tag == DYNAMIC_BIND_NOW || (tag == DYNAMIC_FLAGS && value & 8) ||
		          (tag == dynamic_flags_1 && value & 1);
		d->pie |= tag == dynamic_flags_1 && value & flag_1_pie;
	}
}

static void names_search(struct file *f, uint64_t at, uint64_t n, struct elf *out)
{
	static const char *const names[] = {
	        "__stack_chk_fail", "__stack_chk_guard", "__stack_chk_fail_local"};

	if (!inside(f, at, n)) {
		f->bad = true;
		return;
	}
	out->symbols_known = true;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		out->canary |= memmem(f->p + at, n, names[i], strlen(names[i]) + 1) != NULL;
}

/* A static program that was stripped still has the text with which glibc and musl end it. */
static void message_search(const struct file *f, struct elf *out)
{
	static const char text[] = "stack smashing detected";

	if (!out->dynamic && f->n <= SEARCHED_BYTES_MAX && memmem(f->p, f->n, text, sizeof text - 1)) {
		out->symbols_known = true;
		out->canary = true;
	}
}

/* The names of a program without a dynamic section, as long as it was not stripped. */
static void sections_search(struct file *f, struct elf *out)
{
	uint64_t table = word(f, f->is64 ? 40 : 32);
	uint64_t size = get(f, f->is64 ? 58 : 46, 2), count = get(f, f->is64 ? 60 : 48, 2);
	unsigned least = f->is64 ? 64 : 40;

	if (!table || !count)
		return;
	if (size < least || count > SECTIONS_MAX || !inside(f, table, size * count)) {
		f->bad = true;
		return;
	}
	for (uint64_t i = 0; i < count; i++) {
		uint64_t at = table + i * size;
		if (get(f, at + 4, 4) != SECTION_SYMTAB)
			continue;
		uint64_t link = get(f, at + (f->is64 ? 40 : 24), 4);
		if (link >= count)
			continue;
		at = table + link * size;
		if (get(f, at + 4, 4) == SECTION_STRTAB)
			names_search(
			        f, word(f, at + (f->is64 ? 24 : 16)), word(f, at + (f->is64 ? 32 : 20)), out);
	}
}

static void interpreter_read(struct file *f, const struct segment *s, struct elf *out)
{
	if (!s->size)
		return; /* a file with debugging information only */
	if (!inside(f, s->offset, s->size) || s->size > sizeof out->interpreter ||
	        f->p[s->offset + s->size - 1]) {
		f->bad = true;
		return;
	}
	memcpy(out->interpreter, f->p + s->offset, s->size);
	for (char *c = out->interpreter; *c; c++)
		if ((unsigned char)*c < 0x20 || (unsigned char)*c > 0x7e)
			*c = '?';
}

static void segment_note(struct file *f, const struct segment *s, struct elf *out)
{
	if (s->type == SEGMENT_INTERP)
		interpreter_read(f, s, out);
	if (s->type == segment_relro)
		out->relro = true;
	if (s->type == segment_stack) {
		out->stack_known = true;
		out->stack_executable = s->flags & FLAG_EXECUTE;
	}
	if (s->type == SEGMENT_LOAD && s->flags & FLAG_WRITE && s->flags & FLAG_EXECUTE)
		out->write_execute = true;
}

static void segments_read(struct file *f, struct elf *out)
{
	struct segment load[ELF_SEGMENTS_MAX], dynamic = {0};
	uint64_t table = word(f, f->is64 ? 32 : 28);
	uint64_t size = get(f, f->is64 ? 54 : 42, 2), count = get(f, f->is64 ? 56 : 44, 2);
	struct dynamic d = {0};
	size_t loads = 0;

	if (!count || count > ELF_SEGMENTS_MAX || size < (f->is64 ? 56 : 32) ||
	        !inside(f, table, size * count)) {
		f->bad = true;
		return;
	}
	for (uint64_t i = 0; i < count; i++) {
		struct segment s = segment_get(f, table + i * size);
		segment_note(f, &s, out);
		if (s.type == SEGMENT_LOAD)
			load[loads++] = s;
		if (s.type == SEGMENT_DYNAMIC)
			dynamic = s;
	}
	if (dynamic.type && !dynamic.size) {
		out->program = false; /* debugging information: nothing in it is loaded */
		return;
	}
	if (dynamic.type) {
		uint64_t at, room;
		out->dynamic = true;
		dynamic_read(f, &dynamic, out, &d);
		if (d.strings && address_offset(load, loads, d.strings, &at, &room)) {
			if (d.strings_size > room)
				f->bad = true;
			else
				names_search(f, at, d.strings_size, out);
		}
	}
	out->bind_now = d.now;
	out->pie = out->type == TYPE_DYN;
	out->library = out->type == TYPE_DYN && !d.pie && !out->interpreter[0];
}

enum elf_result elf_parse(const uint8_t *p, size_t n, struct elf *out)
{
	struct file f = {.p = p, .n = n};

	*out = (struct elf){0};
	if (n < 4 || memcmp(p, "\177ELF", 4) != 0)
		return ELF_NOT;
	if (n < 52 || (p[4] != 1 && p[4] != 2) || (p[5] != 1 && p[5] != 2))
		return ELF_BROKEN;
	f.is64 = out->is64 = p[4] == 2;
	f.big = out->big_endian = p[5] == 2;
	out->type = (uint16_t)get(&f, 16, 2);
	out->machine = (uint16_t)get(&f, 18, 2);
	out->program = out->type == TYPE_EXEC || out->type == TYPE_DYN;
	if (out->program) {
		segments_read(&f, out);
		/* of a static program the names are in the symbol table only; one that calls nothing else has
		 * none */
		if (!f.bad && (!out->interpreter[0] || !out->canary))
			sections_search(&f, out);
		if (!f.bad && !out->canary)
			message_search(&f, out);
	}
	return f.bad ? ELF_BROKEN : ELF_OK;
}
