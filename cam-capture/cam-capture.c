/* cam-capture: frames in, H.264 out. Reads a camera, a test pattern or YUV4MPEG2,
 * writes access units in Annex B to stdout, each with the SEI message of lib/sei.h. Holds at most 8 MiB of
 * them for a reader that is slow. It never touches the network and writes no file. */
#define _GNU_SOURCE
#include "au.h"
#include "cell.h"
#include "encoder.h"
#include "fdio.h"
#include "motion.h"
#include "msg.h"
#include "opt.h"
#include "options.h"
#include "roll.h"
#include "source.h"
#include "writer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { GRACE_NS = 2000000000 }; /* for a reader, after SIGTERM */

/* the best first */
static const struct encoder *const encoders[] = {&encoder_m2m, &encoder_x264, NULL};

static const char *encoder_state(const struct encoder *e)
{
	return e->formats && !e->formats() ? "not here" : e->about;
}

/* Kind, name, what it is; between tabs. */
static int list(const struct options *o)
{
	printf("source\ty4m\tYUV4MPEG2 from a file or stdin (-i)\n");
	printf("source\tpattern\ttest pattern (-T)\n");
	printf("source\tcamera\t%s\n", camera_about);
	for (size_t i = 0; encoders[i]; i++)
		printf("encoder\t%s\t%s\n", encoders[i]->name, encoder_state(encoders[i]));
	cell_starting(true);
	int code = camera_list(o->camera.silence_s);
	if (fflush(stdout) < 0)
		die_errno(EXIT_TEMPORARY, "stdout");
	return code;
}

/* What is open while frames are captured. */
struct capture {
	struct stop stop;
	struct source *source;
	const struct encoder *encoder;
	unsigned formats; /* that it takes */
	void *state;      /* the encoder's */
	struct motion *motion;
	uint32_t threshold; /* of motion, for what is recorded; 0: everything is */
	struct roll roll;
	struct writer writer;
	uint32_t seen; /* frames that were captured or should have been */
};

