/* The windows over a directory of tens of thousands of names, and what is remembered. The clock is ours. */
#define _GNU_SOURCE
#include "tap.h"
#include "waiting.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MANY = 30000 };

static struct waiting w;
static char dir[] = "/dev/shm/waiting-test.XXXXXX"; /* tens of thousands of files: in memory */
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
	for (n.state = NAME_PART; n.state <= NAME_GONE; n.state++) {
		name_put(text, &n);
		unlinkat(dir_fd, text, 0);
	}
}

/* Read the directory as far as that is due, then take. */
static int next(int64_t now, struct name *n)
{
	while (waiting_turn(&w, now))
		;
	return waiting_next(&w, now, n);
}

static int is_next(int64_t now, uint64_t epoch, uint32_t segment)
{
	struct name n, want = nth(epoch, segment);
	return next(now, &n) == 1 && name_compare(&n, &want) == 0;
}

static int none(int64_t now)
{
	struct name n;
	return next(now, &n) == 0;
}

static void store(uint64_t epoch, uint32_t segment)
{
	struct name n = nth(epoch, segment);
	waiting_stored(&w, &n);
}

static void end(void)
{
	closedir(w.dir);
	close(w.notify_fd);
}

static void oldest_first(void)
{
	struct name n;

	ok(waiting_open(&w, dir, 0, 0) == 0 && none(0), "empty");
	put(2, 1, NAME_CAM);
	put(1, 9, NAME_CAM);
	put(1, 10, NAME_SENT);
	put(1, 11, NAME_PART);
	put(1, 12, NAME_GONE);
	close(openat(dir_fd, "README", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	ok(none(100), "nothing before it was announced");
	waiting_notified(&w);
	ok(is_next(200, 1, 9) && is_next(200, 1, 12) && is_next(200, 2, 1) && none(200),
	        "by epoch and segment: segments and stubs, nothing else");
	put(1, 5, NAME_CAM);
	waiting_notified(&w);
	ok(is_next(900, 1, 5), "one in front of the place reached comes at once");
	ok(none(31000), "what is in hand is not handed out again");
	store(1, 9);
	n = nth(1, 12);
	n.state = NAME_GONE;
	take_away(1, 12);
	waiting_vanished(&w, &n);
	n = nth(1, 5);
	ok(waiting_set_aside(&w, &n, 0, 32000) == ASIDE_FIRST_MS, "set aside");
	ok(none(32001 + ASIDE_FIRST_MS - 2), "it waits");
	ok(is_next(32001 + ASIDE_FIRST_MS, 1, 5), "and comes again when due");
	ok(waiting_set_aside(&w, &n, 1, 62001) == (int64_t)ASIDE_FIRST_MS * 2 &&
	                aside_count(&w.aside, 1) == 1,
	        "and waits longer each time");
	store(2, 1);
	take_away(1, 5);
	waiting_vanished(&w, &n);
	ok(none(800000) && aside_count(&w.aside, 0) == 0, "forgotten when its file is gone");
	ok(waiting_repeat(&w, &n) && n.segment == 9 && n.epoch == 1,
	        "stored, and still .cam after ten minutes: repeated");
	take_away(1, 9);
	take_away(2, 1);
	end();
}

static void newest_first(void)
{
	struct name n;
	unsigned seen[9] = {0};

	for (uint32_t i = 1; i <= 8; i++)
		put(1, i, NAME_CAM);
	waiting_open(&w, dir, 1, 0);
	static const uint32_t want[] = {8, 7, 6, 1, 5, 4, 3, 2};
	int wrong = 0;
	for (unsigned i = 0; i < 8; i++) {
		int got = next(0, &n);
		wrong += got != 1 || n.segment != want[i];
		seen[n.segment <= 8 ? n.segment : 0]++;
	}
	ok(!wrong && none(0), "newest first, and each fourth is the oldest");
	put(1, 9, NAME_CAM);
	put(1, 10, NAME_CAM);
	waiting_notified(&w);
	ok(is_next(1, 1, 10) && is_next(1, 1, 9), "what is newer still comes first, and needs no reading");
	for (uint32_t i = 1; i <= 10; i++) {
		store(1, i);
		take_away(1, i);
	}
	ok(none(100000), "all is stored");
	end();
}

/* Every name once, from both ends, in bounded memory; how many readings of the directory it takes. */
static void many(int newest)
{
	static unsigned char met[MANY];
	struct name n;
	unsigned got = 0, twice = 0;

	memset(met, 0, sizeof met);
	waiting_open(&w, dir, newest, 0);
	waiting_last_round(&w);
	while (next(0, &n)) {
		twice += met[n.segment]++ != 0;
		waiting_stored(&w, &n);
		got++;
	}
	ok(got == MANY && !twice && waiting_over(&w), "%s first: each of %d once, then over",
	        newest ? "newest" : "oldest", (int)MANY);
	ok(w.scan <= MANY / WINDOW_MAX * 2 + 2, "with %lu readings of the directory", (unsigned long)w.scan);
	ok(w.acked.count <= 2 && !w.acked.forgot, "and few entries to remember them by");
	ok(sizeof w < (256 << 10), "all in %zu bytes", sizeof w);
	end();
}

/* Nobody renames what is stored, and every second one fails: it must come to rest. */
static void rest(void)
{
	struct name n;
	unsigned got = 0;

	waiting_open(&w, dir, 1, 0);
	while (got <= 2 * MANY && next(0, &n)) {
		if (n.segment % 2)
			waiting_set_aside(&w, &n, 0, 0);
		else
			waiting_stored(&w, &n);
		got++;
	}
	ok(got <= 2 * MANY, "each name at most once in a round, however many fail (%u handed out)", got);
	ok(aside_count(&w.aside, 0) <= ASIDE_MAX && w.acked.count <= ACKED_RUNS_MAX,
	        "the tables are full and not fuller");
	ok(waiting_wake_ms(&w) > 0, "and it rests");
	end();
}

int main(void)
{
	if (!mkdtemp(dir) || (dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return 1;
	oldest_first();
	newest_first();
	for (uint32_t i = 0; i < MANY; i++)
		put(3, (uint32_t)((uint64_t)i * 7919 % MANY), NAME_CAM);
	many(0);
	many(1);
	rest();
	for (uint32_t i = 0; i < MANY; i++)
		take_away(3, i);
	take_away(1, 11);
	char readme[] = "README";
	unlinkat(dir_fd, readme, 0);
	ok(rmdir(dir) == 0, "nothing is left behind");
	return tap_done();
}
