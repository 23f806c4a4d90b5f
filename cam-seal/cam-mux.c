/* cam-mux: H.264 (annex B) on stdin, Matroska on stdout, each access unit at the time that its message says.
 *
 * Runs for `cam-open -m` in a process of its own, which holds no key: what it parses was made by a camera,
 * and a camera may be broken into. Reads nothing but stdin, writes nothing but stdout. libavformat only
 * multiplexes; nothing is decoded. */
#define _GNU_SOURCE
#include "annexb.h"
#include "fdio.h"
#include "msg.h"
#include "opt.h"
#include "sandbox.h"
#include "timeline.h"

#include <errno.h>
#include <fcntl.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK_BYTES = 64 << 10, UNIT_BYTES_MAX = 16 << 20, AVIO_BYTES = 64 << 10 };

static const char usage[] = "cam-mux [-r FPS] [-Z landlock]";

struct mux {
	struct annexb annexb;
	struct timeline timeline;
	AVFormatContext *out; /* NULL until the first parameter sets */
	uint8_t *unit;        /* the access unit that is coming in */
	size_t n, room;
	struct annexb_head head;
	unsigned long skipped; /* access units before the first parameter sets */
};

static int av_write(void *ctx, uint8_t *p, int n)
{
	(void)ctx;
	return fd_write(STDOUT_FILENO, p, (size_t)n) < 0 ? AVERROR(errno) : n;
}

static int64_t av_seek(void *ctx, int64_t offset, int whence)
{
	(void)ctx;
	if (whence & AVSEEK_SIZE)
		return -1;
	return lseek(STDOUT_FILENO, offset, whence & 3);
}

/* A plain file gets its length and its index at the end; a pipe cannot. */
static int stdout_seekable(void)
{
	struct stat st;
	int flags = fcntl(STDOUT_FILENO, F_GETFL);
	return fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode) && flags >= 0 && !(flags & O_APPEND);
}

_Noreturn static void die_av(const char *what, int err)
{
	if (err == AVERROR(EPIPE))
		exit(EXIT_OK);
	char text[AV_ERROR_MAX_STRING_SIZE];
	av_strerror(err, text, sizeof text);
	die(EXIT_TEMPORARY, "%s: %s", what, text);
}

/* Size and profile from the parameter sets, by libavcodec's parser. */
static void parameters_read(AVCodecParameters *to, const uint8_t *unit, size_t n)
{
	AVCodecParserContext *parser = av_parser_init(AV_CODEC_ID_H264);
	AVCodecContext *codec = avcodec_alloc_context3(NULL);
	uint8_t *padded = av_mallocz(n + AV_INPUT_BUFFER_PADDING_SIZE), *frame;
	int frame_bytes;

	if (!parser || !codec || !padded)
		die(EXIT_TEMPORARY, "libavcodec: no memory");
	codec->codec_id = AV_CODEC_ID_H264;
	memcpy(padded, unit, n);
	parser->flags |= PARSER_FLAG_COMPLETE_FRAMES;
	av_parser_parse2(
	        parser, codec, &frame, &frame_bytes, padded, (int)n, AV_NOPTS_VALUE, AV_NOPTS_VALUE, 0);
	to->width = parser->coded_width > 0 && parser->width > 0 ? parser->width : codec->width;
	to->height = parser->coded_height > 0 && parser->height > 0 ? parser->height : codec->height;
	to->profile = codec->profile;
	to->level = codec->level;
	av_parser_close(parser);
	avcodec_free_context(&codec);
	av_free(padded);
	if (to->width <= 0 || to->height <= 0)
		die(EXIT_NEGATIVE, "stdin: the parameter sets do not say how large the picture is");
}

static void file_begin(struct mux *m)
{
	size_t sets_bytes;
	const uint8_t *sets = annexb_parameter_sets(&m->annexb, &sets_bytes);
	uint8_t *buffer = av_malloc(AVIO_BYTES);
	int r = avformat_alloc_output_context2(&m->out, NULL, "matroska", NULL);
	AVStream *s = r < 0 ? NULL : avformat_new_stream(m->out, NULL);

	if (!s || !buffer)
		die(EXIT_TEMPORARY, "libavformat: no memory, or no Matroska in it");
	m->out->pb = avio_alloc_context(
	        buffer, AVIO_BYTES, 1, NULL, NULL, av_write, stdout_seekable() ? av_seek : NULL);
	m->out->flags |= AVFMT_FLAG_BITEXACT; /* no version or date of ours in the file */
	s->time_base = (AVRational){1, 1000};
	AVCodecParameters *p = s->codecpar;
	p->codec_type = AVMEDIA_TYPE_VIDEO;
	p->codec_id = AV_CODEC_ID_H264;
	if (!m->out->pb || !(p->extradata = av_mallocz(sets_bytes + AV_INPUT_BUFFER_PADDING_SIZE)))
		die(EXIT_TEMPORARY, "libavformat: no memory");
	memcpy(p->extradata, sets, sets_bytes);
	p->extradata_size = (int)sets_bytes;
	parameters_read(p, m->unit, m->n);
	if ((r = avformat_write_header(m->out, NULL)) < 0)
		die_av("stdout", r);
}

