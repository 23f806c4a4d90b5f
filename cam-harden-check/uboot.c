#define _GNU_SOURCE
#include "uboot.h"

#include "device-tree.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* --- the environment --- */

static bool in_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
	       c == '.' || c == '-' || c == '#';
}

static bool in_value(char c)
{
	return (unsigned char)c >= 0x20 || c == '\t' || c == '\n';
}

/* Does a variable begin here? A NUL ends it before end. */
static bool is_variable(const char *s, const char *end)
{
	const char *at = s;

	while (at < end && in_name(*at))
		at++;
	return at > s && at < end && *at == '=' && memchr(at, 0, (size_t)(end - at));
}

/* Behind the variables that begin at s; *whole: the empty string that ends an environment follows. */
static const char *variables_end(const char *s, const char *end, bool *whole)
{
	const char *at = s;

	while (is_variable(at, end))
		at += strlen(at) + 1;
	*whole = at > s && at < end && !*at;
	return at;
}

/* The first variable of those that lie in front of s without a gap. */
static const char *variables_begin(const char *begin, const char *s)
{
	for (const char *at; s - begin > 1 && !s[-1]; s = at) {
		at = s - 1;
		while (at > begin && in_value(at[-1]))
			at--;
		if (!is_variable(at, s))
			break;
	}
	return s;
}

/* The environment that is compiled in: of several the longest that says how to start. */
static void env_find(const char *begin, const char *end, const char *sure, struct uboot_env *out)
{
	size_t n = strlen(sure);
	bool whole;

	for (const char *s = begin; (s = memmem(s, (size_t)(end - s), sure, n));) {
		if (s > begin && in_value(s[-1])) {
			s += n;
			continue;
		}
		const char *first = variables_begin(begin, s), *behind = variables_end(first, end, &whole);
		if (whole && (size_t)(behind - first) > out->n)
			*out = (struct uboot_env){first, (size_t)(behind - first)};
		s = behind > s ? behind : s + n;
	}
}

const char *uboot_env_next(const struct uboot_env *env, size_t *at)
{
	if (*at >= env->n)
		return NULL;
	const char *s = env->text + *at;
	*at += strlen(s) + 1;
	return s;
}

const char *uboot_env_get(const struct uboot_env *env, const char *name)
{
	size_t n = strlen(name), at = 0;

	for (const char *s; (s = uboot_env_next(env, &at));)
		if (strncmp(s, name, n) == 0 && s[n] == '=')
			return s + n + 1;
	return NULL;
}

/* CRC-32 of all behind it, little endian; where there are two copies, a byte follows that says which is
 * newer. */
