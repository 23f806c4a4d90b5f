/* cam-reap: marks segments as stored remotely.
 *
 * Reads names on stdin, one per line, as cam-ship prints them; renames NAME.cam and NAME.gone to NAME.sent in
 * its spool directory, at once or after a while. Holds nothing. May not touch the network, unlink or replace
 * anything, or touch what is not named. */
#define _GNU_SOURCE
#include "keep.h"
#include "msg.h"
#include "name.h"
#include "opt.h"
#include "sandbox.h"
#include "stop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { TRIES = 5, PAUSE_MS = 1000, UNSYNCED_MAX = 4096, KEEP_S_MAX = 366 * 86400 };

static const char usage[] = "cam-reap [-D FD] [-k KEEP] [-Z landlock] DIR";

struct reap {
	int dir;
	char line[NAME_BYTES_MAX];
	size_t n;
	bool overlong; /* the rest of this line is skipped */
	unsigned unsynced;
	bool refused; /* a line was no name of ours: exit 1 at the end */
	struct keep keep;
	unsigned long left_out; /* names that came while keep was full */
};

static uint64_t now_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* After a failure: pause, or give up when this was the last try or a stop is asked for. */
static void again(int try, const char *what)
{
	if (try + 1 == TRIES || stop_asked(PAUSE_MS))
		die_errno(EXIT_TEMPORARY, "%s", what);
}

static void settle(struct reap *r)
{
	for (int try = 0; r->unsynced && fsync(r->dir) < 0; try++)
		again(try, "directory cannot be synced");
	r->unsynced = 0;
}

static bool has(const struct reap *r, const char *name)
{
	struct stat st;
	return fstatat(r->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Never replaces: two files of one name are somebody's mistake, and not ours to settle. */
static void mark_sent(struct reap *r, const struct name *n)
{
	char cam[NAME_BYTES_MAX], sent[NAME_BYTES_MAX];
	struct name as = *n;

	name_put(cam, n);
	as.state = NAME_SENT;
	name_put(sent, &as);
	for (int try = 0; renameat2(r->dir, cam, r->dir, sent, RENAME_NOREPLACE) < 0; try++) {
		if (errno == ENOENT) {
			if (!has(r, sent))
				msg("%s: gone already", cam);
			return;
		}
		if (errno == EEXIST) {
			msg("%s: left alone: %s is there too", cam, sent);
			r->refused = true;
			return;
		}
		again(try, cam);
	}
	if (++r->unsynced == UNSYNCED_MAX)
		settle(r);
}

static void due_mark(struct reap *r)
{
	struct name n;
	while (keep_due(&r->keep, now_ns(), &n))
		mark_sent(r, &n);
}

/* Only what is there is kept, so that nobody can fill the memory with names that he made up. */
static void name_keep(struct reap *r, const struct name *n)
{
	if (!has(r, r->line)) {
		mark_sent(r, n); /* says what there is to say */
		return;
	}
	switch (keep_add(&r->keep, n, now_ns())) {
	case KEEP_TAKEN:
		if (r->left_out)
			msg("names are taken again: %lu were left out, they come again", r->left_out);
		r->left_out = 0;
		return;
	case KEEP_KNOWN: return;
	case KEEP_FULL:
		if (!r->left_out++)
			msg("%d names are being kept: others are left out, they come again", KEEP_NAMES);
		return;
	}
}

static void line_take(struct reap *r)
{
	struct name n;

	r->line[r->n] = 0;
	if (r->overlong || strlen(r->line) != r->n || name_parse(r->line, &n) < 0 ||
	        (n.state != NAME_CAM && n.state != NAME_GONE)) {
		msg("refused: not the name of a segment to be marked: %s%s", r->line,
		        r->overlong ? "..." : "");
		r->refused = true;
	} else if (r->keep.keep_ns) {
		name_keep(r, &n);
	} else {
		mark_sent(r, &n);
	}
	r->n = 0;
	r->overlong = false;
}

static void bytes_take(struct reap *r, const char *p, size_t n)
{
	for (; n; n--, p++)
		if (*p == '\n')
			line_take(r);
		else if (r->n < sizeof r->line - 1)
			r->line[r->n++] = *p;
		else
			r->overlong = true;
}

/* One read of at most limit bytes. How many, 0 at the end, -1: none now. */
static ssize_t input_take(struct reap *r, size_t limit)
{
	char bytes[4096];
	ssize_t n = read(STDIN_FILENO, bytes, limit < sizeof bytes ? limit : sizeof bytes);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return -1;
	if (n < 0)
		die_errno(EXIT_TEMPORARY, "stdin");
	bytes_take(r, bytes, (size_t)n);
	return n;
}

/* Takes what was readable when the stop was asked for. */
static void drain(struct reap *r)
{
	int readable = 0;
	ssize_t n;

	if (ioctl(STDIN_FILENO, FIONREAD, &readable) < 0)
		readable = 0;
	for (; readable > 0 && (n = input_take(r, (size_t)readable)) > 0; readable -= (int)n)
		;
}

static void loop(struct reap *r, int stop)
{
	struct pollfd p[] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = stop, .events = POLLIN}};

	for (;;) {
		due_mark(r);
		int n = poll(p, 2, r->unsynced ? 0 : keep_timeout_ms(&r->keep, now_ns()));
		if (n < 0 && errno != EINTR)
			die_errno(EXIT_BUG, "poll");
		if (n > 0 && p[1].revents) {
			drain(r);
			due_mark(r);
			return;
		}
		if (n > 0 && input_take(r, SIZE_MAX) == 0)
			return;
		if (n == 0)
			settle(r);
	}
}

int main(int argc, char **argv)
{
	static struct reap r;
	int ready = -1, c;

	msg_init("cam-reap");
	int stop = stop_init();
	while ((c = opt_next(argc, argv, "D:Z:k:", "", usage)) != -1)
		switch (c) {
		case 'D': ready = opt_ready_fd(); break;
		case 'Z': sandbox_waive(optarg); break;
		case 'k': r.keep.keep_ns = opt_seconds('k', 1, KEEP_S_MAX) * 1000000000; break;
		default: die(EXIT_BUG, "-%c: not handled", c);
		}
	if (argc - optind != 1)
		die(EXIT_USAGE, "usage: %s", usage);
	msg_service();
	r.dir = open(argv[optind], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r.dir < 0)
		die_errno(EXIT_TEMPORARY, "%s", argv[optind]);
	if (faccessat(r.dir, ".", W_OK | X_OK, AT_EACCESS) < 0)
		die_errno(EXIT_TEMPORARY, "%s: not writable", argv[optind]);
	sandbox_enter(&profile_reap, (const char *const[]){argv[optind]}, 1);
	ready_say(ready);
	loop(&r, stop);
	settle(&r);
	if (r.keep.n)
		msg("%u names are not marked yet: they come again", r.keep.n);
	if (r.n)
		msg("a last line without its newline is not acted on");
	return r.refused ? EXIT_NEGATIVE : EXIT_OK;
}
