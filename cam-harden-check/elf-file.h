/* elf-file: how a program or library was built, from its bytes: 32 and 64 bit, both byte orders (ELF
 * specification 1.2, gABI; GNU_STACK and GNU_RELRO of the Linux Standard Base). */
#ifndef ELF_FILE_H
#define ELF_FILE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ELF_SEGMENTS_MAX = 256, ELF_DYNAMIC_MAX = 4096, ELF_NAME_BYTES = 128 };

enum elf_result {
	ELF_OK,
	ELF_NOT,    /* no ELF file at all */
	ELF_BROKEN, /* something in it lies outside of it, or is more than we look at */
};

struct elf {
	bool is64, big_endian;
	uint16_t type, machine;
	bool program; /* executable or shared object: the rest is then known */
	bool dynamic; /* has a dynamic section */
	bool library; /* a shared object that does not call itself a program */
	bool pie;     /* can be loaded anywhere */
	bool relro, bind_now;
	bool stack_known, stack_executable; /* GNU_STACK */
	bool write_execute;                 /* a segment that can be written and executed */
	bool text_relocations;
	bool rpath;         /* RPATH or RUNPATH */
	bool canary;        /* names __stack_chk_fail or __stack_chk_guard */
	bool symbols_known; /* names could be looked at, so that "no canary" means something */
	char interpreter[ELF_NAME_BYTES];
};

enum elf_result elf_parse(const uint8_t *p, size_t n, struct elf *out);
#endif
