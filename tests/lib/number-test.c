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

	ok(number_parse_bytes("512", 0, UINT64_MAX, &v) == 0 && v == 512, "bytes without a unit");
	ok(number_parse_bytes("3k", 0, UINT64_MAX, &v) == 0 && v == 3072, "k is 1024");
	ok(number_parse_bytes("2M", 0, UINT64_MAX, &v) == 0 && v == 2u << 20, "M");
	ok(number_parse_bytes("28G", 0, UINT64_MAX, &v) == 0 && v == UINT64_C(28) << 30, "G");
	ok(number_parse_bytes("16777215T", 0, UINT64_MAX, &v) == 0 && v == UINT64_C(16777215) << 40, "T");
	ok(number_parse_bytes("16777216T", 0, UINT64_MAX, &v) < 0 && errno == ERANGE, "what does not fit");
	ok(number_parse_bytes("1M", 0, (1 << 20) - 1, &v) < 0 && errno == ERANGE, "above the maximum");
	ok(number_parse_bytes("1k", 1025, UINT64_MAX, &v) < 0 && errno == ERANGE, "below the minimum");
	ok(number_parse_bytes("0000000000000000000000000001", 0, 9, &v) < 0 && errno == ERANGE,
	        "far too many digits");
	const char *const no_bytes[] = {
	        "", "k", "1K", "1kB", "1m", "1 k", "1kk", "-1k", "1.5G", "1k ", "0x1k"};
	for (unsigned i = 0; i < sizeof no_bytes / sizeof *no_bytes; i++)
		ok(number_parse_bytes(no_bytes[i], 0, UINT64_MAX, &v) < 0 && errno == EINVAL,
		        "\"%s\" is no number of bytes", no_bytes[i]);
	ok(number_parse_seconds("90", 0, 90, &v) == 0 && v == 90, "seconds without a unit");
	ok(number_parse_seconds("9s", 0, 90, &v) == 0 && v == 9, "seconds");
	ok(number_parse_seconds("2m", 0, 120, &v) == 0 && v == 120, "minutes");
	ok(number_parse_seconds("2h", 0, 7200, &v) == 0 && v == 7200, "hours");
	ok(number_parse_seconds("7d", 0, UINT64_MAX, &v) == 0 && v == 604800, "days");
	ok(number_parse_seconds("3m", 0, 179, &v) < 0 && errno == ERANGE, "too long");
	ok(number_parse_seconds("1M", 0, UINT64_MAX, &v) < 0 && errno == EINVAL,
	        "a unit of bytes is none of time");
	return tap_done();
}
