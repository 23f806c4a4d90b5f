/* verity: is the root really read through dm-verity, and how strictly (device-mapper/verity.rst of the
 * kernel). */
#ifndef VERITY_H
#define VERITY_H
#include "evidence.h"
#include "where.h"

#include <stdbool.h>

enum { VERITY_TEXT_BYTES = 512 };

/* The parameters of a verity target: VERSION DATA HASH BLOCK BLOCK BLOCKS START ALGORITHM DIGEST SALT [N
 * OPTION...] */
struct verity {
	char algorithm[64];
	char digest[256];
	char options[VERITY_TEXT_BYTES]; /* with commas; the word behind an option that takes one is left out
	                                  */
	bool signed_hash;                /* root_hash_sig_key_desc */
};

/* 0, or -1 when it is no such text. */
int verity_parse(const char *parameters, struct verity *out);
/* The same of dm-mod.create= on a kernel command line, of the device with this minor number (or the first,
 * when none is given there). 0; -1: there is no such device, or it is not verity alone. */
int verity_parse_cmdline(const char *cmdline, unsigned minor, struct verity *out);

/* Asks the device mapper, which needs CAP_SYS_ADMIN and an ioctl. Before the sandbox. */
void verity_open(const struct where *);
/* The keys "root-..." of the group "integrity". Live only. 0, or -1: evidence full. */
int verity_collect(struct evidence *, const struct where *);
#endif
