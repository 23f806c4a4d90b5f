#include "number.h"

#include <errno.h>
#include <string.h>

int number_parse(const char *s, uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (!*s) {
		errno = EINVAL;
		return -1;
	}
	for (; *s; s++) {
		if (*s < '0' || *s > '9') {
			errno = EINVAL;
			return -1;
		}
		uint64_t digit = (uint64_t)(*s - '0');
		if (v > (UINT64_MAX - digit) / 10) {
			errno = ERANGE;
			return -1;
		}
		v = v * 10 + digit;
	}
	if (v < min || v > max) {
		errno = ERANGE;
		return -1;
	}
	*out = v;
	return 0;
}

/* unit[i] stands for factor[i]; none for 1. */
static int unit_parse(
        const char *s, const char *unit, const uint64_t *factor, uint64_t min, uint64_t max, uint64_t *out)
{
	char digits[24];
	size_t n = strspn(s, "0123456789");
	const char *u = s[n] ? strchr(unit, s[n]) : NULL;
	uint64_t f = u ? factor[u - unit] : 1, v;

	if (!n || (s[n] && (!u || s[n + 1]))) {
		errno = EINVAL;
		return -1;
	}
	if (n >= sizeof digits) {
		errno = ERANGE;
		return -1;
	}
	memcpy(digits, s, n);
	digits[n] = 0;
	if (number_parse(digits, 0, UINT64_MAX / f, &v) < 0)
		return -1;
	if (v * f < min || v * f > max) {
		errno = ERANGE;
		return -1;
	}
	*out = v * f;
	return 0;
}

int number_parse_bytes(const char *s, uint64_t min, uint64_t max, uint64_t *out)
{
	static const uint64_t factor[] = {
	        UINT64_C(1) << 10, UINT64_C(1) << 20, UINT64_C(1) << 30, UINT64_C(1) << 40};
	return unit_parse(s, "kMGT", factor, min, max, out);
}

int number_parse_seconds(const char *s, uint64_t min, uint64_t max, uint64_t *out)
{
	static const uint64_t factor[] = {1, 60, 3600, 86400};
	return unit_parse(s, "smhd", factor, min, max, out);
}
