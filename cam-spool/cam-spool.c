/* cam-spool: keeps what cam-seal made, one durable file per segment.
 *
 * Reads records on stdin; writes NAME.part and NAME.cam in its spool directory, and makes room for them there
 * by removing what is stored and then, leaving stubs in NAME.gone, what is not; prints NAME.cam and NAME.gone
 * on stdout once they would survive a power cut. Holds no key and sees no plaintext: what it checks, anyone
 * could. May not touch the network. */
#define _GNU_SOURCE
#include "dir.h"
#include "ending.h"
#include "fdio.h"
#include "hints.h"
#include "incoming.h"
#include "intake.h"
#include "list.h"
#include "msg.h"
#include "opt.h"
#include "part.h"
#include "recover.h"
#include "room.h"
#include "sandbox.h"
#include "stop.h"
#include "syncer.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SYNC_MS = 1000, SYNC_MS_MIN = 100, SYNC_MS_MAX = 60000, IDLE_S = 30, INTERRUPTED_MS = 5000 };

static const char usage[] =
        "cam-spool [-D FD] [-I SECONDS] [-q BYTES] [-f MINFREE] [-S SYNC_MS] [-N] [-Z landlock] DIR | "
        "cam-spool -l | -j [-Z landlock] DIR";

struct spool {
	struct dir dir;
	struct incoming in;
	struct intake intake;
	struct part part; /* the open segment */
	struct ending ending;
	struct syncer syncer;
	struct room room;
	uint64_t idle_ms, sync_ms;
	uint64_t heard_ms; /* when input was last dealt with */
	uint32_t last;     /* record in the open segment */
	bool recovered;    /* the open segment is an earlier run's, and no record of it came yet */
};

/* --- segments --- */

