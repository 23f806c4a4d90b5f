/* cam-open: records of cam-segment(5) from files or stdin, verified, and the H.264 in them to stdout.
 *
 * Reads the cameras' public keys and, to open, a recipient's secret key, which is held in locked memory. May
 * not touch the network, nor write anything but stdout and messages. */
#define _GNU_SOURCE
#include "clocks.h"
#include "fdio.h"
#include "keyfile.h"
#include "msg.h"
#include "name.h"
#include "opt.h"
#include "passphrase.h"
#include "reader.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK_BYTES = 64 << 10, OUT_BYTES = 256 << 10, LABEL_BYTES_MAX = 160 };

static const char usage[] = "cam-open -k KEY [-k KEY ...] [-s DEVPUB ...] [-R] [-p] [-P FD] [FILE ...] | cam-open -V | -l [-s DEVPUB ...] [FILE ...]";

static enum { OPEN, VERIFY, LIST } mode = OPEN;
static char findings[LABEL_BYTES_MAX]; /* of the segment that is open */

static void segment_name(char out[NAME_BYTES_MAX], const struct reader_segment *s)
{
	struct name n = {.epoch = s->header.epoch, .segment = s->header.prefix.segment,
		.utc_s = s->header.utc_ns < 0 ? 0 : (uint64_t)s->header.utc_ns / 1000000000, .state = NAME_CAM};
	memcpy(n.stream, s->header.prefix.stream, sizeof n.stream);
	name_put(out, &n);
	*strrchr(out, '.') = '\0';
}

static void on_verdict(void *ctx, enum reader_verdict v, const struct reader_segment *s, const char *text)
{
	char name[NAME_BYTES_MAX] = "-";
	(void)ctx;

	if (s)
		segment_name(name, s);
	if (s && v > READER_RECIPIENTS_CHANGED && strlen(findings) + strlen(reader_verdict_name(v)) + 3 < sizeof findings &&
		!strstr(findings, reader_verdict_name(v))) {
		if (*findings)
			strncat(findings, ", ", sizeof findings - strlen(findings) - 1);
		strncat(findings, reader_verdict_name(v), sizeof findings - strlen(findings) - 1);
	}
	if (mode == VERIFY)
		printf("%s\t%s\t%s\n", name, reader_verdict_name(v), text);
	else if (v > READER_RECIPIENTS_CHANGED)
		msg("%s: %s: %s", name, reader_verdict_name(v), text);
}

static void list_line(const struct reader_segment *s, const char *name)
{
	char when[64];
	time_t t = (time_t)(s->header.utc_ns / 1000000000);
	struct tm tm;
	const struct record_mark *m = &s->mark;
	double seconds = m->prefix.type && m->boot_ns > s->header.boot_ns ? (double)(m->boot_ns - s->header.boot_ns) / 1e9 : 0;

	localtime_r(&t, &tm);
	strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S%z", &tm);
	printf("%-24s %-14s %8.1f %7" PRIu32 " %6" PRIu32 " %10" PRIu64 " %4u  %s  %s\n", when, clocks_state_name(s->header.clock_state), seconds,
		m->access_units, m->drops, s->record_bytes, s->header.recipients, name, *findings ? findings : "ok");
}

static void on_closed(void *ctx, const struct reader_segment *s)
{
	char name[NAME_BYTES_MAX];
	(void)ctx;

	segment_name(name, s);
	if (mode == LIST)
		list_line(s, name);
	if (mode == OPEN && s->torn_units)
		msg("%s: %" PRIu32 " access units that the camera was cut off in are left out", name, s->torn_units);
	if (mode == VERIFY && !s->findings)
		printf("%s\tok\t%" PRIu32 " access units, %" PRIu64 " bytes of content\n", name, s->mark.access_units, s->mark.payload_bytes);
	findings[0] = '\0';
}

static int on_content(void *ctx, const uint8_t *p, size_t n)
{
	(void)ctx;
	return fwrite(p, 1, n, stdout) == n ? 0 : -1;
}

static void device_add(struct reader_config *c, const char *path)
{
	struct keyfile_key key[READER_DEVICES_MAX];
	size_t n;
	const char *why = keyfile_load(path, KEYFILE_DEVICE, key, READER_DEVICES_MAX - c->devices, &n);

	if (why)
		die(EXIT_USAGE, "%s: %s", path, why);
	for (size_t i = 0; i < n; i++)
		memcpy(c->device_pk[c->devices++], key[i].pk, RECORD_PK_BYTES);
}

static void key_unlock(const char *path, struct keyfile_key *key, int passphrase_fd)
{
	char prompt[512], *passphrase = sodium_malloc(PASSPHRASE_BYTES_MAX + 1);
	const char *why;

	if (!passphrase)
		die(EXIT_TEMPORARY, "no locked memory for the passphrase");
	snprintf(prompt, sizeof prompt, "Passphrase for %s: ", path);
	why = passphrase_fd >= 0 ? passphrase_read(passphrase_fd, passphrase) : passphrase_ask(prompt, passphrase);
	if (!why)
		why = keyfile_unlock(key, passphrase, strlen(passphrase));
	sodium_free(passphrase);
	if (why)
		die(EXIT_USAGE, "%s: %s", path, why);
}

