#include "backoff.h"
#include "msg.h"
#include "tap.h"

#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

static void delays(void)
{
	struct backoff b = {0};
	int64_t now = 1000000, most[12] = {0}, least[12], sum = 0;

	for (int i = 0; i < 12; i++)
		least[i] = INT64_MAX;
	for (int run = 0; run < 300; run++) {
		memset(&b, 0, sizeof b);
		for (int i = 0; i < 12; i++) {
			backoff_failed(&b, now, -1, "test", "gone");
			int64_t d = b.until_ms - now;
			most[i] = d > most[i] ? d : most[i];
			least[i] = d < least[i] ? d : least[i];
			sum += i == 11 ? d : 0;
		}
	}
	const int64_t ceiling[12] = {
	        1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000, 60000, 60000, 60000};
	for (int i = 0; i < 12; i++) {
		ok(backoff_ceiling_ms((unsigned)i + 1) == ceiling[i], "ceiling %d: %lld ms", i + 1,
		        (long long)ceiling[i]);
		ok(least[i] >= 0 && most[i] <= ceiling[i], "delay %d: between 0 and the ceiling", i + 1);
		/* 300 draws leave out a quarter of the range with a probability of 0.75^300. */
		ok(least[i] < ceiling[i] / 4 && most[i] > ceiling[i] * 3 / 4,
		        "delay %d: spread over all of it", i + 1);
	}
	ok(sum / 300 > 20000 && sum / 300 < 40000, "evenly: mean %lld ms", (long long)sum / 300);
	ok(backoff_ceiling_ms(4000000000U) == BACKOFF_CAP_MS, "the cap holds for ever");
}

static void resets(void)
{
	struct backoff b = {0};
	for (int i = 0; i < 10; i++)
		backoff_failed(&b, 5000, -1, "test", "gone");
	ok(b.failures == 10 && b.since_ms == 5000, "counts failures");
	backoff_ended(&b, 9000, "test");
	ok(!b.failures, "success ends it");
	backoff_failed(&b, 20000, -1, "test", "gone");
	ok(b.until_ms <= 21000 && b.since_ms == 20000, "and the next outage begins at one second");

	backoff_failed(&b, 20000, 7, "test", "busy");
	ok(b.until_ms >= 27000 && b.until_ms <= 28000, "Retry-After is honoured");
	backoff_failed(&b, 20000, 1000000, "test", "busy");
	ok(b.until_ms <= 20000 + BACKOFF_RETRY_AFTER_MAX_S * 1000 + 1000, "and capped");
}

/* What is said goes to stderr: read it back through a pipe. */
static int stderr_take(int *keep)
{
	int p[2];

	*keep = dup(2);
	if (*keep < 0 || pipe(p) < 0 || fcntl(p[0], F_SETFL, O_NONBLOCK) < 0 || dup2(p[1], 2) < 0) {
		ok(0, "pipe");
		return -1;
	}
	close(p[1]);
	return p[0];
}

static int lines_of(const char *text)
{
	int lines = 0;
	for (const char *at = text; (at = strstr(at, "unavailable")); at++)
		lines++;
	return lines;
}

/* What libcurl says differs by the milliseconds that it took. */
static void quantities(void)
{
	static const struct {
		const char *first, *second;
		int lines;
	} t[] = {
	        {"after 3000 ms: gone", "after 3011 ms: gone", 1},
	        {"after 3000 ms: gone", "after 11 ms: gone", 1},
	        {"after 3000 ms: gone", "after 3000 ms: reset", 2},
	        {"403 RequestTimeTooSkewed: this clock is 1200 s off",
	                "403 RequestTimeTooSkewed: this clock is 1201 s off", 1},
	        {"HEAD: answers 503", "HEAD: answers 500", 2},
	        {"403 QuotaExceeded", "404 NoSuchBucket", 2},
	        {"5 bytes", "5 bytes more", 2},
	        {"", "5 bytes", 2},
	};
	for (unsigned i = 0; i < sizeof t / sizeof *t; i++) {
		struct backoff b = {0};
		char text[1024];
		int keep, fd = stderr_take(&keep);
		if (fd < 0)
			return;
		backoff_failed(&b, 1000, -1, "u", t[i].first);
		backoff_failed(&b, 2000, -1, "u", t[i].second);
		ssize_t n = read(fd, text, sizeof text - 1);
		dup2(keep, 2);
		close(fd);
		close(keep);
		text[n > 0 ? n : 0] = 0;
		ok(lines_of(text) == t[i].lines, "'%s', then '%s': %d", t[i].first, t[i].second,
		        lines_of(text));
	}
}

static void messages(void)
{
	struct backoff b = {0};
	char text[8192];
	int keep, fd = stderr_take(&keep);

	if (fd < 0)
		return;
	for (int i = 0; i < 20; i++)
		backoff_failed(&b, 1000, -1, "u", "gone");
	for (int i = 0; i < 40; i++)
		backoff_failed(&b, 1000 + i, -1, "u", i % 2 ? "gone" : "reset");
	backoff_ended(&b, 6240, "u");
	backoff_ended(&b, 9000, "u");
	ssize_t n = read(fd, text, sizeof text - 1);
	dup2(keep, 2);
	text[n > 0 ? n : 0] = 0;
	ok(strncmp(text, "cam: u: unavailable: gone\ncam: u: still unavailable: reset\n", 58) == 0,
	        "the first of each reason");
	int lines = lines_of(text);
	ok(lines == BACKOFF_LINES_MAX, "reasons that alternate do not turn into a line per retry: %d", lines);
	const char *last = strstr(text, "cam: u: reachable");
	ok(last && strcmp(last, "cam: u: reachable again after 5.2 s, 60 retries\n") == 0,
	        "the end, once: %s", last ? last : text);
}

static void retry_after(void)
{
	const int64_t now = 1795467600; /* Mon, 23 Nov 2026 21:00:00 GMT */
	const struct {
		const char *value;
		int64_t wanted;
	} t[] = {{"0", 0}, {"120", 120}, {"Mon, 23 Nov 2026 21:00:30 GMT", 30},
	        {"Mon, 23 Nov 2026 20:00:00 GMT", 0}, {"99999999999999999999999", INT64_MAX}, {"", -1},
	        {"-1", -1}, {"soon", -1}, {"12x", -1}, {" 3", -1}, {"Mon, 23 Nov 2026 21:00:30 GMT x", -1},
	        {"Mon, 23 Nov 2026 21:00:30", -1}};
	for (unsigned i = 0; i < sizeof t / sizeof *t; i++)
		ok(backoff_retry_after_s(t[i].value, now) == t[i].wanted, "Retry-After: '%s'", t[i].value);
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	delays();
	resets();
	messages();
	quantities();
	retry_after();
	return tap_done();
}