static void unit_write(struct mux *m)
{
	AVPacket *packet = av_packet_alloc();
	int r;

	if (!packet || av_new_packet(packet, (int)m->n) < 0)
		die(EXIT_TEMPORARY, "libavformat: no memory");
	memcpy(packet->data, m->unit, m->n);
	packet->pts = packet->dts = timeline_next_ms(&m->timeline, m->head.has_sei ? &m->head.sei : NULL);
	packet->flags = m->head.idr ? AV_PKT_FLAG_KEY : 0;
	av_packet_rescale_ts(packet, (AVRational){1, 1000}, m->out->streams[0]->time_base);
	if ((r = av_write_frame(m->out, packet)) < 0)
		die_av("stdout", r);
	av_packet_free(&packet);
}

static int on_begin(void *ctx, const struct annexb_head *head)
{
	struct mux *m = ctx;
	m->head = *head;
	m->n = 0;
	return 0;
}

static int on_bytes(void *ctx, const uint8_t *p, size_t n)
{
	struct mux *m = ctx;

	if (m->n + n > UNIT_BYTES_MAX)
		die(EXIT_NEGATIVE, "stdin: an access unit of more than %d bytes: not H.264", UNIT_BYTES_MAX);
	if (m->n + n > m->room) {
		size_t room = m->room ? m->room : CHUNK_BYTES;
		while (room < m->n + n)
			room *= 2;
		uint8_t *unit = realloc(m->unit, room);
		if (!unit)
			die_errno(EXIT_TEMPORARY, "memory");
		m->unit = unit;
		m->room = room;
	}
	memcpy(m->unit + m->n, p, n);
	m->n += n;
	return 0;
}

static int on_end(void *ctx, int torn, int has_picture)
{
	struct mux *m = ctx;

	if (torn || !has_picture)
		return 0;
	if (!m->out && m->head.idr && m->head.has_sps && m->head.has_pps)
		file_begin(m);
	if (m->out)
		unit_write(m);
	else
		m->skipped++;
	return 0;
}

static volatile sig_atomic_t stop_asked;

static void on_term(int sig)
{
	(void)sig;
	stop_asked = 1;
}

/* After ^C the programs before us in the pipe end, and what they still have to say belongs into the file. */
static void signals_prepare(void)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	sigaction(SIGTERM, &(struct sigaction){.sa_handler = on_term}, NULL);
}

int main(int argc, char **argv)
{
	static struct mux m;
	static uint8_t chunk[CHUNK_BYTES];
	uint64_t fps = 30;
	ssize_t n;
	int c, r;

	msg_init("cam-mux");
	while ((c = opt_next(argc, argv, "r:Z:", "", usage)) != -1)
		switch (c) {
		case 'r': fps = opt_number(c, 1, 1000); break;
		case 'Z': sandbox_waive(optarg); break;
		default: die(EXIT_BUG, "-%c: not handled", c);
		}
	if (optind != argc)
		die(EXIT_USAGE, "usage: %s", usage);
	if (isatty(STDIN_FILENO))
		die(EXIT_USAGE, "stdin: is a terminal: H.264 is expected, as from cam-open(1)");
	if (isatty(STDOUT_FILENO))
		die(EXIT_USAGE, "stdout: is a terminal: give the video to a player or a file");
	signals_prepare();
	av_log_set_level(AV_LOG_QUIET);
	annexb_init(&m.annexb, &(struct annexb_sink){&m, on_begin, on_bytes, on_end});
	timeline_init(&m.timeline, 1000000000 / fps);
	sandbox_enter(&profile_mux, NULL, 0);
	while (!stop_asked && (n = read(STDIN_FILENO, chunk, sizeof chunk)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			die_errno(EXIT_TEMPORARY, "stdin");
		annexb_push(&m.annexb, chunk, (size_t)n);
	}
	annexb_finish(&m.annexb);
	if (!m.out)
		die(EXIT_NEGATIVE, "stdin: no picture that can be shown: no IDR with parameter sets");
	if ((r = av_write_trailer(m.out)) < 0)
		die_av("stdout", r);
	avio_flush(m.out->pb);
	if (m.out->pb->error)
		die_av("stdout", m.out->pb->error);
	if (m.skipped)
		msg("%lu access units before the first that can be shown are left out", m.skipped);
	return EXIT_OK;
}
