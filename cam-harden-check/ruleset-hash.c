/* Takes nft's JSON apart, throws away what no rule says, and writes it sorted and without blanks. Rules stay
 * in their order, which decides; names of users and the like are as nft prints them on this device. */
#define _GNU_SOURCE
#include "ruleset-hash.h"

#include "ruleset.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 64, FLAGS = JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY };

static bool ordinary_settle(json_t *value, unsigned depth);

/* --- what has no order --- */

struct element {
	char *text;
	json_t *value;
};

static int elements_compare(const void *a, const void *b)
{
	return strcmp(((const struct element *)a)->text, ((const struct element *)b)->text);
}

static bool array_sort(json_t *array)
{
	size_t n = json_array_size(array), have = 0;
	struct element *element = calloc(n + 1, sizeof *element);
	bool good = element != NULL;

	for (; good && have < n; have++) {
		json_t *value = json_array_get(array, have);
		element[have] = (struct element){json_dumps(value, FLAGS), json_incref(value)};
		good = element[have].text != NULL;
	}
	if (good) {
		qsort(element, n, sizeof *element, elements_compare);
		for (size_t i = 0; i < n; i++)
			good &= json_array_set(array, i, element[i].value) == 0;
	}
	for (size_t i = 0; element && i < have; i++) {
		json_decref(element[i].value);
		free(element[i].text);
	}
	free(element);
	return good;
}

/* A set that packets fill: its flags are one word or several. */
static bool is_dynamic(const json_t *set)
{
	const json_t *flags = json_object_get(set, "flags"), *flag;
	size_t i;

	if (json_is_string(flags))
		return strcmp(json_string_value(flags), "dynamic") == 0;
	json_array_foreach(flags, i, flag) if (json_is_string(flag) &&
	                                       strcmp(json_string_value(flag), "dynamic") == 0) return true;
	return false;
}

/* --- what changes by itself --- */

static bool object_settle(json_t *object, unsigned depth)
{
	static const char *const changing[] = {"handle", "used", "used_unit", "expires"};
	const char *key;
	json_t *value;
	bool good = true;

	for (size_t i = 0; i < sizeof changing / sizeof *changing; i++)
		(void)json_object_del(object, changing[i]);
	if (json_object_del(object, "packets") == 0)
		(void)json_object_del(object, "bytes"); /* a counter's; those of a quota are its limit */
	if (is_dynamic(object))
		(void)json_object_del(object, "elem");
	json_object_foreach(object, key, value)
	{
		good = good && ordinary_settle(value, depth + 1);
		if (json_is_array(value) && (strcmp(key, "elem") == 0 || strcmp(key, "set") == 0))
			good = good && array_sort(value);
	}
	return good;
}

static bool ordinary_settle(json_t *value, unsigned depth)
{
	json_t *one;
	bool good = depth < DEPTH_MAX;
	size_t i;

	if (json_is_object(value))
		return good && object_settle(value, depth);
	json_array_foreach(value, i, one) good = good && ordinary_settle(one, depth + 1);
	return good;
}

const char *ruleset_hash(const char *json, size_t n, char out[SHA256_TEXT_BYTES])
{
	json_error_t error;
	json_t *root = n <= RULESET_BYTES_MAX ? json_loadb(json, n, JSON_REJECT_DUPLICATES, &error) : NULL;
	json_t *all = json_object_get(root, "nftables");
	bool whole = json_is_object(json_object_get(json_array_get(all, 0), "metainfo"));
	char *text = NULL;

	/* who printed it, and in which version, is no rule */
	if (whole && json_array_remove(all, 0) == 0 && ordinary_settle(all, 0))
		text = json_dumps(all, FLAGS);
	if (text)
		sha256_text(text, strlen(text), out);
	free(text);
	json_decref(root);
	return text    ? NULL
	       : whole ? "the ruleset cannot be put into order"
	               : "nft did not print a whole ruleset";
}
