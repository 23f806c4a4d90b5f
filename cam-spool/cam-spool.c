/* cam-spool: keeps what cam-seal made, one durable file per segment.
 *
 * Reads records on stdin; writes NAME.part, NAME.cam and, when the disk is full, removes NAME.sent in its
 * spool directory; prints NAME.cam on stdout once it would survive a power cut. Holds no key and sees no
 * plaintext: what it checks, anyone could. May not touch the network. */
#define _GNU_SOURCE
#include "dir.h"
#include "fdio.h"
#include "hints.h"
#include "incoming.h"
#include "msg.h"
#include "opt.h"
#include "part.h"
#include "recover.h"
#include "stop.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { SYNC_MS = 1000, IDLE_S = 30, INTERRUPTED_MS = 5000 };

static const char usage[] = "cam-spool [-D FD] [-I SECONDS] DIR";

struct spool {
	struct dir dir;
	struct incoming in;
	struct part part;
	uint64_t idle_ms;
	uint64_t heard_ms; /* when input was last dealt with */
	uint32_t last;     /* record in the open segment */
	bool recovered;    /* the open segment is an earlier run's, and no record of it came yet */
};

/* --- segments --- */

/* Makes the open segment durable, then visible, then known. -1: told to stop before that. */
static int segment_publish(struct spool *s, bool complete)
{
	struct name cam = s->part.name;
	char text[NAME_BYTES_MAX];

	if (s->part.fd < 0)
		return 0;
	if (part_publish(&s->part) < 0) {
		if (errno != EEXIST)
			return -1;
		msg("%s: left alone: this segment is in the spool already", s->part.text);
		part_close(&s->part);
		return 0;
	}
	cam.state = NAME_CAM;
	name_put(text, &cam);
	if (!complete)
		msg("%s: truncated after record %lu", text, (unsigned long)s->last);
	hints_say(&cam);
	return 0;
}

static int segment_append(struct spool *s)
{
	if (part_append(&s->part, s->in.record, s->in.record_bytes) == 0) {
		s->last = s->in.last;
		return 0;
	}
	if (errno != EFBIG)
		return -1;
	/* Only this file is too long: what it has is good, and the next segment gets a new one. */
	msg_errno("%s: the rest of this segment is lost", s->part.text);
	incoming_close(&s->in);
	if (s->part.length)
		return segment_publish(s, false);
	part_close(&s->part);
	return 0;
}

static int segment_begin(struct spool *s)
{
	struct name n;
	char text[NAME_BYTES_MAX];

	recover_name(&n, &s->in.header);
	if (part_create(&s->part, &n) < 0) {
		if (errno != EEXIST)
			return -1;
		name_put(text, &n);
		msg("%s: this segment is in the spool already: its records are skipped", text);
		incoming_close(&s->in);
		return 0;
	}
	return segment_append(s);
}

/* --- events --- */

static size_t add(char *line, size_t at, size_t size, uint64_t n, const char *what)
{
	if (!n || at >= size)
		return at;
	int r = snprintf(line + at, size - at, ", %llu %s", (unsigned long long)n, what);
	return r < 0 ? at : at + (size_t)r;
}

static void gap_tell(const struct incoming_gap *g)
{
	char why[400] = "";
	size_t at = 0;

	at = add(why, at, sizeof why, g->repeated, "repeated records");
	at = add(why, at, sizeof why, g->torn, "torn or damaged data records");
	at = add(why, at, sizeof why, g->refused, "headers or marks that do not verify");
	at = add(why, at, sizeof why, g->versions, "records of unknown version ");
	if (g->versions && at < sizeof why)
		snprintf(why + at, sizeof why - at, "%u", g->version);
	if (g->strangers) {
		char id[2 * RECORD_STREAM_BYTES + 1];
		sodium_bin2hex(id, sizeof id, g->stream, sizeof g->stream);
		msg("%llu bytes skipped%s, %lu records of segment %lu of stream %s, which is not open",
		        (unsigned long long)g->bytes, why, (unsigned long)g->strangers,
		        (unsigned long)g->segment, id);
	} else {
		msg("%llu bytes skipped%s", (unsigned long long)g->bytes, why);
	}
}

/* What an accepted record of the open segment leaves to say. */
static void record_tell(struct spool *s)
{
	if (s->recovered)
		msg("%s: resumed with record %lu", s->part.text, (unsigned long)s->in.last);
	s->recovered = false;
	if (s->in.missing)
		msg("%s: %lu records missing before record %lu", s->part.text, (unsigned long)s->in.missing,
		        (unsigned long)s->in.last);
}

static int event(struct spool *s, enum incoming_event e)
{
	switch (e) {
	case INCOMING_GAP: gap_tell(&s->in.told); return 0;
	case INCOMING_HEADER: return segment_publish(s, false) < 0 ? -1 : segment_begin(s);
	case INCOMING_DATA: record_tell(s); return segment_append(s);
	case INCOMING_CHECKPOINT:
		record_tell(s);
		if (segment_append(s) < 0)
			return -1;
		return s->part.fd >= 0 && dir_now_ms() - s->part.synced_ms >= SYNC_MS ? part_sync(&s->part)
		                                                                      : 0;
	case INCOMING_END: record_tell(s); return segment_append(s) < 0 ? -1 : segment_publish(s, true);
	default: return 0;
	}
}

static int events(struct spool *s, bool final)
{
	enum incoming_event e;

	while ((e = incoming_pull(&s->in, final)) != INCOMING_MORE)
		if (event(s, e) < 0)
			return -1;
	return 0;
}

/* --- input --- */

/* INPUT_STOP: told to. INPUT_STUCK: told to while the disk did not work; what the pipe holds stays there. */
enum input { INPUT_OK, INPUT_END, INPUT_STOP, INPUT_STUCK };