static int file_open(const struct options *o, const char **name)
{
	*name = o->file;
	if (strcmp(o->file, "-") == 0) {
		*name = "stdin";
		return STDIN_FILENO;
	}
	int fd = open(o->file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die_errno(EXIT_TEMPORARY, "%s: cannot open", o->file);
	return fd;
}

/* Of a camera, or of an encoder. */
static bool uses_devices(const struct capture *c, const struct options *o)
{
	return (!o->pattern && !o->file) || c->encoder->device;
}

static void source_open(struct capture *c, const struct options *o)
{
	enum source_result why = SOURCE_FAILED;
	const char *name = NULL;
	int fd = o->file ? file_open(o, &name) : -1, code = EXIT_OK;

	/* after open(), which may wait for the other end of a FIFO and must still end on a signal */
	if (stop_open(&c->stop) < 0)
		die_errno(EXIT_TEMPORARY, "signals");
	cell_starting(uses_devices(c, o));
	if (o->pattern && !(c->source = source_pattern(&o->camera.video, o->fast)))
		die_errno(EXIT_TEMPORARY, "test pattern");
	if (o->file && !(c->source = source_y4m(fd, name, o->fast, &c->stop, &why)))
		exit(why == SOURCE_STOPPED ? EXIT_OK : why == SOURCE_BAD ? EXIT_NEGATIVE : EXIT_TEMPORARY);
	if (!o->pattern && !o->file)
		code = camera_open(&o->camera, c->formats, &c->stop, &c->source);
	if (code)
		exit(code);
}

static const struct encoder *encoder_named(const char *name)
{
	char names[128] = "";
	size_t at = 0;

	for (size_t i = 0; encoders[i]; i++) {
		if (strcmp(encoders[i]->name, name) == 0)
			return encoders[i];
		at += (size_t)snprintf(names + at, sizeof names - at, " %s", encoders[i]->name);
	}
	die(EXIT_USAGE, "-e %s: not an encoder: there are:%s", name, names);
}

/* The one that was asked for, or the first that is here. */
static void encoder_choose(struct capture *c, const struct options *o)
{
	for (size_t i = 0; encoders[i] && !c->formats; i++) {
		c->encoder = o->encoder ? encoder_named(o->encoder) : encoders[i];
		c->formats = c->encoder->formats ? c->encoder->formats() : 0;
	}
	if (!c->formats)
		die(c->encoder->formats ? EXIT_TEMPORARY : EXIT_USAGE, "no encoder: %s: %s", c->encoder->name,
		        encoder_state(c->encoder));
}

static uint32_t gop_frames(const struct video *v, uint32_t gop_s)
{
	uint64_t frames = ((uint64_t)gop_s * v->rate_num + v->rate_den / 2) / v->rate_den;
	return frames ? (uint32_t)frames : 1;
}

static void open_all(struct capture *c, const struct options *o)
{
	encoder_choose(c, o);
	source_open(c, o);
	const struct video *v = &c->source->video;
	const struct encoder_config config = {*v, o->bitrate_bps, gop_frames(v, o->gop_s), o->fast};
	c->state = c->encoder->open(&config);
	if (!c->state)
		die_errno(EXIT_TEMPORARY, "%s: cannot open", c->encoder->name);
	if (!o->pattern && !o->file)
		msg("encoder %s: %s", c->encoder->name, c->encoder->about);
	c->motion = motion_open(v);
	if (!c->motion)
		die_errno(EXIT_TEMPORARY, "motion");
	c->threshold = o->motion;
	roll_init(&c->roll, (uint64_t)o->before_s * 1000000000, (uint64_t)o->after_s * 1000000000,
	        QUEUE_BYTES / 2);
	fd_pipe_grow(STDOUT_FILENO);
	if (writer_start(&c->writer, STDOUT_FILENO, QUEUE_BYTES, &c->stop) < 0)
		die_errno(EXIT_TEMPORARY, "writer");
	cell_streaming(uses_devices(c, o));
}

/* Queues an access unit or, when only motion is recorded, what of the last ones is to be. */
static void queue_or_roll(struct capture *c, struct au *au)
{
	if (!c->threshold) {
		writer_push(&c->writer, au, !c->source->live, &c->stop);
		return;
	}
	roll_push(&c->roll, au, au->stamp.motion >= c->threshold);
	while ((au = roll_take(&c->roll)))
		writer_push(&c->writer, au, !c->source->live, &c->stop);
}

/* Queues what the encoder has ready. 0, or an exit code after a message. */
static int queue_ready(struct capture *c)
{
	struct packet packet;
	int r;

	while ((r = c->encoder->pull(c->state, &packet)) == 1) {
		struct au *au = au_make(packet.bytes, packet.n, &packet.stamp);
		if (au) {
			queue_or_roll(c, au);
		} else if (errno == ENOMEM && c->source->live && !c->threshold) {
			msg_errno("frame %" PRIu32, packet.stamp.number);
			writer_lost(&c->writer, packet.stamp.number);
		} else {
			int code = errno == ENOMEM ? EXIT_TEMPORARY : EXIT_BUG;
			msg_errno("%s: frame %" PRIu32, c->encoder->name, packet.stamp.number);
			return code;
		}
	}
	if (r < 0)
		msg_errno("%s", c->encoder->name);
	return r < 0 ? EXIT_TEMPORARY : EXIT_OK;
}

static int encode(struct capture *c, const struct frame *frame)
{
	if (writer_wants_idr(&c->writer))
		c->encoder->force_idr(c->state);
	if (c->encoder->push(c->state, frame) < 0) {
		msg_errno("%s: frame %" PRIu32, c->encoder->name, frame->stamp.number);
		return EXIT_TEMPORARY;
	}
	return queue_ready(c);
}

/* Until the source ends, fails or is stopped. Returns an exit code; what went wrong has been said. */
static int capture_run(struct capture *c)
{
	enum source_result r;
	struct frame frame;

	const int encoder_fd = c->encoder->fd(c->state);

	while ((r = c->source->read(c->source, &c->stop, encoder_fd, &frame)) <= SOURCE_ENCODER) {
		if (r == SOURCE_FRAME) {
			c->seen = frame.stamp.number + 1;
			frame.stamp.motion = motion_score(c->motion, &frame);
		}
		int code = r == SOURCE_FRAME ? encode(c, &frame) : queue_ready(c);
		if (code)
			return code;
	}
	c->encoder->flush(c->state);
	int code = queue_ready(c);
	if (code)
		return code;
	return r == SOURCE_BAD ? EXIT_NEGATIVE : r == SOURCE_FAILED ? EXIT_TEMPORARY : EXIT_OK;
}

static int capture_end(struct capture *c, int code)
{
	struct writer_end end;

	writer_finish(&c->writer, &c->stop, GRACE_NS, &end);
	errno = end.error;
	if (end.error == EPIPE)
		msg("stdout: the reader has gone");
	else if (end.error)
		msg_errno("stdout: cannot write");
	roll_clear(&c->roll);
	uint32_t due = c->seen - c->roll.left_out;
	if (due != end.written)
		msg("%" PRIu32 " of %" PRIu32 " frames lost, %" PRIu32 " of them still waiting for a reader",
		        due - end.written, due, end.left);
	return end.error && end.error != EPIPE ? EXIT_TEMPORARY : code;
}

int main(int argc, char **argv)
{
	static struct capture c;
	struct options o;

	msg_init("cam-capture");
	options_parse(argc, argv, &o);
	if (!o.pattern && !o.file)
		cell_again(argv, o.ready_fd);
	if (o.list)
		return list(&o);
	if (fcntl(STDOUT_FILENO, F_GETFD) < 0)
		die(EXIT_USAGE, "stdout: is closed");
	if (isatty(STDOUT_FILENO))
		die(EXIT_USAGE, "stdout: a terminal cannot show H.264: redirect it");
	signal(SIGPIPE, SIG_IGN);
	msg_service();
	open_all(&c, &o);
	ready_say(o.ready_fd);
	return capture_end(&c, capture_run(&c));
}
