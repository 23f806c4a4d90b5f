/* Writes to stderr, without waiting for it. Holds what was counted when it last wrote. */
#define _GNU_SOURCE
#include "progress.h"

#include "ship.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

enum { EVERY_MS = 1000 };

static struct {
	int on, drawn;
	int64_t at_ms;
	uint64_t sent; /* bytes, then */
	double rate;
} self;

void progress_open(int wanted)
{
	self.on = wanted && isatty(STDERR_FILENO);
}

static void put(const char *text, size_t n)
{
	struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
	/* A terminal that was stopped (^S) must not stop the uploads. */
	if (poll(&p, 1, 0) == 1 && (p.revents & POLLOUT))
		(void)!write(STDERR_FILENO, text, n);
}

void progress_clear(void)
{
	static const char clear[] = "\r\033[K";
	if (self.drawn)
		put(clear, sizeof clear - 1);
	self.drawn = 0;
}

static void rate_reckon(const struct ship *s, int64_t now_ms)
{
	uint64_t sent = s->cap.sent;
	if (self.at_ms)
		self.rate = (double)(sent - self.sent) * 1000 / (double)(now_ms - self.at_ms);
	self.sent = sent;
	self.at_ms = now_ms;
}

void progress_show(const struct ship *s, int64_t now_ms)
{
	char line[160];

	if (!self.on || (self.drawn && now_ms - self.at_ms < EVERY_MS) || now_ms == self.at_ms)
		return;
	if (now_ms - self.at_ms >= EVERY_MS)
		rate_reckon(s, now_ms);
	int n = snprintf(line, sizeof line,
	        "\r%llu waiting, %u in hand, %u set aside, %llu stored, %.0f kB/s, %s\033[K",
	        (unsigned long long)s->waiting.waiting, s->waiting.in_hand, aside_count(&s->waiting.aside, 0),
	        (unsigned long long)s->stored, self.rate / 1000,
	        s->backoff.failures ? "server unavailable"
	        : s->stored         ? "server well"
	                            : "no answer yet");
	put(line, n < (int)sizeof line ? (size_t)n : sizeof line - 1);
	self.drawn = 1;
}

int64_t progress_wake_ms(void)
{
	return self.on ? self.at_ms + EVERY_MS : INT64_MAX;
}
