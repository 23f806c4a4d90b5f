#define _GNU_SOURCE
#include "nft-values.h"

#include <arpa/inet.h>
#include <string.h>

enum {
	PORTS_MAX = 64, /* an accept for more ports than this is not bound to a port */
	USERS_MAX = 16, /* the same for users */
};

json_t *values_elements(const struct nft_table *t, json_t *right, bool *dynamic)
{
	const char *name = json_string_value(right);

	*dynamic = false;
	if (name && name[0] == '@') {
		json_t *set = nft_find(t, "set", name + 1);
		set = set ? set : nft_find(t, "map", name + 1);
		*dynamic = !set || nft_set_is_dynamic(t, name);
		json_t *elem = json_object_get(set, "elem");
		return elem ? elem : set; /* which is no array, so without elements */
	}
	if (json_is_array(right))
		return right;
	return json_object_get(right, "set");
}

json_t *values_part(json_t *element, int part)
{
	json_t *inner = json_object_get(element, "elem");
	if (inner)
		element = json_object_get(inner, "val");
	if (part < 0)
		return element;
	return json_array_get(json_object_get(element, "concat"), (size_t)part);
}

/* --- how much a value covers, as a share of all there is: from 0 to 1 --- */

static double prefix_share(const char *address, json_int_t length)
{
	unsigned char raw[16];
	int bits = inet_pton(AF_INET, address, raw) == 1    ? 32
	           : inet_pton(AF_INET6, address, raw) == 1 ? 128
	                                                    : 0;

	if (!bits || length < 0 || length > bits)
		return 1;
	double share = 1;
	for (json_int_t i = 0; i < length; i++)
		share /= 2;
	return share;
}

static double address_number(const char *address)
{
	unsigned char raw[16];
	size_t n = inet_pton(AF_INET, address, raw) == 1    ? 4
	           : inet_pton(AF_INET6, address, raw) == 1 ? 16
	                                                    : 0;
	double v = 0, scale = 1;

	if (!n)
		return -1;
	for (size_t i = 0; i < n; i++) {
		scale /= 256;
		v += raw[i] * scale;
	}
	return v;
}

static double address_share(const json_t *value)
{
	json_t *prefix = json_object_get(value, "prefix"), *range = json_object_get(value, "range");

	if (json_is_string(value))
		return prefix_share(
		        json_string_value(value), strchr(json_string_value(value), ':') ? 128 : 32);
	if (prefix)
		return prefix_share(
		        nft_text(prefix, "addr"), json_integer_value(json_object_get(prefix, "len")));
	const char *from = json_string_value(json_array_get(range, 0)),
	           *to = json_string_value(json_array_get(range, 1));
	if (!from || !to)
		return 1;
	double a = address_number(from), b = address_number(to);
	return a < 0 || b < a ? 1 : b - a;
}

/* How many numbers: 1, or those of a range. Names are not understood. */
static double number_count(const json_t *value, double all)
{
	json_t *range = json_object_get(value, "range"), *prefix = json_object_get(value, "prefix");

	if (json_is_integer(value))
		return 1;
	const json_t *from = json_array_get(range, 0), *to = json_array_get(range, 1);
	if (prefix || !json_is_integer(from) || !json_is_integer(to) ||
	        json_integer_value(to) < json_integer_value(from))
		return all;
	return (double)(json_integer_value(to) - json_integer_value(from) + 1);
}

/* Sums up what the values of one field cover. */
static bool narrow(enum field field, bool v6, double sum)
{
	switch (field) {
	case FIELD_ADDRESS: return sum <= (v6 ? 1.0 / 1024 : 1.0 / 256); /* up to a /8, or fe80::/10 */
	case FIELD_PORT: return sum <= PORTS_MAX;
	case FIELD_USER: return sum <= USERS_MAX;
	case FIELD_ICMP: return true;
	case FIELD_OTHER: break;
	}
	return false;
}

static double value_size(enum field field, const json_t *value)
{
	switch (field) {
	case FIELD_ADDRESS: return address_share(value);
	case FIELD_PORT: return number_count(value, 65536);
	case FIELD_USER: return number_count(value, 4294967296.0);
	case FIELD_ICMP:
	case FIELD_OTHER: break;
	}
	return 0;
}

bool values_narrow(const struct nft_table *t, enum field field, bool v6, json_t *right, int part, bool *empty)
{
	bool dynamic;
	json_t *set = values_elements(t, right, &dynamic), *element;
	double sum = 0;
	size_t i;

	*empty = false;
	if (dynamic)
		return false;
	if (!set)
		return narrow(field, v6, value_size(field, values_part(right, part)));
	*empty = json_array_size(set) == 0;
	json_array_foreach(set, i, element)
	{
		/* of a map an element is [key, value] */
		json_t *key = json_is_array(element) ? json_array_get(element, 0) : element;
		sum += value_size(field, values_part(key, part));
	}
	return narrow(field, v6, sum);
}

bool is_any(const char *s, const char *const *of)
{
	for (; *of; of++)
		if (strcmp(s, *of) == 0)
			return true;
	return false;
}

bool values_only(const struct nft_table *t, json_t *right, const char *const *among)
{
	bool dynamic;
	json_t *set = values_elements(t, right, &dynamic), *element;
	size_t i;

	if (!set)
		return json_is_string(right) && is_any(json_string_value(right), among);
	json_array_foreach(set, i, element)
	{
		const char *s = json_string_value(values_part(element, -1));
		if (!s || !is_any(s, among))
			return false;
	}
	return json_array_size(set) > 0 && !dynamic;
}

bool values_have(const struct nft_table *t, json_t *right, const char *what)
{
	bool dynamic;
	json_t *set = values_elements(t, right, &dynamic), *element;
	size_t i;

	if (!set)
		return json_is_string(right) && strcmp(json_string_value(right), what) == 0;
	json_array_foreach(set, i, element)
	{
		const char *s = json_string_value(values_part(element, -1));
		if (s && strcmp(s, what) == 0)
			return true;
	}
	return false;
}
