/* cam-open: records of cam-segment(5) from files or stdin, verified, and the video in them to stdout.
 *
 * Reads the cameras' public keys and, to open, recipients' secret keys, which are held in locked memory. May
 * not touch the network, nor write anything but stdout and messages. */
#define _GNU_SOURCE
#include "clocks.h"
#include "evicted.h"
#include "inputs.h"
#include "keyfile.h"
#include "msg.h"
#include "opt.h"
#include "passphrase.h"
#include "playback.h"
#include "reader.h"
#include "report.h"
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK_BYTES = 64 << 10, OUT_BYTES = 256 << 10, AGE_S_MAX = 100 * 366 * 86400ll / 2 };

static const char usage[] =
        "cam-open -k KEY [-s DEVPUB] [-m | -R] [-p] [-P FD] [-A SECONDS] [-f FROM] [-t TO] [-Z landlock] "
        "[FILE ...] | "
        "cam-open -V | -l | -j [-s DEVPUB] [-A SECONDS] [-f FROM] [-t TO] [-Z landlock] [FILE ...]";

static int on_content(void *ctx, const uint8_t *p, size_t n)
{
	(void)ctx;
	return fwrite(p, 1, n, stdout) == n ? 0 : -1;
}

/* The camera that is being read, and only while a verified mark stands behind what comes: the tail of a cut
 * report comes out when its segment is closed, and proves nothing. */
static int on_report(void *ctx, const uint8_t *p, size_t n)
{
	const struct reader *r = ctx;
	if (r->open && r->seg.known_camera && evicted_report(r->seg.header.device_pk, p, n) < 0)
		return -1;
	return on_content(NULL, p, n);
}

static void on_verdict(void *ctx, enum reader_verdict v, const struct reader_segment *s, const char *text)
{
	if (v == READER_STUB && s && evicted_stub(&s->header) < 0)
		die_errno(EXIT_TEMPORARY, "memory");
	report_verdict(ctx, v, s, text);
}

/* What is known of the stubs; the footage itself is in none of them. */
static void stubs_tell(const struct reader *r)
{
	if (!r->config.reports) {
		msg("%" PRIu64 " segments are stubs: their footage is not in them", r->stubs);
		return;
	}
	uint64_t named = evicted_named();
	msg("%" PRIu64 " segments are stubs; of %" PRIu64
	    " a signed report says that the camera evicted them%s",
	        r->stubs, named, named < r->stubs ? "; of the others none that is here" : "");
}

/* --- keys --- */

static void device_add(struct reader_config *c, const char *path)
{
	static struct keyfile_key key[READER_DEVICES_MAX];
	size_t n;
	const char *why = keyfile_load(path, KEYFILE_DEVICE, key, READER_DEVICES_MAX - c->devices, &n);

	if (why)
		die(EXIT_USAGE, "%s: %s", path, why);
	for (size_t i = 0; i < n; i++)
		memcpy(c->device_pk[c->devices++], key[i].pk, RECORD_PK_BYTES);
}

static char *passphrase_for(const char *path, int fd)
{
	char prompt[512], *passphrase = sodium_malloc(PASSPHRASE_BYTES_MAX + 1);

	if (!passphrase)
		die(EXIT_TEMPORARY, "no locked memory for the passphrase");
	snprintf(prompt, sizeof prompt, "Passphrase for %s: ", path);
	const char *why = fd >= 0 ? passphrase_read(fd, passphrase) : passphrase_ask(prompt, passphrase);
	if (why)
		die(EXIT_USAGE, "%s: %s", path, why);
	return passphrase;
}

/* The secret keys of a file; one passphrase opens them all. */
static void keys_add(struct reader_config *c, const char *path, int passphrase_fd)
{
	static struct keyfile_key key[READER_KEYS_MAX];
	char *passphrase = NULL;
	size_t n, before = c->keys;
	const char *why =
	        keyfile_load(path, KEYFILE_RECIPIENT_SECRET, key + before, READER_KEYS_MAX - before, &n);

	for (c->keys += n; !why && before < c->keys; before++) {
		if (key[before].locked) {
			if (!passphrase)
				passphrase = passphrase_for(path, passphrase_fd);
			why = keyfile_unlock(&key[before], passphrase, strlen(passphrase));
		}
		memcpy(c->pk[before], key[before].pk, RECORD_PK_BYTES);
		c->sk[before] = key[before].secret;
	}
	if (passphrase)
		sodium_free(passphrase);
	if (why)
		die(EXIT_USAGE, "%s: %s", path, why);
}