int uboot_env_parse(const uint8_t *p, size_t n, struct uboot_env *out)
{
	for (size_t head = 4; head <= 5 && n > head + 2; head++) {
		uint32_t sum = (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
		const char *s = (const char *)p + head;
		bool whole;
		if (crc32(0, p + head, (uInt)(n - head)) != sum)
			continue;
		*out = (struct uboot_env){s, (size_t)(variables_end(s, s + (n - head), &whole) - s)};
		return whole ? 0 : -1;
	}
	return -1;
}

/* --- commands --- */

static const char blanks[] = " \t\n;|&(){}\"'";

const char *uboot_unsigned_command(const char *text, size_t *n)
{
	/* bootm asks for signatures; these take what is there */
	static const char *const names[] = {"source", "sysboot", "bootflow", "bootefi", "booti", "bootz",
	        "bootelf", "bootvx", "bootp", "dhcp", "pxe", "tftpboot", "tftp", "wget", "nfs", "loads",
	        "loadb", "loady", "loadx", "go", "distro_bootcmd"};

	for (const char *s = text; *s; s += *n) {
		s += strspn(s, blanks);
		*n = strcspn(s, blanks);
		for (size_t i = 0; i < sizeof names / sizeof *names; i++)
			if (strlen(names[i]) == *n && memcmp(names[i], s, *n) == 0)
				return s;
		const char *second = s + *n + strspn(s + *n, " \t");
		if (*n == 3 && memcmp(s, "env", 3) == 0 && strcspn(second, blanks) == 6 &&
		        memcmp(second, "import", 6) == 0)
			return s;
	}
	return NULL;
}

/* The last word of a command, its blanks and semicolons stripped; what is before it ends at *before. */
static const char *last_word(const char *s, size_t n, size_t *length)
{
	while (n && strchr(" \t\n;", s[n - 1]))
		n--;
	size_t end = n;
	while (n && !strchr(blanks, s[n - 1]))
		n--;
	*length = end - n;
	return s + n;
}

bool uboot_ends_in_reset(const struct uboot_env *env, const char *command)
{
	char name[64];

	for (int runs = 0; command && runs < UBOOT_RUNS_MAX; runs++) {
		size_t n, run_n;
		const char *word = last_word(command, strlen(command), &n), *before = word;
		while (before > command && strchr(" \t\n", before[-1]))
			before--;
		bool alone = before == command || before[-1] == ';',
		     otherwise = before - command >= 2 && before[-1] == '|' && before[-2] == '|';
		if (n == 5 && memcmp(word, "reset", 5) == 0)
			return alone || otherwise;
		const char *run = last_word(command, (size_t)(before - command), &run_n);
		if (run_n != 3 || memcmp(run, "run", 3) != 0 || n >= sizeof name)
			return false;
		memcpy(name, word, n);
		name[n] = 0;
		command = uboot_env_get(env, name);
	}
	return false;
}

/* --- the device tree that controls it --- */

struct control {
	bool keys, conf, image, delay_known, secure;
	long delay;
};

static bool text_is(const uint8_t *value, size_t n, const char *text)
{
	return n == strlen(text) + 1 && memcmp(value, text, n) == 0;
}

static void control_look(void *arg, const char *const *node, unsigned depth, const char *property,
        const uint8_t *value, size_t n)
{
	struct control *c = arg;

	if (depth == 3 && strcmp(node[1], "signature") == 0) {
		c->keys = true;
		c->conf |= property && strcmp(property, "required") == 0 && text_is(value, n, "conf");
		c->image |= property && strcmp(property, "required") == 0 && text_is(value, n, "image");
	}
	if (depth != 2 || strcmp(node[1], "config") != 0 || !property || n != 4)
		return;
	int32_t number = (int32_t)((uint32_t)value[0] << 24 | (uint32_t)value[1] << 16 |
	                           (uint32_t)value[2] << 8 | value[3]);
	if (strcmp(property, "bootdelay") == 0) {
		c->delay_known = true;
		c->delay = number;
	} else if (strcmp(property, "bootsecure") == 0)
		c->secure = number != 0;
}

static bool has(const uint8_t *p, size_t n, const char *text)
{
	return memmem(p, n, text, strlen(text));
}

/* Old images without a place for a signature are started by whoever knows them. */
static enum uboot_signed must_be(const struct control *c, bool verifies, bool legacy)
{
	return !c->keys    ? UBOOT_UNSIGNED
	       : !verifies ? UBOOT_NO_CODE
	       : legacy    ? UBOOT_OPTIONAL
	       : c->conf   ? UBOOT_CONF
	       : c->image  ? UBOOT_IMAGE
	                   : UBOOT_OPTIONAL;
}

/* Which of several trees it takes depends on how it was built: the worst counts. */
static void tree_take(const struct control *c, enum uboot_signed one, bool first, struct uboot *out)
{
	out->must_be = first || one < out->must_be ? one : out->must_be;
	out->tree_secure = c->secure && (first || out->tree_secure);
	out->tree_delay = first || c->delay > out->tree_delay ? c->delay : out->tree_delay;
	out->tree_delay_known = c->delay_known && (first || out->tree_delay_known);
}

static void trees_find(const uint8_t *p, size_t n, struct uboot *out)
{
	bool verifies = has(p, n, "Failed to verify required signature"),
	     legacy = has(p, n, "Booting kernel from Legacy Image");
	const uint8_t *s = p, *end = p + n;
	unsigned trees = 0;

	while ((s = memmem(s, (size_t)(end - s), "\xd0\x0d\xfe\xed", 4))) {
		struct control c = {0};
		size_t bytes = tree_bytes(s, (size_t)(end - s));
		if (bytes && (trees == UBOOT_TREES_MAX || tree_walk(s, bytes, control_look, &c) < 0)) {
			out->damaged = true;
			return;
		}
		if (bytes)
			tree_take(&c, must_be(&c, verifies, legacy), !trees++, out);
		s += bytes ? bytes : 4;
	}
}

/* --- the program --- */

static const char *banner_find(const uint8_t *p, size_t n)
{
	static const char word[] = "U-Boot 20";
	const char *s = (const char *)p, *end = s + n;

	for (; (s = memmem(s, (size_t)(end - s), word, strlen(word))); s++)
		if (end - s > 14 && s[9] >= '0' && s[9] <= '9' && s[10] >= '0' && s[10] <= '9' &&
		        s[11] == '.')
			return s + strlen("U-Boot ");
	return NULL;
}

int uboot_parse(const uint8_t *p, size_t n, struct uboot *out)
{
	static const char file[] = "\0uboot.env"; /* the name, with a NUL on either side */
	const char *begin = (const char *)p, *end = begin + n, *version = banner_find(p, n);

	*out = (struct uboot){0};
	if (!version)
		return -1;
	for (size_t i = 0;
	        version + i < end && i + 1 < sizeof out->version && version[i] > ' ' && version[i] < 0x7f;
	        i++)
		out->version[i] = version[i];
	env_find(begin, end, "bootcmd=", &out->env);
	env_find(begin, end, "bootdelay=", &out->env);
	trees_find(p, n, out);
	out->env_on_card = memmem(p, n, file, sizeof file) || has(p, n, "MMC partition switch failed");
	out->no_prompt = has(p, n, "U-Boot command line is disabled");
	out->counts = has(p, n, "Bootlimit (");
	return 0;
}