static void keys_add(struct reader_config *c, const char *const *path, size_t paths, int passphrase_fd)
{
	static struct keyfile_key key[READER_KEYS_MAX];
	size_t n;

	for (size_t i = 0; i < paths; i++) {
		size_t before = c->keys;
		const char *why = keyfile_load(path[i], KEYFILE_RECIPIENT_SECRET, key + before, READER_KEYS_MAX - before, &n);
		if (why)
			die(EXIT_USAGE, "%s: %s", path[i], why);
		for (c->keys += n; before < c->keys; before++) {
			if (key[before].locked)
				key_unlock(path[i], &key[before], passphrase_fd);
			memcpy(c->pk[before], key[before].pk, RECORD_PK_BYTES);
			c->sk[before] = key[before].secret;
		}
	}
}

/* 0, or -1 when the file could not be read to its end. */
static int file_read(struct reader *r, const char *path)
{
	static uint8_t chunk[CHUNK_BYTES];
	int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n = -1;

	if (fd < 0) {
		msg_errno("%s", path);
		return -1;
	}
	for (;;) {
		n = read(fd, chunk, sizeof chunk);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		if (reader_push(r, chunk, (size_t)n) < 0 || fflush(stdout) != 0)
			goto stopped;
	}
	if (n < 0)
		msg_errno("%s", path);
	if (fd != STDIN_FILENO)
		close(fd);
	if (reader_flush(r) < 0 || fflush(stdout) != 0)
		goto stopped;
	return n < 0 ? -1 : 0;
stopped:
	if (errno == EPIPE)
		exit(r->findings ? EXIT_NEGATIVE : EXIT_OK);
	die_errno(EXIT_TEMPORARY, "stdout");
}

int main(int argc, char **argv)
{
	static struct reader reader;
	static struct reader_config config;
	const char *key_path[READER_KEYS_MAX];
	size_t keys = 0;
	int passphrase_fd = -1, c, unread = 0;

	msg_init("cam-open");
	if (sodium_init() < 0)
		die(EXIT_TEMPORARY, "libsodium: cannot be initialised");
	while ((c = opt_next(argc, argv, "k:s:VlRpP:", "ks", usage)) != -1)
		switch (c) {
		case 'k':
			if (keys == READER_KEYS_MAX)
				die(EXIT_USAGE, "-k: at most %d", READER_KEYS_MAX);
			key_path[keys++] = optarg;
			break;
		case 's': device_add(&config, optarg); break;
		case 'V':
		case 'l':
			if (mode != OPEN)
				die(EXIT_USAGE, "-V and -l: one or the other: usage: %s", usage);
			mode = c == 'V' ? VERIFY : LIST;
			break;
		case 'R': config.reports = 1; break;
		case 'p': config.proven_only = 1; break;
		case 'P': passphrase_fd = (int)opt_number('P', 0, 1023); break;
		default: die(EXIT_BUG, "-%c: not handled", c);
		}
	if ((mode == OPEN) == (keys == 0) || (mode != OPEN && (config.proven_only || config.reports || passphrase_fd >= 0)))
		die(EXIT_USAGE, "usage: %s", usage);
	if (mode == OPEN && isatty(STDOUT_FILENO))
		die(EXIT_USAGE, "stdout: is a terminal: give the H.264 to a player or a file");
	if (optind == argc && isatty(STDIN_FILENO))
		die(EXIT_USAGE, "stdin: is a terminal: name files, or pipe them in");
	signal(SIGPIPE, SIG_IGN);
	keys_add(&config, key_path, keys, passphrase_fd);
	setvbuf(stdout, NULL, _IOFBF, OUT_BYTES);
	const struct reader_sink sink = {NULL, on_verdict, mode == OPEN ? on_content : NULL, on_closed};
	reader_init(&reader, &config, &sink);
	if (mode == LIST)
		printf("%-24s %-14s %8s %7s %6s %10s %4s  %-55s  %s\n", "start", "clock", "seconds", "frames", "drops", "bytes", "keys", "segment", "verdict");

	if (optind == argc)
		unread += file_read(&reader, "-") < 0;
	for (int i = optind; i < argc; i++)
		unread += file_read(&reader, argv[i]) < 0;
	if (!reader.segments && !unread && !reader.findings)
		msg("nothing to open: no segment in the input");
	if (mode == OPEN && reader.other_kind)
		msg(config.reports ? "%" PRIu64 " segments of video left out" : "%" PRIu64 " reports left out: -R opens them", reader.other_kind);
	int negative = reader.findings || !reader.segments;
	reader_free(&reader);
	if (fclose(stdout) != 0)
		die_errno(EXIT_TEMPORARY, "stdout");
	return unread ? EXIT_TEMPORARY : negative ? EXIT_NEGATIVE : EXIT_OK;
}
