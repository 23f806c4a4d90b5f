/* uboot: what a U-Boot does with what lies on the card, from the bytes of its program
 * (doc/usage/fit/signature, doc/usage/environment, doc/README.bootcount and common/autoboot.c of U-Boot
 * 2023.01): the device tree that it is controlled by, which has the keys, and the environment that is
 * compiled in. Also environments that were saved in a file. */
#ifndef UBOOT_H
#define UBOOT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	UBOOT_BYTES_MAX = 4 << 20, /* of a program; one for a Pi has 0.6 MB */
	UBOOT_TREES_MAX = 64,
	UBOOT_RUNS_MAX = 8, /* a command that runs a variable that runs a variable ... */
	UBOOT_VERSION_BYTES = 48,
};

/* Variables, "NAME=VALUE" with a NUL behind each, n bytes of them in all. */
struct uboot_env {
	const char *text; /* NULL: none */
	size_t n;
};

/* What has to be signed before it is started; what is worst comes first. */
enum uboot_signed {
	UBOOT_UNSIGNED, /* nothing: it has no key */
	UBOOT_NO_CODE,  /* it has keys, and was built without what verifies */
	UBOOT_OPTIONAL, /* it has keys, and starts what is not signed too: none is required, or old images */
	UBOOT_IMAGE,    /* each image, so that signed ones can be put together anew */
	UBOOT_CONF,     /* a whole configuration: kernel, device tree and what belongs to them */
};

struct uboot {
	char version[UBOOT_VERSION_BYTES];
	enum uboot_signed must_be;
	bool damaged;         /* a device tree in it that is broken, or more than are looked at */
	struct uboot_env env; /* within the program */
	bool env_on_card;     /* looks for an environment on the card: uboot.env, or between the partitions */
	bool no_prompt;       /* has no command line at all */
	bool counts;          /* counts starts that failed */
	bool tree_delay_known; /* the tree's bootdelay counts more than the environment's */
	long tree_delay;
	bool tree_secure; /* runs one command of the tree's, never a prompt */
};

/* 0, or -1: not a U-Boot. out->env points into p. */
int uboot_parse(const uint8_t *p, size_t n, struct uboot *out);
/* A file with a saved environment, whose checksum has to be right. 0, or -1. out points into p. */
int uboot_env_parse(const uint8_t *p, size_t n, struct uboot_env *out);

/* The next variable: *at starts at 0. NULL at the end. */
const char *uboot_env_next(const struct uboot_env *, size_t *at);
/* NULL: there is none of this name. */
const char *uboot_env_get(const struct uboot_env *, const char *name);
/* The first command in the text of one that takes from the card, or from outside, something that nobody
 * signed. NULL: none. *n is its length. */
const char *uboot_unsigned_command(const char *text, size_t *n);
/* Does a command, if it fails, end in a reset and not at the prompt? */
bool uboot_ends_in_reset(const struct uboot_env *, const char *command);
#endif
