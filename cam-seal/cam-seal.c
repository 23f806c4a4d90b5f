/* cam-seal: H.264 on stdin, records of cam-segment(5) on stdout.
 *
 * Reads its signing key and the recipients' public keys at start and writes its epoch file; holds the signing
 * key only until the stream key is certified. May not touch the network or a device, nor open what it sealed.
 */
#define _GNU_SOURCE
#include "fdio.h"
#include "keyfile.h"
#include "msg.h"
#include "opt.h"
#include "recipients.h"
#include "sandbox.h"
#include "segmenter.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK_BYTES = 64 << 10, DRAIN_QUIET_MS = 200, DRAIN_MS = 2000 };

static const char usage[] = "cam-seal -i SIGNKEY -r RECIPIENTS [-r ...] [-e EPOCHFILE] [-t SECONDS] [-R] [-n "
                            "CHANNEL] [-D FD] [-Z landlock]";

static volatile sig_atomic_t stop_asked, reload_asked;

static void on_signal(int sig)
{
	if (sig == SIGHUP)
		reload_asked = 1;
	else
		stop_asked = 1;
}

/* The signals are blocked but while the loop waits, so that none is lost between a look and a wait. */
static void signals_prepare(sigset_t *waiting)
{
	struct sigaction sa = {.sa_handler = on_signal};
	sigset_t block;

	sigemptyset(&block);
	const int ours[] = {SIGTERM, SIGINT, SIGHUP};
	for (unsigned i = 0; i < sizeof ours / sizeof *ours; i++) {
		sigaction(ours[i], &sa, NULL);
		sigaddset(&block, ours[i]);
	}
	sigprocmask(SIG_BLOCK, &block, waiting);
	for (unsigned i = 0; i < sizeof ours / sizeof *ours; i++)
		sigdelset(waiting, ours[i]);
	signal(SIGPIPE, SIG_IGN);
}

static const char *recipients_path[RECORD_RECIPIENTS_MAX];
static size_t recipients_paths;

/* All files anew; a file that cannot be used leaves the recipients as they were. */
static void recipients_read(struct recipients *r, int first)
{
	static struct recipients fresh;
	const char *why = NULL;
	size_t i;

	memset(&fresh, 0, sizeof fresh);
	for (i = 0; i < recipients_paths && !why; i++)
		why = recipients_add(&fresh, recipients_path[i]);
	if (why && first)
		die(EXIT_USAGE, "%s: %s", recipients_path[i - 1], why);
	if (why) {
		msg("%s: %s: the recipients stay as they were", recipients_path[i - 1], why);
		return;
	}
	*r = fresh;
	if (r->n == 1)
		msg("%s: only one recipient: who loses that key loses the footage", recipients_path[0]);
}

static void device_key_read(const char *path, struct keyfile_key *key)
{
	struct stat st;
	size_t n;
	const char *why = keyfile_load(path, KEYFILE_DEVICE_SECRET, key, 1, &n);

	if (why)
		die(EXIT_USAGE, "%s: %s", path, why);
	if (key->locked)
		die(EXIT_USAGE, "%s: has a passphrase: a camera starts with nobody there", path);
	if (stat(path, &st) == 0 && (st.st_mode & (S_IRWXG | S_IRWXO)))
		msg("%s: others may read the signing key (mode %04o): chmod 0400", path,
		        (unsigned)(st.st_mode & 07777));
}

static const char *epoch_path(const char *asked, const char *signkey)
{
	static char path[PATH_MAX];
	size_t n = strlen(signkey);

	if (asked)
		return asked;
	if (n > 4 && strcmp(signkey + n - 4, ".key") == 0)
		n -= 4;
	if ((size_t)snprintf(path, sizeof path, "%.*s.epoch", (int)n, signkey) >= sizeof path)
		die(EXIT_USAGE, "%s: the name is too long", signkey);
	return path;
}

static int is_beneath(const char *path, const char *dir)
{
	size_t n = strlen(dir);
	return strncmp(path, dir, n) == 0 && (path[n] == '/' || (n && dir[n - 1] == '/'));
}

/* A file of recipients that is replaced by another of its name can be read again only where its directory is
 * allowed; a directory that has the signing key somewhere beneath is not. */
static void confine(const char *signkey)
{
	static char dirs[RECORD_RECIPIENTS_MAX][PATH_MAX];
	const char *place[RECORD_RECIPIENTS_MAX];
	char key[PATH_MAX];

	if (!realpath(signkey, key))
		die_errno(EXIT_TEMPORARY, "%s", signkey);
	for (size_t i = 0; i < recipients_paths; i++) {
		if (!realpath(recipients_path[i], dirs[i]))
			die_errno(EXIT_TEMPORARY, "%s", recipients_path[i]);
		char *dir = dirname(dirs[i]);
		place[i] = is_beneath(key, dir) ? recipients_path[i] : dir;
	}
	sandbox_enter(&profile_seal, place, recipients_paths);
}