/* The open segment is to become durable, then visible, then known. -1: told to stop before that. */
static int segment_publish(struct spool *s, bool complete)
{
	return ending_take(&s->ending, complete, s->last);
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
	/* the same one again, from its start: it is in the spool then, and not in the way */
	if (s->ending.part.fd >= 0 && name_compare(&n, &s->ending.part.name) == 0 &&
	        ending_wait(&s->ending) < 0)
		return -1;
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

/* Whether there is room for what one read brings. 1; 0 not now; -1: told to stop while the disk did not work.
 */
static int segment_room(struct spool *s)
{
	enum room_answer room;

	while ((room = room_ahead(&s->room)) != ROOM_OK && s->ending.part.fd >= 0)
		if (ending_wait(&s->ending) < 0) /* it can be removed then */
			return -1;
	for (; room == ROOM_ALONE; room = room_ahead(&s->room)) {
		msg("%s: takes all the room there is: the rest of this segment is lost", s->part.text);
		incoming_close(&s->in);
		if (segment_publish(s, false) < 0 || ending_wait(&s->ending) < 0)
			return -1;
	}
	return room == ROOM_OK;
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

/* At a mark when the last sync began some time ago; anywhere when much is unsynced. */
static void segment_sync(struct spool *s, bool mark)
{
	uint64_t unsynced = s->part.length - s->part.synced;

	if (s->part.fd >= 0 &&
	        ((mark && dir_now_ms() - s->part.synced_ms >= s->sync_ms) || unsynced >= PART_SYNC_BYTES))
		ending_sync_open(&s->ending);
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
	case INCOMING_DATA:
	case INCOMING_CHECKPOINT:
		record_tell(s);
		if (segment_append(s) < 0)
			return -1;
		segment_sync(s, e == INCOMING_CHECKPOINT);
		return 0;
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

/* One look at most limit bytes far, and what follows from it. at_once: no other look will be taken. */
static enum input input_take(struct spool *s, size_t limit, bool at_once, size_t *taken)
{
	ssize_t r = intake_look(&s->intake, limit);

	*taken = 0;
	if (r < 0 && (errno == EINTR || errno == EAGAIN))
		return INPUT_OK;
	if (r < 0)
		msg_errno("stdin");
	if (r <= 0)
		return INPUT_END;
	if (events(s, false) < 0)
		return INPUT_STUCK;
	*taken = intake_taken(&s->intake, at_once);
	if (*taken)
		s->heard_ms = dir_now_ms();
	return INPUT_OK;
}

/* The end of input needs no room. */
static bool input_over(void)
{
	struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
	struct stat st;
	int readable;

	if (fstat(STDIN_FILENO, &st) < 0)
		return true;
	if (S_ISREG(st.st_mode))
		return lseek(STDIN_FILENO, 0, SEEK_CUR) >= st.st_size;
	if (!S_ISFIFO(st.st_mode) && !S_ISSOCK(st.st_mode))
		return true;
	return poll(&p, 1, 0) == 1 && p.revents & POLLHUP && ioctl(STDIN_FILENO, FIONREAD, &readable) == 0 &&
	       readable == 0;
}

/* Nothing came for a while: sync what is unsynced; after the idle time give the segment up, unless it is we
 * who do not listen. */
static int input_quiet(struct spool *s, bool listening)
{
	uint64_t quiet = dir_now_ms() - s->heard_ms;

	if (s->part.fd < 0)
		return 0;
	if (listening && quiet >= s->idle_ms) {
		if (events(s, true) < 0)
			return -1;
		incoming_close(&s->in);
		return segment_publish(s, false);
	}
	if (quiet >= s->sync_ms && s->part.synced < s->part.length)
		ending_sync_open(&s->ending);
	return 0;
}

/* ms until something is to be done without input, -1: nothing is. */
static int quiet_timeout_ms(const struct spool *s)
{
	uint64_t due, now = dir_now_ms();
	int room = room_timeout_ms(&s->room);

	if (s->intake.looks)
		return INTAKE_LOOK_MS;
	if (s->part.fd < 0)
		return room;
	bool sync = s->part.synced < s->part.length && !s->syncer.busy && s->idle_ms > s->sync_ms;
	due = s->heard_ms + (sync ? s->sync_ms : s->idle_ms);
	int quiet = due > now ? (int)(due - now) : 0;
	return room >= 0 && (room < quiet || s->room.full_ms) ? room : quiet;
}

static enum input loop(struct spool *s, int stop)
{
	struct pollfd p[] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = stop, .events = POLLIN},
	        {.fd = s->syncer.answers, .events = POLLIN}};
	enum input in = INPUT_OK;
	size_t taken;

	while (in == INPUT_OK) {
		ending_go_on(&s->ending);
		int room = segment_room(s);
		if (room < 0)
			return INPUT_STUCK;
		bool listening = room || input_over(), look = s->intake.looks && listening;
		p[0].fd = listening && !look ? STDIN_FILENO : -1;
		int r = poll(p, 3, quiet_timeout_ms(s));
		if (r < 0 && errno != EINTR)
			die_errno(EXIT_BUG, "poll");
		if (p[1].revents)
			return INPUT_STOP;
		if (p[2].revents && ending_answer(&s->ending) < 0)
			return INPUT_STUCK;
		if (r == 0 ? look : p[0].revents)
			in = input_take(s, SIZE_MAX, false, &taken);
		else if (r == 0 && input_quiet(s, listening) < 0)
			in = INPUT_STUCK;
		room_tick(&s->room);
	}
	return in;
}

/* --- ends --- */

/* A closed pipe brings nothing more: the open segment is as long as it will ever be. */
static int finish(struct spool *s)
{
	return events(s, true) < 0 || segment_publish(s, false) < 0 || ending_wait(&s->ending) < 0 ? -1 : 0;
}

/* After ^C in a shell the end of the recording is still on its way: wait for it, but not for ever. */
static enum input last_words(struct spool *s)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
	uint64_t now, until = dir_now_ms() + INTERRUPTED_MS;
	enum input i = INPUT_OK;
	size_t taken;

	while (i == INPUT_OK && stop_interrupted() && (now = dir_now_ms()) < until && segment_room(s) > 0)
		if (poll(&in, 1, (int)(until - now)) > 0)
			i = input_take(s, SIZE_MAX, true, &taken);
	return i;
}

