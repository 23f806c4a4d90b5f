/* The window over a directory of a hundred thousand names, and what is remembered. The clock is ours. */
#define _GNU_SOURCE
#include "tap.h"
#include "waiting.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MANY = 100000 };

static struct waiting w;
static char dir[] = "/dev/shm/waiting-test.XXXXXX"; /* a hundred thousand files: in memory */
static int dir_fd;

static struct name nth(uint64_t epoch, uint32_t segment)
{
	/* The clock runs backwards, to show that it does not matter. */
	return (struct name){
	        .epoch = epoch, .segment = segment, .utc_s = 2000000000 - segment, .state = NAME_CAM};
}

static void put(uint64_t epoch, uint32_t segment, enum name_state state)
{
	struct name n = nth(epoch, segment);
	char text[NAME_BYTES_MAX], part[NAME_BYTES_MAX];
	n.state = NAME_PART;
	name_put(part, &n);
	n.state = state;
	name_put(text, &n);
	if (epoch == 3) { /* the many: nobody watches */
		close(openat(dir_fd, text, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
		return;
	}
	int fd = openat(dir_fd, part, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0 || close(fd) < 0 || renameat(dir_fd, part, dir_fd, text) < 0)
		exit(1);
}

static void take_away(uint64_t epoch, uint32_t segment)
{
	struct name n = nth(epoch, segment);
	char text[NAME_BYTES_MAX];
	name_put(text, &n);
	unlinkat(dir_fd, text, 0);
}

static int is_next(int64_t now, uint64_t epoch, uint32_t segment)
{
	struct name n, want = nth(epoch, segment);
	return waiting_next(&w, now, &n) == 1 && name_compare(&n, &want) == 0;
}

static int none(int64_t now)
{
	struct name n;
	return waiting_next(&w, now, &n) == 0;
}

static void small(void)
{
	struct name n;

	ok(waiting_open(&w, dir, 0) == 0 && none(0), "empty");
	put(2, 1, NAME_CAM);
	put(1, 9, NAME_CAM);
	put(1, 10, NAME_SENT);
	put(1, 11, NAME_PART);
	close(openat(dir_fd, "README", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	ok(none(100), "nothing before it was announced");
	waiting_notified(&w);
	ok(is_next(200, 1, 9) && is_next(200, 2, 1) && none(200), "by epoch and segment, .cam only");
	put(1, 5, NAME_CAM);
	waiting_notified(&w);
	ok(none(900) && waiting_wake_ms(&w) <= 1300, "one in front of the place reached: a new round, soon");
	n = nth(1, 9);
	waiting_stored(&w, &n);
	ok(is_next(1500, 1, 5), "then it comes");
	ok(is_next(1500, 2, 1) && none(1500), "and what was not stored, but not what was");
	ok(none(20000) && is_next(32000, 1, 5), "what was neither is tried in the next round, 30 s later");
	n = nth(1, 5);
	ok(waiting_set_aside(&w, &n, 0, 32000) == ASIDE_FIRST_MS, "set aside");
	ok(is_next(32000, 2, 1), "the other one, too");
	n = nth(2, 1);
	waiting_stored(&w, &n);
	ok(none(32001) && none(61999), "it waits");
	ok(is_next(62001, 1, 5) && waiting_set_aside(&w, &n, 0, 62001), "it comes again when due");
	n = nth(1, 5);
	ok(waiting_set_aside(&w, &n, 1, 62001) == (int64_t)ASIDE_FIRST_MS * 2 &&
	                aside_count(&w.aside, 1) == 1,
	        "and waits longer each time");
	take_away(1, 5);
	take_away(2, 1);
	ok(none(92002) && aside_count(&w.aside, 0) == 0, "forgotten when its file is gone");
	put(1, 20, NAME_CAM);
	waiting_doorbell(&w);
	ok(is_next(92003, 1, 20) || is_next(93100, 1, 20), "a doorbell");
	ok(!waiting_repeat(&w, &n), "stored a moment ago: not repeated");
	(void)none(700000);
	ok(waiting_repeat(&w, &n) && n.segment == 9 && !waiting_repeat(&w, &n),
	        "stored, and still .cam after ten minutes: repeated");
	take_away(1, 9);
	take_away(1, 20);
	closedir(w.dir);
	close(w.notify_fd);
}

static long scans(void)
{
	return (long)w.scan;
}

static void many(void)
{
	struct name n;
	unsigned got = 0, wrong = 0;

	for (uint32_t i = 0; i < MANY; i++)
		put(3, (i * 7919) % MANY, NAME_CAM);
	waiting_open(&w, dir, 0);
	waiting_last_round(&w);
	while (got < 3000 && waiting_next(&w, 0, &n)) {
		wrong += n.segment != got;
		waiting_stored(&w, &n);
		got++;
	}
	ok(got == 3000 && !wrong, "of a hundred thousand, the first 3000 in order");
	ok(scans() == (3000 + WAITING_WINDOW - 1) / WAITING_WINDOW, "with %ld readings of the directory",
	        scans());
	ok(w.acked.count == 1 && !w.acked.forgot, "and one entry to remember them by");
	ok(!waiting_over(&w), "not over");
	ok(sizeof w < 131072, "all in %zu bytes", sizeof w);

	/* Nobody renames them; every second one fails. It must come to rest. */
	w.mark = nth(3, MANY - 1001);
	w.window.next = w.window.count = 0;
	got = 0;
	while (waiting_next(&w, 0, &n)) {
		if (n.segment % 2)
			waiting_set_aside(&w, &n, 0, 0);
		else
			waiting_stored(&w, &n);
		got++;
	}
	ok(got == 1000 && waiting_over(&w), "each name once in a round, however many fail");
	ok(aside_count(&w.aside, 0) == ASIDE_MAX && w.acked.count == ACKED_RUNS_MAX,
	        "both tables are full and not fuller");
	ok(none(29999) && none(WAITING_FORGOT_MS - 1),
	        "after forgetting, an hour passes before the next round");
	for (uint32_t i = 0; i < MANY; i++)
		take_away(3, i);
	closedir(w.dir);
	close(w.notify_fd);
}

static void bounds(void)
{
	struct name n;

	put(4, 1, NAME_CAM);
	put(4, 2, NAME_CAM);
	waiting_open(&w, dir, 0);
	waiting_last_round(&w);
	ok(!waiting_over(&w) && is_next(0, 4, 1), "the last round begins");
	put(4, 3, NAME_CAM);
	waiting_notified(&w);
	ok(is_next(0, 4, 2) && none(0) && waiting_over(&w), "and ends at what was the last name then");
	n = nth(4, 1);
	acked_add(&w.acked, &n, 1);
	n = nth(4, 3);
	acked_add(&w.acked, &n, 1);
	struct name between = nth(4, 2), other = nth(4, 1);
	other.stream[0] = 1;
	ok(!acked_has(&w.acked, &between, 1) && !acked_has(&w.acked, &other, 1),
	        "nothing is said to be stored that was not");
	n = nth(4, 2);
	acked_add(&w.acked, &n, 1);
	ok(w.acked.count == 1 && acked_has(&w.acked, &n, 1), "neighbours join");
	n = nth(4, UINT32_MAX);
	acked_add(&w.acked, &n, 1);
	n = nth(4, 0);
	ok(!acked_has(&w.acked, &n, 1), "numbers do not wrap around");
	acked_add(&w.acked, &n, 1);
	ok(w.acked.count == 2 && acked_has(&w.acked, &n, 1), "at neither end");
	for (uint32_t i = 1; i < 4; i++)
		take_away(4, i);
	unlinkat(dir_fd, "README", 0);
	struct name sent = nth(1, 10);
	char text[NAME_BYTES_MAX];
	sent.state = NAME_SENT;
	name_put(text, &sent);
	unlinkat(dir_fd, text, 0);
	sent = nth(1, 11);
	sent.state = NAME_PART;
	name_put(text, &sent);
	unlinkat(dir_fd, text, 0);
	ok(rmdir(dir) == 0, "the directory is empty again");
	(void)none(WAITING_ROUND_MS);
	ok(w.gone, "its removal is noticed");
	closedir(w.dir);
	close(w.notify_fd);
	ok(waiting_open(&w, "/nonexistent", 0) < 0, "a directory that is not there");
}

int main(void)
{
	if (!mkdtemp(dir) || (dir_fd = open(dir, O_DIRECTORY | O_CLOEXEC)) < 0)
		return 1;
	small();
	many();
	bounds();
	return tap_done();
}
