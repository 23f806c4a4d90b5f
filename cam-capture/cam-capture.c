/* cam-capture: frames in, H.264 out. Reads a test pattern or YUV4MPEG2 (a camera will be one more source),
 * writes access units in Annex B to stdout, each with the SEI message of lib/sei.h. Holds at most 8 MiB of
 * them for a reader that is slow. It never touches the network and writes no file. */
#define _GNU_SOURCE
#include "au.h"
#include "encoder.h"
#include "fdio.h"
#include "msg.h"
#include "number.h"
#include "opt.h"
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

enum {
	QUEUE_BYTES = 8 << 20,
	GRACE_NS = 2000000000, /* for a reader, after SIGTERM */
	GOP_S_MAX = 60,
	BITRATE_MIN_BPS = 100000, /* below that the Pi's encoder hangs */
	BITRATE_MAX_BPS = 25000000,
	RATE_MAX_FPS = 120,
	BT709 = 1, /* in H.264 tables E-3 to E-5 */
};

static const char usage[] =
        "cam-capture [-s WxH] [-r FPS] [-b BITRATE] [-g GOP_SECONDS] [-i FILE.y4m|-] [-T] [-F] [-l] [-D FD]";

struct options {
	struct video video; /* of the test pattern */
	uint32_t bitrate_bps, gop_s;
	const char *file;
	bool pattern, fast, list;
	int ready_fd;
};

static void size_parse(struct video *v)
{
	char width[8];
	const char *x = strchr(optarg, 'x');
	uint64_t w, h;

	size_t n = x ? (size_t)(x - optarg) : 0;
	if (!x || n >= sizeof width)
		die(EXIT_USAGE, "-s %s: not WIDTHxHEIGHT", optarg);
	snprintf(width, sizeof width, "%.*s", (int)n, optarg);
	if (number_parse(width, VIDEO_SIDE_MIN, VIDEO_SIDE_MAX, &w) < 0 ||
	        number_parse(x + 1, VIDEO_SIDE_MIN, VIDEO_SIDE_MAX, &h) < 0 || w % 2 || h % 2)
		die(EXIT_USAGE, "-s %s: not WIDTHxHEIGHT of even numbers from %d to %d", optarg,
		        VIDEO_SIDE_MIN, VIDEO_SIDE_MAX);
	v->width = (uint32_t)w;
	v->height = (uint32_t)h;
}

static uint32_t bitrate_parse(void)
{
	char digits[16];
	size_t n = strlen(optarg);
	uint64_t unit = 1, v;

	if (n && (optarg[n - 1] == 'k' || optarg[n - 1] == 'M'))
		unit = optarg[--n] == 'k' ? 1000 : 1000000;
	if (n >= sizeof digits)
		die(EXIT_USAGE, "-b %s: not a bitrate", optarg);
	snprintf(digits, sizeof digits, "%.*s", (int)n, optarg);
	if (number_parse(digits, 1, BITRATE_MAX_BPS, &v) < 0 || v * unit < BITRATE_MIN_BPS ||
	        v * unit > BITRATE_MAX_BPS)
		die(EXIT_USAGE, "-b %s: not a bitrate from %dk to %dM bits per second", optarg,
		        BITRATE_MIN_BPS / 1000, BITRATE_MAX_BPS / 1000000);
	return (uint32_t)(v * unit);
}

static bool both(const bool given[], char a, char b)
{
	return given[(unsigned char)a] && given[(unsigned char)b];
}

static void options_check(const struct options *o, const bool given[], int argc, char **argv)
{
	static const char contradictions[][2] = {{'i', 'T'}, {'i', 's'}, {'i', 'r'}, {'l', 's'}, {'l', 'r'},
	        {'l', 'b'}, {'l', 'g'}, {'l', 'i'}, {'l', 'T'}, {'l', 'F'}, {'l', 'D'}};

	if (optind < argc)
		die(EXIT_USAGE, "%s: unexpected operand: usage: %s", argv[optind], usage);
	for (size_t i = 0; i < sizeof contradictions / sizeof *contradictions; i++)
		if (both(given, contradictions[i][0], contradictions[i][1]))
			die(EXIT_USAGE, "-%c and -%c contradict each other: usage: %s", contradictions[i][0],
			        contradictions[i][1], usage);
	if (o->list)
		return;
	if (!o->pattern && !o->file)
		die(EXIT_USAGE,
		        "no camera source is built in: -T makes a test pattern, -i FILE reads YUV4MPEG2: "
		        "usage: %s",
		        usage);
	/* A GOP is dropped whole as long as the queue can hold it whole, and gets in when half of the queue
	 * is free. */
	if ((uint64_t)o->bitrate_bps * o->gop_s / 8 > QUEUE_BYTES / 2)
		die(EXIT_USAGE, "-b %" PRIu32 " -g %" PRIu32 ": a GOP of more than 4 MiB: lower one of them",
		        o->bitrate_bps, o->gop_s);
}