/* The pipe may outlive us: take what it holds now, keep NAME.part for the next run. */
static int drain(struct spool *s)
{
	int readable = 0;
	size_t left, taken;

	if (ioctl(STDIN_FILENO, FIONREAD, &readable) < 0 || readable < 0)
		readable = 0;
	for (left = (size_t)readable; left && segment_room(s) > 0; left -= taken) {
		enum input in = input_take(s, left, true, &taken);
		if (in == INPUT_STUCK)
			return -1;
		if (in == INPUT_END || !taken)
			break;
	}
	if (events(s, true) < 0 || ending_wait(&s->ending) < 0)
		return -1;
	return s->part.fd < 0 ? 0 : part_sync(&s->part);
}

struct options {
	int ready;
	uint64_t idle_ms, sync_ms, quota_bytes, floor_bytes;
	bool keep_unsent, list, json;
	const char *dir;
};

static void options_take(struct options *o, int argc, char **argv)
{
	int c, records = 0;

	*o = (struct options){.ready = -1,
	        .idle_ms = UINT64_C(1000) * IDLE_S,
	        .sync_ms = SYNC_MS,
	        .floor_bytes = ROOM_FLOOR_DEFAULT};
	while ((c = opt_next(argc, argv, "D:I:q:f:S:NljZ:", "", usage)) != -1) {
		records += c != 'l' && c != 'j' && c != 'Z';
		switch (c) {
		case 'D': o->ready = opt_ready_fd(); break;
		case 'I': o->idle_ms = opt_number('I', 1, 86400) * 1000; break;
		case 'q': o->quota_bytes = opt_bytes('q', ROOM_QUOTA_MIN, INT64_MAX); break;
		case 'f': o->floor_bytes = opt_bytes('f', 0, INT64_MAX); break;
		case 'S': o->sync_ms = opt_number('S', SYNC_MS_MIN, SYNC_MS_MAX); break;
		case 'N': o->keep_unsent = true; break;
		case 'l': o->list = true; break;
		case 'j': o->json = true; break;
		case 'Z': sandbox_waive(optarg); break;
		default: die(EXIT_BUG, "-%c: not handled", c);
		}
	}
	if (argc - optind != 1 || (o->list && o->json) || ((o->list || o->json) && records))
		die(EXIT_USAGE, "usage: %s", usage);
	o->dir = argv[optind];
}

int main(int argc, char **argv)
{
	static struct spool s;
	struct options o;

	msg_init("cam-spool");
	int stop = stop_init();
	options_take(&o, argc, argv);
	if (o.list || o.json)
		return list_main(o.dir, o.json);
	if (isatty(STDIN_FILENO))
		die(EXIT_USAGE, "stdin is a terminal: records come from cam-seal: usage: %s", usage);
	if (sodium_init() < 0)
		die(EXIT_TEMPORARY, "libsodium");
	msg_service();
	s.idle_ms = o.idle_ms;
	s.sync_ms = o.sync_ms;
	dir_open(&s.dir, o.dir);
	fd_pipe_grow(STDIN_FILENO);
	if (intake_init(&s.intake, &s.in) < 0)
		die_errno(EXIT_TEMPORARY, "pipe");
	part_init(&s.part, &s.dir, &s.syncer);
	ending_init(&s.ending, &s.part, &s.syncer, &s.room);
	room_init(&s.room, &s.dir, &s.part, &s.ending.part, o.quota_bytes, o.floor_bytes, o.keep_unsent);
	sandbox_confine(&profile_spool, &o.dir, 1); /* before there is a second thread */
	syncer_start(&s.syncer);
	sandbox_filter(&profile_spool);
	if (recover(&s.dir, &s.part, &s.in) < 0)
		die(EXIT_TEMPORARY, "stopped while the disk did not work");
	s.recovered = s.part.fd >= 0;
	s.last = s.in.last;
	if (!s.recovered)
		incoming_close(&s.in);
	room_start(&s.room);
	ready_say(o.ready);
	hints_waiting(&s.dir);

	s.heard_ms = dir_now_ms();
	enum input end = loop(&s, stop);
	if (end == INPUT_STOP && stop_interrupted())
		end = last_words(&s);
	if (end == INPUT_STUCK || (end == INPUT_END ? finish(&s) : drain(&s)) < 0)
		die(EXIT_TEMPORARY, "stopped while the disk did not work: %s",
		        s.ending.part.fd >= 0 ? s.ending.part.text
		        : s.part.fd >= 0      ? s.part.text
		                              : "nothing was open");
	room_close(&s.room);
	return EXIT_OK;
}
