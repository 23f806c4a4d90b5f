/* The kernel's clock is replaced here by one that says what the test wants. */
#define _GNU_SOURCE
#include "clocks.h"
#include "tap.h"
#include "truetime.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

static int64_t utc_s, boot_s = 100;
static int synchronised;

int clock_gettime(clockid_t id, struct timespec *out)
{
	*out = (struct timespec){.tv_sec = (time_t)(id == CLOCK_REALTIME ? utc_s : boot_s)};
	return 0;
}

int adjtimex(struct timex *tx)
{
	tx->status = synchronised ? 0 : STA_UNSYNC;
	return 0;
}

static int64_t certificates(const struct truetime *t)
{
	int sure;
	int64_t s = truetime_certificates_s(t, &sure);
	return sure == synchronised ? s : -1;
}

static const int64_t year = 31556952;

static void certificate_time(void)
{
	struct truetime t;

	truetime_init(&t);
	const int64_t built = t.built_s;
	ok(built > 1790000000 && built < 1790000000 + 50 * year, "built at %lld", (long long)built);
	utc_s = 0;
	ok(certificates(&t) == built, "1970: the build date");
	utc_s = built + 9 * year;
	ok(certificates(&t) == utc_s, "an unsure clock that may be right");
	utc_s = built + 50 * year;
	ok(certificates(&t) == built, "one that cannot: the build date");
	synchronised = 1;
	ok(certificates(&t) == utc_s, "but not when it is synchronised");
	utc_s = 5;
	ok(certificates(&t) == 5, "then it is believed whatever it says");
	synchronised = 0;

	truetime_name(&t, (uint64_t)built + 1000);
	truetime_name(&t, (uint64_t)built + 500);
	truetime_name(&t, 0);
	ok(certificates(&t) == built + 1000, "the newest name");
	utc_s = built + 700;
	ok(certificates(&t) == built + 1000, "is newer than the clock");
	utc_s = built + 2000;
	ok(certificates(&t) == built + 2000, "or older");
	truetime_name(&t, (uint64_t)(built + 11 * year));
	truetime_name(&t, 253402300799);
	truetime_name(&t, UINT64_MAX);
	ok(certificates(&t) == built + 2000, "names that lie by more than ten years are not believed");
	truetime_learn(&t, built + 5 * year);
	ok(certificates(&t) == built + 2000, "what a server says is not for certificates");
}

static void request_time(void)
{
	struct truetime t;

	truetime_init(&t);
	utc_s = 0;
	ok(truetime_requests_s(&t) == t.built_s, "nothing is known: the best guess");
	truetime_learn(&t, 1800000000);
	ok(truetime_requests_s(&t) == 1800000000, "the server's time");
	boot_s += 60;
	utc_s = 50 * year;
	ok(truetime_requests_s(&t) == 1800000060, "goes on, and a jump of the clock does not matter");
	synchronised = 1;
	ok(truetime_requests_s(&t) == 1800000060, "nor that it is synchronised");
	synchronised = 0;
	truetime_learn(&t, -1);
	truetime_learn(&t, INT64_MAX);
	ok(truetime_requests_s(&t) == 1800000060, "nonsense is not learnt");
	truetime_learn(&t, 253402300799);
	boot_s += 60;
	ok(truetime_requests_s(&t) == 253402300799, "four digits for the year");
}

static void http_dates(void)
{
	const char *const bad[] = {"", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 GMT ",
	        "Sun, 06 Nov 1994 08:49:37 CET", "Sunday, 06-Nov-94 08:49:37 GMT", "784111777",
	        "Sun, 06 Nov 1969 08:49:37 GMT", "Sun, 31 Nov 199 4 08:49:37 GMT", "1994-11-06T08:49:37Z",
	        "Sun, 06 Nov 1994 25:49:37 GMT"};

	ok(truetime_http_date_s("Sun, 06 Nov 1994 08:49:37 GMT") == 784111777, "RFC 9110's example");
	ok(truetime_http_date_s("Fri, 31 Dec 9999 23:59:59 GMT") == 253402300799, "the last one");
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
		ok(truetime_http_date_s(bad[i]) == -1, "refused: '%s'", bad[i]);
}

static void spool(void)
{
	char dir[] = "/tmp/truetime-XXXXXX", cmd[64];
	struct truetime t;
	struct tm tm;

	truetime_init(&t);
	utc_s = 0;
	if (!mkdtemp(dir))
		return (void)ok(0, "mkdtemp");
	int fd = open(dir, O_RDONLY | O_DIRECTORY);
	time_t later = (time_t)t.built_s + 1234567;
	gmtime_r(&later, &tm);
	strftime(cmd, sizeof cmd, "0000000001-0000000001-%Y%m%dT%H%M%SZ-0123456789abcdef.sent", &tm);
	close(openat(fd, cmd, O_CREAT | O_WRONLY, 0600));
	const char *lie = "0000000001-0000000002-20991231T000000Z-0123456789abcdef.cam";
	close(openat(fd, lie, O_CREAT | O_WRONLY, 0600));
	ok(truetime_spool(&t, fd) == 0 && certificates(&t) == later,
	        "of a directory: the newest that does not lie");
	ok(truetime_spool(&t, -1) < 0, "no directory: an error");
	unlinkat(fd, cmd, 0);
	unlinkat(fd, lie, 0);
	close(fd);
	rmdir(dir);
}

int main(void)
{
	certificate_time();
	request_time();
	http_dates();
	spool();
	return tap_done();
}