static void options_parse(int argc, char **argv, struct options *o)
{
	bool given[256] = {false};
	int c;

	*o = (struct options){.video = {.width = 1280,
	                              .height = 720,
	                              .rate_num = 30,
	                              .rate_den = 1,
	                              .primaries = BT709,
	                              .transfer = BT709,
	                              .matrix = BT709},
	        .bitrate_bps = 2000000,
	        .gop_s = 1,
	        .ready_fd = -1};
	while ((c = opt_next(argc, argv, "s:r:b:g:i:TFlD:", "", usage)) != -1) {
		given[(unsigned char)c] = true;
		switch (c) {
		case 's': size_parse(&o->video); break;
		case 'r': o->video.rate_num = (uint32_t)opt_number('r', 1, RATE_MAX_FPS); break;
		case 'b': o->bitrate_bps = bitrate_parse(); break;
		case 'g': o->gop_s = (uint32_t)opt_number('g', 1, GOP_S_MAX); break;
		case 'i': o->file = optarg; break;
		case 'T': o->pattern = true; break;
		case 'F': o->fast = true; break;
		case 'l': o->list = true; break;
		case 'D': o->ready_fd = opt_ready_fd(); break;
		}
	}
	options_check(o, given, argc, argv);
}

/* Kind, name, what it is; between tabs. */
static int list(void)
{
	printf("source\ty4m\tYUV4MPEG2 from a file or stdin (-i)\n");
	printf("source\tpattern\ttest pattern (-T)\n");
	printf("source\tcamera\tnot built in\n");
	printf("encoder\t%s\t%s\n", encoder_x264.name, encoder_x264.about);
	if (fflush(stdout) < 0)
		die_errno(EXIT_TEMPORARY, "stdout");
	return EXIT_OK;
}

/* What is open while frames are captured. */
struct capture {
	struct stop stop;
	struct source *source;
	const struct encoder *encoder;
	void *state; /* the encoder's */
	struct writer writer;
	uint32_t seen; /* frames that were captured or should have been */
};

static void source_open(struct capture *c, const struct options *o)
{
	enum source_result why = SOURCE_FAILED;
	const char *name = o->file;
	int fd = -1;

	if (o->file && strcmp(o->file, "-") == 0) {
		name = "stdin";
		fd = STDIN_FILENO;
	} else if (o->file) {
		fd = open(o->file, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			die_errno(EXIT_TEMPORARY, "%s: cannot open", name);
	}
	/* after open(), which may wait for the other end of a FIFO and must still end on a signal */
	if (stop_open(&c->stop) < 0)
		die_errno(EXIT_TEMPORARY, "signals");
	if (o->pattern && !(c->source = source_pattern(&o->video, o->fast)))
		die_errno(EXIT_TEMPORARY, "test pattern");
	if (o->file && !(c->source = source_y4m(fd, name, o->fast, &c->stop, &why)))
		exit(why == SOURCE_STOPPED ? EXIT_OK : why == SOURCE_BAD ? EXIT_NEGATIVE : EXIT_TEMPORARY);
}

static uint32_t gop_frames(const struct video *v, uint32_t gop_s)
{
	uint64_t frames = ((uint64_t)gop_s * v->rate_num + v->rate_den / 2) / v->rate_den;
	return frames ? (uint32_t)frames : 1;
}

static void open_all(struct capture *c, const struct options *o)
{
	c->encoder = &encoder_x264;
	if (!c->encoder->open)
		die(EXIT_USAGE, "no encoder: %s: %s", c->encoder->name, c->encoder->about);
	source_open(c, o);
	const struct video *v = &c->source->video;
	const struct encoder_config config = {*v, o->bitrate_bps, gop_frames(v, o->gop_s), o->fast};
	c->state = c->encoder->open(&config);
	if (!c->state)
		die_errno(EXIT_TEMPORARY, "%s: cannot open", c->encoder->name);
	fd_pipe_grow(STDOUT_FILENO);
	if (writer_start(&c->writer, STDOUT_FILENO, QUEUE_BYTES, &c->stop) < 0)
		die_errno(EXIT_TEMPORARY, "writer");
}

/* Queues what the encoder has ready. 0, or an exit code after a message. */
static int queue_ready(struct capture *c)
{
	struct packet packet;
	int r;

	while ((r = c->encoder->pull(c->state, &packet)) == 1) {
		struct au *au = au_make(packet.bytes, packet.n, &packet.stamp);
		if (au) {
			writer_push(&c->writer, au, !c->source->live, &c->stop);
		} else if (errno == ENOMEM && c->source->live) {
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
		if (r == SOURCE_FRAME)
			c->seen = frame.stamp.number + 1;
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
	if (c->seen != end.written)
		msg("%" PRIu32 " of %" PRIu32 " frames lost, %" PRIu32 " of them still waiting for a reader",
		        c->seen - end.written, c->seen, end.left);
	return end.error && end.error != EPIPE ? EXIT_TEMPORARY : code;
}

int main(int argc, char **argv)
{
	static struct capture c;
	struct options o;

	msg_init("cam-capture");
	options_parse(argc, argv, &o);
	if (o.list)
		return list();
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
