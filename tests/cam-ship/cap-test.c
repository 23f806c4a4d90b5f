/* The cap on what is sent: how it is written, and that no second sees more than it. */
#include "cap.h"
#include "tap.h"

static void parsing(void)
{
	static const struct {
		const char *text;
		uint64_t rate; /* 0: refused */
	} cases[] = {{"1024", 1024}, {"1k", 1024}, {"200k", 204800}, {"3M", 3u << 20},
	        {"1024G", (uint64_t)1 << 40}, {"1023", 0}, {"0", 0}, {"", 0}, {"k", 0}, {"-1", 0}, {"1K", 0},
	        {"1.5M", 0}, {"1025G", 0}, {" 2k", 0}, {"2k ", 0}, {"99999999999999999999999k", 0}};
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct cap c = {0};
		int r = cap_parse(&c, cases[i].text);
		ok(cases[i].rate ? r == 0 && c.rate == cases[i].rate : r < 0, "\"%s\"", cases[i].text);
	}
}

/* One asks as often as it may for as much as it can, for ten seconds, at most step_ns apart. */
static uint64_t sent_in_ten_s(uint64_t rate, int64_t step_ns)
{
	struct cap c = {.rate = rate};
	uint64_t sent = 0;
	for (int64_t t = 5; t < 10000000000ll; t += step_ns) {
		cap_earn(&c, t);
		for (size_t n; (n = cap_take(&c, 16384)) > 0;)
			sent += n;
	}
	return sent;
}

int main(void)
{
	static const uint64_t rates[] = {1024, 5000, 204800, 12500000};
	static const int64_t steps_ns[] = {100000, 1000000, 50000000};

	parsing();
	for (unsigned i = 0; i < 4; i++)
		for (unsigned k = 0; k < 3; k++) {
			uint64_t sent = sent_in_ten_s(rates[i], steps_ns[k]);
			ok(sent <= rates[i] * 10 + rates[i] / 8 + 1024 && sent >= rates[i] * 7,
			        "%llu bytes/s for 10 s, looking every %lld us: %llu",
			        (unsigned long long)rates[i], (long long)steps_ns[k] / 1000,
			        (unsigned long long)sent);
		}
	struct cap idle = {.rate = 204800};
	cap_earn(&idle, 1);
	cap_earn(&idle, 60000000000ll);
	ok(idle.room <= 204800 / 8, "what was not used is not made up for");
	struct cap none = {0};
	ok(cap_take(&none, 1 << 20) == 1 << 20 && none.sent == 1 << 20, "no cap: all, counted");
	return tap_done();
}
