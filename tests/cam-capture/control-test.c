#include "control.h"
#include "rate.h"
#include "tap.h"

#include <string.h>

static struct setting s;
static char why[256];

static int parse(const char *text)
{
	return control_parse(text, &s, why, sizeof why);
}

static bool says(const char *text, const char *reason)
{
	return parse(text) < 0 && strstr(why, reason);
}

static void test_rate(unsigned intervals, int64_t ns, uint32_t num, uint32_t den)
{
	uint32_t n, d;
	rate_measured(intervals, ns, &n, &d);
	ok(n == num && d == den, "%u intervals in %lld ns: %u/%u", intervals, (long long)ns, n, d);
}

int main(void)
{
	ok(parse("brightness=-0.25") == 0 && s.value[0] == -0.25 &&
	                strcmp(s.control->theirs, "Brightness") == 0,
	        "a number");
	ok(parse("exposure=10000") == 0 && s.value[0] == 10000 &&
	                strcmp(s.control->mode, "ExposureTimeMode") == 0 && s.control->mode_value == 1,
	        "with what has to be manual for it");
	ok(parse("colour-gains=1.5,2") == 0 && s.value[0] == 1.5 && s.value[1] == 2, "two numbers");
	ok(parse("white-balance=daylight") == 0 && s.value[0] == 5, "a word");
	ok(says("sharpnes=1", "not a control: there are exposure gain ev white-balance"),
	        "unknown: says which there are");
	ok(says("=1", "not a control") && says("", "not a control"), "nothing");
	ok(says("bright=1", "not a control") && says("brightnesses=1", "not a control"),
	        "part of a name, or more");
	ok(says("brightness", "needs =VALUE"), "without a value");
	ok(says("white-balance=1", "not one of auto incandescent") && says("white-balance=", "not one of"),
	        "not a word");
	static const char *const bad[] = {"", "x", "1x", "nan", "inf", "0x10", "1e3", "1,2", " 1", "1 ",
	        "1.2.3", "--1", "+-1", "0000000000000000000000000000000000000001"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char text[64];
		snprintf(text, sizeof text, "contrast=%s", bad[i]);
		ok(says(text, "needs a number"), "%s", text);
	}
	ok(says("colour-gains=1", "two numbers") && says("colour-gains=1,2,3", "two numbers") &&
	                says("colour-gains=1,", "two numbers") && says("colour-gains=,1", "two numbers"),
	        "not two numbers");
	for (size_t i = 0; control_at(i); i++)
		ok(control_at(i)->values >= 1 && control_at(i)->values <= CONTROL_VALUES_MAX, "%s",
		        control_at(i)->name);

	test_rate(8, 8 * 33366666LL, 30, 1);
	test_rate(8, 8 * 44247787LL, 22600, 1000);
	test_rate(1, 1000000000, 1, 1);
	test_rate(1, 10000000000, 100, 1000);
	test_rate(1, 1, 240000, 1000);
	test_rate(0, 0, 17, 1000);
	test_rate(1, 600000000000, 17, 1000);
	return tap_done();
}
