/* The command line of cam-capture. */
#define _GNU_SOURCE
#include "options.h"

#include "motion.h"
#include "msg.h"
#include "number.h"
#include "opt.h"
#include "sandbox.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	GOP_S_MAX = 60,
	BITRATE_MIN_BPS = 100000, /* below that the Pi's encoder hangs */
	BITRATE_MAX_BPS = 25000000,
	RATE_MAX_FPS = 120,
	SILENCE_S = 5,
	SILENCE_S_MAX = 600,
	BEFORE_S = 5,
	BEFORE_S_MAX = 60,
	AFTER_S = 10,
	AFTER_S_MAX = 3600,
	BT709 = 1, /* in H.264 tables E-3 to E-5 */
};

static const char usage[] =
        "cam-capture [-c CAMERA] [-s WxH] [-r FPS] [-R TURN] [-C NAME=VALUE]... [-w "
        "SECONDS] [-e ENCODER] [-b BITRATE] "
        "[-g GOP_SECONDS] [-m THRESHOLD [-B SECONDS] [-A SECONDS]] [-i FILE.y4m|-] [-T] [-F] [-l] [-D FD] "
        "[-Z landlock]";

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

/* Turned clockwise, or mirrored. libcamera transposes after it has flipped. */
static void turn_parse(struct camera_options *o)
{
	static const struct {
		const char *name;
		bool hflip, vflip, transpose;
	} turns[] = {{"0", 0, 0, 0}, {"90", 0, 1, 1}, {"180", 1, 1, 0}, {"270", 1, 0, 1}, {"h", 1, 0, 0},
	        {"v", 0, 1, 0}};

	for (size_t i = 0; i < sizeof turns / sizeof *turns; i++)
		if (strcmp(turns[i].name, optarg) == 0) {
			o->hflip = turns[i].hflip;
			o->vflip = turns[i].vflip;
			o->transpose = turns[i].transpose;
			return;
		}
	die(EXIT_USAGE, "-R %s: not one of 0 90 180 270 h v", optarg);
}

static void control_add(struct camera_options *o)
{
	char why[256];
	struct setting *s = &o->settings[o->settings_n];

	if (o->settings_n == CONTROLS_MAX)
		die(EXIT_USAGE, "-C %s: too many", optarg);
	if (control_parse(optarg, s, why, sizeof why) < 0)
		die(EXIT_USAGE, "-C %s: %s", optarg, why);
	for (size_t i = 0; i < o->settings_n; i++)
		if (o->settings[i].control == s->control)
			die(EXIT_USAGE, "-C %s: given twice", s->control->name);
	o->settings_n++;
}

static bool both(const bool given[], char a, char b)
{
	return given[(unsigned char)a] && given[(unsigned char)b];
}

static void options_check(const struct options *o, const bool given[], int argc, char **argv)
{
	/* each letter with those that it contradicts */
	static const char *const contradictions[] = {"iTsrcRCw", "TcRCw", "lsrbgiTFDcRCemBA", "Fc", NULL};

	if (optind < argc)
		die(EXIT_USAGE, "%s: unexpected operand: usage: %s", argv[optind], usage);
	for (size_t i = 0; contradictions[i]; i++)
		for (const char *other = contradictions[i] + 1; *other; other++)
			if (both(given, *contradictions[i], *other))
				die(EXIT_USAGE, "-%c and -%c contradict each other: usage: %s",
				        *contradictions[i], *other, usage);
	if (o->fast && !o->pattern && !o->file)
		die(EXIT_USAGE, "-F: a camera is not faster than it is: it needs -T or -i: usage: %s", usage);
	if ((given['B'] || given['A']) && !o->motion)
		die(EXIT_USAGE, "-%c: only with -m: usage: %s", given['B'] ? 'B' : 'A', usage);
	/* All that was before something moved is queued at once. */
	if (o->motion && (uint64_t)o->bitrate_bps * (o->before_s + o->gop_s) / 8 > QUEUE_BYTES / 2)
		die(EXIT_USAGE,
		        "-b %" PRIu32 " -g %" PRIu32 " -B %" PRIu32
		        ": more than 4 MiB before something moves: lower one of them",
		        o->bitrate_bps, o->gop_s, o->before_s);
	/* A GOP is dropped whole as long as the queue can hold it whole, and gets in when half of the queue
	 * is free. */
	if ((uint64_t)o->bitrate_bps * o->gop_s / 8 > QUEUE_BYTES / 2)
		die(EXIT_USAGE, "-b %" PRIu32 " -g %" PRIu32 ": a GOP of more than 4 MiB: lower one of them",
		        o->bitrate_bps, o->gop_s);
}

void options_parse(int argc, char **argv, struct options *o)
{
	bool given[256] = {false};
	int c;

	*o = (struct options){.camera = {.video = {.width = 1280,
	                                         .height = 720,
	                                         .rate_num = 30,
	                                         .rate_den = 1,
	                                         .primaries = BT709,
	                                         .transfer = BT709,
	                                         .matrix = BT709},
	                              .silence_s = SILENCE_S},
	        .bitrate_bps = 2000000,
	        .gop_s = 1,
	        .before_s = BEFORE_S,
	        .after_s = AFTER_S,
	        .ready_fd = -1};
	while ((c = opt_next(argc, argv, "c:s:r:R:C:w:e:b:g:m:B:A:i:TFlD:Z:", "C", usage)) != -1) {
		given[(unsigned char)c] = true;
		switch (c) {
		case 'c': o->camera.which = optarg; break;
		case 's': size_parse(&o->camera.video); break;
		case 'r': o->camera.video.rate_num = (uint32_t)opt_number('r', 1, RATE_MAX_FPS); break;
		case 'R': turn_parse(&o->camera); break;
		case 'C': control_add(&o->camera); break;
		case 'w': o->camera.silence_s = (uint32_t)opt_seconds('w', 1, SILENCE_S_MAX); break;
		case 'e': o->encoder = optarg; break;
		case 'b': o->bitrate_bps = bitrate_parse(); break;
		case 'g': o->gop_s = (uint32_t)opt_number('g', 1, GOP_S_MAX); break;
		case 'm': o->motion = (uint32_t)opt_number('m', 1, MOTION_MAX); break;
		case 'B': o->before_s = (uint32_t)opt_seconds('B', 0, BEFORE_S_MAX); break;
		case 'A': o->after_s = (uint32_t)opt_seconds('A', 0, AFTER_S_MAX); break;
		case 'i': o->file = optarg; break;
		case 'T': o->pattern = true; break;
		case 'F': o->fast = true; break;
		case 'l': o->list = true; break;
		case 'D': o->ready_fd = opt_ready_fd(); break;
		case 'Z': sandbox_waive(optarg); break;
		}
	}
	o->camera.rate_asked = given['r'];
	options_check(o, given, argc, argv);
}
