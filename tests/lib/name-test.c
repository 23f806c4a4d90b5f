#include "name.h"
#include "tap.h"

#include <string.h>

static const char good[] = "0000000042-0000000007-20260131T235959Z-0123456789abcdef.cam";

int main(void)
{
	struct name n, m;
	char text[NAME_BYTES_MAX], date[11];

	ok(name_parse(good, &n) == 0, "parses");
	ok(n.epoch == 42 && n.segment == 7 && n.utc_s == 1769903999 && n.state == NAME_CAM, "fields");
	ok(n.stream[0] == 0x01 && n.stream[7] == 0xef, "stream id");
	name_put(text, &n);
	ok(strcmp(text, good) == 0, "written back the same");
	name_date(date, &n);
	ok(strcmp(date, "2026-01-31") == 0, "date");

	n.epoch = UINT64_MAX, n.segment = UINT32_MAX, n.utc_s = UINT64_MAX, n.state = NAME_GONE;
	name_put(text, &n);
	ok(name_parse(text, &m) == 0 && m.epoch == UINT64_MAX && m.segment == UINT32_MAX &&
	                m.state == NAME_GONE,
	        "largest: %s", text);

	const char *const bad[] = {"", "x", "../0000000042-0000000007-20260131T235959Z-0123456789abcdef.cam",
	        "0000000042-0000000007-20260131T235959Z-0123456789abcdef",
	        "0000000042-0000000007-20260131T235959Z-0123456789abcdef.cam/",
	        "0000000042-0000000007-20260131T235959Z-0123456789abcdef.cam\n",
	        "0000000042-0000000007-20260131T235959Z-0123456789abcdef.tmp",
	        "0000000042-0000000007-20260131T235959Z-0123456789ABCDEF.cam",
	        "0000000042-0000000007-20260131T235959Z-0123456789abcde.cam",
	        "0000000042-0000000007-20260231T235959Z-0123456789abcdef.cam",
	        "0000000042-0000000007-20260131T236059Z-0123456789abcdef.cam",
	        "000000042-0000000007-20260131T235959Z-0123456789abcdef.cam",
	        "00000000042-0000000007-20260131T235959Z-0123456789abcdef.cam",
	        "0000000042-4294967296-20260131T235959Z-0123456789abcdef.cam",
	        "99999999999999999999-0000000007-20260131T235959Z-0123456789abcdef.cam",
	        "0000000042-000000007-20260131T235959Z-0123456789abcdef.cam"};
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
		ok(name_parse(bad[i], &m) < 0, "refused: %s", i == 5 ? "trailing newline" : bad[i]);

	const char *const order[] = {"0000000001-0000000009-20300101T000000Z-ffffffffffffffff.cam",
	        "0000000002-0000000000-19700101T000000Z-ffffffffffffffff.sent",
	        "0000000002-0000000001-19700101T000000Z-0000000000000000.part",
	        "0000000002-0000000001-19700101T000000Z-0000000000000001.gone",
	        "12345678901-0000000000-19700101T000000Z-0000000000000000.cam"};
	for (unsigned i = 0; i + 1 < sizeof order / sizeof *order; i++) {
		name_parse(order[i], &n);
		name_parse(order[i + 1], &m);
		ok(name_compare(&n, &m) < 0 && name_compare(&m, &n) > 0 && name_compare(&n, &n) == 0,
		        "order %u: by epoch and segment, not by clock", i);
	}
	return tap_done();
}