/* The certificate is made and the signing key forgotten before the first byte is read. */
static void stream_start(struct sealer *s, struct epoch *e, const char *signkey, const char *epoch_file,
        uint16_t channel, uint8_t kind)
{
	struct epoch_state state;
	struct keyfile_key key;
	uint8_t *sk = sodium_malloc(crypto_sign_SECRETKEYBYTES), pk[crypto_sign_PUBLICKEYBYTES];
	int lost;

	if (!sk)
		die(EXIT_TEMPORARY, "no locked memory for the key");
	device_key_read(signkey, &key);
	if (epoch_open(e, epoch_file, &state, &lost) < 0) {
		if (errno == EWOULDBLOCK)
			die(EXIT_TEMPORARY, "%s: in use by another cam-seal", epoch_file);
		die_errno(EXIT_TEMPORARY, "%s", epoch_file);
	}
	if (lost)
		msg("%s: unreadable: counting from epoch 1, and saying so in the footage", epoch_file);
	crypto_sign_seed_keypair(pk, sk, key.secret);
	keyfile_wipe(&key);
	if (sealer_start(s, STDOUT_FILENO, e, &state, lost, sk, channel, kind) < 0)
		die_errno(EXIT_TEMPORARY, "%s", epoch_file);
	sodium_free(sk);
}

/* 0 go on, 1 end of input, -1 the output took no more. */
static int input_take(struct segmenter *g)
{
	static uint8_t chunk[CHUNK_BYTES];
	ssize_t n = read(STDIN_FILENO, chunk, sizeof chunk);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n < 0)
		die_errno(EXIT_TEMPORARY, "stdin");
	if (!n)
		return 1;
	return segmenter_push(g, chunk, (size_t)n);
}

/* Told to stop: what the pipe holds is footage too, and in a shell the writer before us is stopping as well.
 */
static int drain(struct segmenter *g)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
	uint64_t begun_ns = clocks_boot_ns();

	while (clocks_boot_ns() - begun_ns < DRAIN_MS * 1000000ull && poll(&in, 1, DRAIN_QUIET_MS) > 0) {
		int r = input_take(g);
		if (r)
			return r;
	}
	return 0;
}

/* 0 when everything is out, -1 with errno when the output took no more. */
static int loop(struct segmenter *g, struct recipients *r, const sigset_t *waiting)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};

	for (;;) {
		int ms = segmenter_timeout_ms(g), taken = 0;
		struct timespec ts = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
		int ready = ppoll(&in, 1, ms < 0 ? NULL : &ts, waiting);
		if (ready < 0 && errno != EINTR)
			die_errno(EXIT_TEMPORARY, "poll");
		if (stop_asked)
			return drain(g) < 0 ? -1 : segmenter_finish(g, RECORD_REASON_STOP);
		if (reload_asked) {
			reload_asked = 0;
			recipients_read(r, 0);
		}
		if (ready > 0 && (taken = input_take(g)) < 0)
			return -1;
		if (taken == 1)
			return segmenter_finish(g, RECORD_REASON_EOF);
		if (segmenter_tick(g) < 0)
			return -1;
	}
}

int main(int argc, char **argv)
{
	static struct segmenter segmenter;
	static struct sealer sealer;
	static struct recipients recipients;
	struct epoch epoch;
	const char *signkey = NULL, *epoch_file = NULL;
	uint64_t seconds = 10, channel = 0;
	int ready_fd = -1, raw = 0, c;
	sigset_t waiting;

	msg_init("cam-seal");
	while ((c = opt_next(argc, argv, "i:r:e:t:Rn:D:Z:", "r", usage)) != -1)
		switch (c) {
		case 'i': signkey = optarg; break;
		case 'r':
			if (recipients_paths == RECORD_RECIPIENTS_MAX)
				die(EXIT_USAGE, "-r: at most %d", RECORD_RECIPIENTS_MAX);
			recipients_path[recipients_paths++] = optarg;
			break;
		case 'e': epoch_file = optarg; break;
		case 't': seconds = opt_number('t', 1, 3600); break;
		case 'R': raw = 1; break;
		case 'n': channel = opt_number('n', 0, UINT16_MAX); break;
		case 'D': ready_fd = opt_ready_fd(); break;
		case 'Z': sandbox_waive(optarg); break;
		default: die(EXIT_BUG, "-%c: not handled", c);
		}
	if (!signkey || !recipients_paths || optind != argc)
		die(EXIT_USAGE, "usage: %s", usage);
	if (!raw && isatty(STDIN_FILENO))
		die(EXIT_USAGE, "stdin: is a terminal: H.264 is expected, as from cam-capture(1)");
	if (isatty(STDOUT_FILENO))
		die(EXIT_USAGE,
		        "stdout: is a terminal: sealed footage is binary: give it to cam-spool(1) or a file");
	msg_service();
	if (sodium_init() < 0)
		die(EXIT_TEMPORARY, "libsodium: cannot be initialised");
	signals_prepare(&waiting);
	recipients_read(&recipients, 1);
	stream_start(&sealer, &epoch, signkey, epoch_path(epoch_file, signkey), (uint16_t)channel,
	        raw ? RECORD_KIND_REPORT : RECORD_KIND_VIDEO);
	sealer.recipients = &recipients;
	segmenter_init(&segmenter, &sealer, seconds * 1000000000ull, raw);
	fd_pipe_grow(STDIN_FILENO);
	fd_pipe_grow(STDOUT_FILENO);
	confine(signkey);
	ready_say(ready_fd);

	int r = loop(&segmenter, &recipients, &waiting);
	int err = errno;
	sealer_wipe(&sealer);
	if (r < 0 && err != EPIPE) {
		errno = err;
		die_errno(EXIT_TEMPORARY, "stdout");
	}
	return EXIT_OK;
}
