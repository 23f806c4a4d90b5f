#define _GNU_SOURCE
#include "objectlock.h"
#include "tap.h"
#include "trust.h"

#include <string.h>

#define PIN "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

static void pins(void)
{
	const char *const bad[] = {"", "sha256//", "sha256/" PIN, PIN ";", ";" PIN, PIN ";;" PIN, PIN " ",
	        PIN "\n", " " PIN, PIN "," PIN, "SHA256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
	        "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
	        "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
	        "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuF==",
	        "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=", /* bits behind the last byte */
	        "sha256//47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=",
	        "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFUA", "/etc/ssl/key.pem"};

	ok(!trust_pin_check(PIN), "a pin");
	ok(!trust_pin_check(PIN ";" PIN ";" PIN), "three");
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
		ok(trust_pin_check(bad[i]) != NULL, "refused: %u", i);
}

static void refusals(void)
{
	ok(trust_refused(
	           "OpenSSL SSL_read: OpenSSL/3.0.22: error:0A00045C:SSL routines::tlsv13 alert certificate "
	           "required, errno 0"),
	        "an alert behind the handshake");
	ok(!trust_refused("OpenSSL SSL_read: Connection reset by peer, errno 104"), "a reset is none");
	ok(!trust_refused(""), "nothing is none");
}

static int judged(const char *until, const char *mode, const char *got, const char *why)
{
	const struct objectlock l = {.mode = "GOVERNANCE", .days = 1};
	const char *is = objectlock_judge(&l, until, mode, got);
	return why ? is && strcmp(is, why) == 0 : !is;
}

static void locks(void)
{
	const char *const bad[] = {"", "governance", "governance:", "governance:0", "governance:-1",
	        "governance:1d", "governance: 1", "governance:36501", "Governance:1", "GOVERNANCE:1",
	        "none:1", "compliance:1:2", "compliance:99999999999999999999999", ":1", "1"};
	struct objectlock l = {.mode = NULL};
	char until[OBJECTLOCK_DATE_BYTES];

	ok(objectlock_parse("governance:1", &l) == 0 && strcmp(l.mode, "GOVERNANCE") == 0 && l.days == 1,
	        "governance");
	objectlock_until(until, &l, 1795478400); /* date -d @1795478400 -u */
	ok(strcmp(until, "2026-11-25T00:00:00Z") == 0, "until %s", until);
	ok(objectlock_parse("compliance:36500", &l) == 0 && strcmp(l.mode, "COMPLIANCE") == 0 &&
	                l.days == 36500,
	        "compliance");
	objectlock_until(until, &l, 253402300799);
	ok(strcmp(until, "9999-12-31T23:59:59Z") == 0, "never a fifth digit: %s", until);
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
		ok(objectlock_parse(bad[i], &l) < 0, "refused: '%s'", bad[i]);

	const char *asked = "2026-11-25T00:00:00Z";
	ok(judged(asked, "GOVERNANCE", asked, NULL), "as asked");
	ok(judged(asked, "GOVERNANCE", "2026-11-25T00:00:00.000000000Z", NULL),
	        "with fractions, as Ceph says it");
	ok(judged(asked, "COMPLIANCE", "2027-11-25T00:00:00Z", NULL), "more than asked");
	ok(judged(asked, "GOVERNANCE", "2026-11-24T23:59:59Z", "locked, but for a shorter time"), "shorter");
	ok(judged(NULL, "GOVERNANCE", "2026-11-24T23:59:59Z", NULL), "earlier, of an object that was there");
	ok(judged(asked, "", "", "not locked"), "not at all");
	ok(judged(asked, "OFF", asked, "locked, but in another mode"), "another mode");
	ok(judged(asked, "GOVERNANCE", "", "locked until nobody knows when"), "no date");
	ok(judged(asked, "GOVERNANCE", "2026-11-25", "locked until nobody knows when"), "half a date");
	const struct objectlock strict = {.mode = "COMPLIANCE", .days = 1};
	ok(objectlock_judge(&strict, asked, "GOVERNANCE", asked) != NULL,
	        "governance is less than compliance");
}

int main(void)
{
	pins();
	refusals();
	locks();
	return tap_done();
}