/* --- input --- */

static int play; /* cam-mux stands between us and stdout */

static _Noreturn void output_stopped(const struct reader *r)
{
	/* cam-mux may have ended because its reader went away, or because of trouble, which it has told */
	const int err = errno;
	if (err == EPIPE && play && playback_finish() > EXIT_NEGATIVE)
		exit(EXIT_TEMPORARY);
	errno = err;
	if (errno == EPIPE)
		exit(r->findings ? EXIT_NEGATIVE : EXIT_OK);
	if (errno == ENOMEM)
		die_errno(EXIT_TEMPORARY, "memory");
	die_errno(EXIT_TEMPORARY, "stdout");
}

/* 0, or -1 when the file could not be read to its end. */
static int file_read(struct reader *r, const char *path, unsigned done, unsigned files)
{
	static uint8_t chunk[CHUNK_BYTES];
	static uint64_t bytes;
	int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n;

	if (fd < 0) {
		msg_errno("%s", path);
		return -1;
	}
	while ((n = read(fd, chunk, sizeof chunk)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		if (reader_push(r, chunk, (size_t)n) < 0 || fflush(stdout) != 0)
			output_stopped(r);
		bytes += (uint64_t)n;
		report_progress(done, files, bytes);
	}
	if (n < 0)
		msg_errno("%s", path);
	if (fd != STDIN_FILENO)
		close(fd);
	if (reader_flush(r) < 0 || fflush(stdout) != 0)
		output_stopped(r);
	return n < 0 ? -1 : 0;
}

/* How many could not be read. */
static unsigned inputs_read(struct reader *r, const struct inputs *in)
{
	unsigned unread = 0;

	for (size_t i = 0; i < in->n; i++)
		unread += file_read(r, in->path[i], (unsigned)i, (unsigned)in->n) < 0;
	reader_end(r);
	report_progress_clear();
	return unread;
}

/* 1 when the newest item is older than asked for. */
static int too_old(int64_t age_s)
{
	struct clocks now;
	int64_t newest = report_newest_utc_ns();

	clocks_now(&now);
	if (newest == INT64_MIN) {
		msg("silent: nothing was seen of the camera");
		return 1;
	}
	int64_t old_s = (now.utc_ns - newest) / 1000000000;
	if (old_s <= age_s)
		return 0;
	msg("silent: the newest item is %" PRId64 " s old", old_s);
	return 1;
}

static int64_t time_option(int letter)
{
	int64_t utc_ns;
	if (inputs_time_parse(optarg, &utc_ns) < 0)
		die(EXIT_USAGE,
		        "-%c %s: not a time, as in 2026-01-31T23:59 (local), 2026-01-31T22:59:00Z or "
		        "@1769900340",
		        letter, optarg);
	return utc_ns;
}

/* Files are opened one after the other, long after this. */
static void confine(const struct inputs *in)
{
	const char **path = calloc(in->n + 1, sizeof *path);

	if (!path)
		die_errno(EXIT_TEMPORARY, "memory");
	tzset();
	path[0] = "/etc/localtime";
	for (size_t i = 0; i < in->n; i++)
		path[i + 1] = in->path[i];
	sandbox_enter(&profile_open, path, in->n + 1);
	free(path);
}

int main(int argc, char **argv)
{
	static struct reader reader;
	static struct reader_config config;
	struct inputs in = {.from_ns = INT64_MIN, .to_ns = INT64_MAX};
	enum report_form form = REPORT_MESSAGES;
	const char *key_path[READER_KEYS_MAX];
	int passphrase_fd = -1, played = EXIT_OK, c;
	int64_t age_s = -1;
	unsigned keys = 0;

	msg_init("cam-open");
	if (sodium_init() < 0)
		die(EXIT_TEMPORARY, "libsodium: cannot be initialised");
	while ((c = opt_next(argc, argv, "k:s:VljmRpP:A:f:t:Z:", "ks", usage)) != -1)
		switch (c) {
		case 'k':
			if (keys == READER_KEYS_MAX)
				die(EXIT_USAGE, "-k: at most %d", READER_KEYS_MAX);
			key_path[keys++] = optarg;
			break;
		case 's': device_add(&config, optarg); break;
		case 'V':
		case 'l':
		case 'j':
			if (form != REPORT_MESSAGES)
				die(EXIT_USAGE, "-V, -l and -j: one of them: usage: %s", usage);
			form = c == 'V' ? REPORT_VERDICTS : c == 'l' ? REPORT_TABLE : REPORT_JSON;
			break;
		case 'm': play = 1; break;
		case 'R': config.reports = 1; break;
		case 'p': config.proven_only = 1; break;
		case 'P': passphrase_fd = (int)opt_number('P', 0, 1023); break;
		case 'A': age_s = (int64_t)opt_number('A', 1, AGE_S_MAX); break;
		case 'f': in.from_ns = time_option('f'); break;
		case 't': in.to_ns = time_option('t'); break;
		case 'Z': sandbox_waive(optarg); break;
		default: die(EXIT_BUG, "-%c: not handled", c);
		}
	const int open_them = keys > 0;
	if (open_them == (form != REPORT_MESSAGES) && !(age_s >= 0 && !open_them))
		die(EXIT_USAGE, "usage: %s", usage);
	if (play && config.reports)
		die(EXIT_USAGE, "-m and -R: a report is no video: usage: %s", usage);
	if (!open_them && (config.proven_only || config.reports || play || passphrase_fd >= 0))
		die(EXIT_USAGE, "-m, -R, -p and -P go with -k: usage: %s", usage);
	if (in.from_ns > in.to_ns)
		die(EXIT_USAGE, "-f and -t: the end comes before the beginning");
	if ((in.from_ns != INT64_MIN || in.to_ns != INT64_MAX) && optind == argc)
		die(EXIT_USAGE, "-f and -t choose among files: name files or folders");
	if (open_them && isatty(STDOUT_FILENO))
		die(EXIT_USAGE, "stdout: is a terminal: give the video to a player or a file");
	if (optind == argc && isatty(STDIN_FILENO))
		die(EXIT_USAGE, "stdin: is a terminal: name files, or pipe them in");
	signal(SIGPIPE, SIG_IGN);
	for (unsigned i = 0; i < keys; i++)
		keys_add(&config, key_path[i], passphrase_fd);
	char standard_input[] = "-";
	if (optind == argc && inputs_add(&in, standard_input) < 0)
		die_errno(EXIT_TEMPORARY, "memory");
	for (int i = optind; i < argc; i++)
		if (inputs_add(&in, argv[i]) < 0)
			die_errno(EXIT_TEMPORARY, "%s", argv[i]);
	inputs_packs_first(&in);
	for (size_t i = 0; i < in.n; i++)
		config.packs_follow |= strcmp(in.path[i], "-") == 0;
	setvbuf(stdout, NULL, _IOFBF, OUT_BYTES);
	if (play && playback_start() < 0)
		die_errno(EXIT_TEMPORARY, "cam-mux");
	struct reader_sink sink = {.ctx = &reader,
	        .verdict = on_verdict,
	        .content = open_them ? on_content : NULL,
	        .closed = report_closed};
	if (config.reports)
		sink.content = on_report;
	if (play) {
		sink.content = playback_content;
		sink.stretch = playback_stretch;
	}
	confine(&in);
	reader_init(&reader, &config, &sink);
	report_begin(form);

	int unread = inputs_read(&reader, &in) > 0 || in.failed;
	if (play && (played = playback_finish()) < 0)
		die_errno(EXIT_TEMPORARY, "cam-mux");
	int silent = age_s >= 0 && too_old(age_s);
	if (!reader.segments && !unread && !reader.findings && !silent)
		msg("nothing to open: no segment in the input");
	if (open_them && reader.other_kind)
		msg("%" PRIu64 " segments of %s left out", reader.other_kind,
		        config.reports ? "video" : "reports (-R opens them)");
	if (form == REPORT_MESSAGES && reader.stubs)
		stubs_tell(&reader);
	int negative = played || silent || reader.findings || !reader.segments;
	reader_free(&reader);
	evicted_free();
	inputs_free(&in);
	if (fclose(stdout) != 0)
		die_errno(EXIT_TEMPORARY, "stdout");
	return played && played != EXIT_NEGATIVE ? EXIT_TEMPORARY
	       : unread                          ? EXIT_TEMPORARY
	       : negative                        ? EXIT_NEGATIVE
	                                         : EXIT_OK;
}
