/* Fuzz: a program that may be U-Boot, its saved environment, a device tree, the chip's fuses, lines of
 * /proc/keys, what tpm2-tools print, os-release, and logs of what was measured. The first byte says
 * which. */
#define _GNU_SOURCE
#include "device-tree.h"
#include "fuses.h"
#include "keyring.h"
#include "measured.h"
#include "rollback.h"
#include "tpm-owner.h"
#include "uboot.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every variable lies within the environment, has a name, and is found by it. */
static void env_walk(const struct uboot_env *env, const uint8_t *p, size_t n)
{
	char name[64];
	size_t at = 0, length;

	if (env->text && ((const uint8_t *)env->text < p || (const uint8_t *)env->text + env->n > p + n))
		abort();
	for (const char *s; (s = uboot_env_next(env, &at));) {
		const char *value = strchr(s, '=');
		if (!value || value == s || at > env->n)
			abort();
		const char *command = uboot_unsigned_command(value + 1, &length);
		if (command && (command < value || command + length > value + 1 + strlen(value + 1)))
			abort();
		if ((size_t)(value - s) < sizeof name) {
			memcpy(name, s, (size_t)(value - s));
			name[value - s] = 0;
			if (!uboot_env_get(env, name))
				abort();
		}
		(void)uboot_ends_in_reset(env, value + 1);
	}
}

static void program_parse(const uint8_t *p, size_t n)
{
	struct uboot u;

	if (uboot_parse(p, n, &u) < 0)
		return;
	if (strnlen(u.version, sizeof u.version) == sizeof u.version || u.must_be > UBOOT_CONF)
		abort();
	env_walk(&u.env, p, n);
}

static void tree_see(void *arg, const char *const *node, unsigned depth, const char *property,
        const uint8_t *value, size_t n)
{
	size_t *sum = arg;

	if (!depth || depth > TREE_DEPTH_MAX || (!property && (value || n)))
		abort();
	*sum += strlen(node[depth - 1]) + (property ? strlen(property) : 0);
	for (size_t i = 0; i < n; i++)
		*sum += value[i];
}

static void key_parse(const uint8_t *p, size_t n)
{
	char *line = strndup((const char *)p, n);
	struct key_line key;

	if (line && key_line_parse(line, &key) == 0) {
		if (key.description > line + strlen(line) ||
		        strnlen(key.type, sizeof key.type) == sizeof key.type ||
		        keyring_keys(key.description, ".platform") < -1)
			abort();
	}
	free(line);
}

static void rollback_parse(const uint8_t *p, size_t n)
{
	char *text = strndup((const char *)p, n);
	uint64_t version;

	if (text && (rollback_index_parse(text) > ROLLBACK_UNKNOWN ||
	                    rollback_version_parse(text, &version) > 0 || tpm_owner_parse(text) < -1))
		abort();
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t registers[MEASURED_HASH_BYTES];
	static struct measured measured;
	struct uboot_env env;
	size_t sum = 0;
	bool reached;

	if (!size)
		return 0;
	uint8_t *p = malloc(size - 1 + !(size - 1)); /* its own, so that a byte too far is seen */
	size_t n = size - 1;
	if (!p)
		return 0;
	memcpy(p, data + 1, n);
	switch (data[0]) {
	case 'u': program_parse(p, n); break;
	case 'e':
		if (uboot_env_parse(p, n, &env) == 0)
			env_walk(&env, p, n);
		break;
	case 't':
		if (tree_walk(p, n, tree_see, &sum) == 0 &&
		        (tree_bytes(p, n) < TREE_HEAD_BYTES || tree_bytes(p, n) > n))
			abort();
		break;
	case 'f':
		if (fuses_parse(p, n) < -1)
			abort();
		break;
	case 'm': (void)measured_firmware(p, n, &measured); break;
	case 'i': (void)measured_ima(p, n, registers, &reached, &measured); break;
	case 'r': rollback_parse(p, n); break;
	default: key_parse(p, n);
	}
	free(p);
	return 0;
}