/* One read of at most limit bytes and what follows from it. Never more than one record is in our hands: a
 * segment is published while the next header still is in the pipe, which survives us. */
static enum input input_take(struct spool *s, size_t limit, size_t *taken)
{
	size_t room, wants = incoming_wants(&s->in);
	uint8_t *p = incoming_room(&s->in, &room); /* always has what is wanted */
	ssize_t r = read(STDIN_FILENO, p, wants < limit ? wants : limit);

	*taken = r > 0 ? (size_t)r : 0;
	if (r < 0 && (errno == EINTR || errno == EAGAIN))
		return INPUT_OK;
	if (r < 0)
		msg_errno("stdin");
	if (r <= 0)
		return INPUT_END;
	incoming_pushed(&s->in, *taken);
	if (events(s, false) < 0)
		return INPUT_STUCK;
	s->heard_ms = dir_now_ms();
	return INPUT_OK;
}

/* Nothing came for a while: sync what is unsynced; after the idle time give the segment up. */
static int input_quiet(struct spool *s)
{
	uint64_t quiet = dir_now_ms() - s->heard_ms;

	if (s->part.fd < 0)
		return 0;
	if (quiet >= s->idle_ms) {
		if (events(s, true) < 0)
			return -1;
		incoming_close(&s->in);
		return segment_publish(s, false);
	}
	return quiet >= SYNC_MS && s->part.synced < s->part.length ? part_sync(&s->part) : 0;
}

static int quiet_timeout_ms(const struct spool *s)
{
	uint64_t due, now = dir_now_ms();

	if (s->part.fd < 0)
		return -1;
	due = s->heard_ms + (s->part.synced < s->part.length && s->idle_ms > SYNC_MS ? SYNC_MS : s->idle_ms);
	return due > now ? (int)(due - now) : 0;
}

static enum input loop(struct spool *s, int stop)
{
	struct pollfd p[] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = stop, .events = POLLIN}};
	enum input in = INPUT_OK;
	size_t taken;

	while (in == INPUT_OK) {
		int r = poll(p, 2, quiet_timeout_ms(s));
		if (r < 0 && errno != EINTR)
			die_errno(EXIT_BUG, "poll");
		if (p[1].revents)
			return INPUT_STOP;
		if (r > 0)
			in = input_take(s, INCOMING_BYTES, &taken);
		else if (r == 0 && input_quiet(s) < 0)
			in = INPUT_STUCK;
	}
	return in;
}

/* --- ends --- */

/* A closed pipe brings nothing more: the open segment is as long as it will ever be. */
static int finish(struct spool *s)
{
	return events(s, true) < 0 || segment_publish(s, false) < 0 ? -1 : 0;
}

/* After ^C in a shell the end of the recording is still on its way: wait for it, but not for ever. */
static enum input last_words(struct spool *s)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
	uint64_t now, until = dir_now_ms() + INTERRUPTED_MS;
	enum input i = INPUT_OK;
	size_t taken;

	while (i == INPUT_OK && stop_interrupted() && (now = dir_now_ms()) < until)
		if (poll(&in, 1, (int)(until - now)) > 0)
			i = input_take(s, INCOMING_BYTES, &taken);
	return i;
}

/* The pipe may outlive us: take what it holds now, keep NAME.part for the next run. */
static int drain(struct spool *s)
{
	int readable = 0;
	size_t left, taken;

	if (ioctl(STDIN_FILENO, FIONREAD, &readable) < 0 || readable < 0)
		readable = 0;
	for (left = (size_t)readable; left; left -= taken) {
		enum input in = input_take(s, left, &taken);
		if (in == INPUT_STUCK)
			return -1;
		if (in == INPUT_END || !taken)
			break;
	}
	if (events(s, true) < 0)
		return -1;
	return s->part.fd < 0 ? 0 : part_sync(&s->part);
}

int main(int argc, char **argv)
{
	static struct spool s;
	int ready = -1, c;

	msg_init("cam-spool");
	int stop = stop_init();
	s.idle_ms = UINT64_C(1000) * IDLE_S;
	while ((c = opt_next(argc, argv, "D:I:", "", usage)) != -1)
		if (c == 'D')
			ready = opt_ready_fd();
		else
			s.idle_ms = opt_number('I', 1, 86400) * 1000;
	if (argc - optind != 1)
		die(EXIT_USAGE, "usage: %s", usage);
	if (isatty(STDIN_FILENO))
		die(EXIT_USAGE, "stdin is a terminal: records come from cam-seal: usage: %s", usage);
	if (sodium_init() < 0)
		die(EXIT_TEMPORARY, "libsodium");
	msg_service();
	dir_open(&s.dir, argv[optind]);
	fd_pipe_grow(STDIN_FILENO);
	part_init(&s.part, &s.dir);
	/* Everything is open: the sandbox is entered here. */
	if (recover(&s.dir, &s.part, &s.in) < 0)
		die(EXIT_TEMPORARY, "stopped while the disk did not work");
	s.recovered = s.part.fd >= 0;
	s.last = s.in.last;
	if (!s.recovered)
		incoming_close(&s.in);
	ready_say(ready);
	hints_waiting(&s.dir);

	s.heard_ms = dir_now_ms();
	enum input end = loop(&s, stop);
	if (end == INPUT_STOP && stop_interrupted())
		end = last_words(&s);
	if (end == INPUT_STUCK || (end == INPUT_END ? finish(&s) : drain(&s)) < 0)
		die(EXIT_TEMPORARY, "stopped while the disk did not work: %s",
		        s.part.fd < 0 ? "nothing was open" : s.part.text);
	return EXIT_OK;
}
