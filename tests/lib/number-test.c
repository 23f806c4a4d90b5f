#include "number.h"
#include "tap.h"

#include <errno.h>

int main(void)
{
	uint64_t v = 7;

	ok(number_parse("0", 0, 9, &v) == 0 && v == 0, "zero");
	ok(number_parse("18446744073709551615", 0, UINT64_MAX, &v) == 0 && v == UINT64_MAX, "the largest");
	ok(number_parse("18446744073709551616", 0, UINT64_MAX, &v) < 0 && errno == ERANGE,
	        "one more is out of range");
	ok(number_parse("99999999999999999999999", 0, UINT64_MAX, &v) < 0 && errno == ERANGE, "far more too");
	ok(number_parse("10", 0, 9, &v) < 0 && errno == ERANGE, "above the maximum");
	ok(number_parse("1", 2, 9, &v) < 0 && errno == ERANGE, "below the minimum");
	const char *const junk[] = {"", " 1", "1 ", "+1", "-1", "0x10", "1k", "1.0"};
	for (unsigned i = 0; i < sizeof junk / sizeof *junk; i++)
		ok(number_parse(junk[i], 0, UINT64_MAX, &v) < 0 && errno == EINVAL, "\"%s\" is not a number",
		        junk[i]);
	ok(v == UINT64_MAX, "the result is untouched by errors");
	return tap_done();
}
