#define _GNU_SOURCE
#include "playback.h"

#include "annexb.h"
#include "clocks.h"
#include "fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NAL_AUD = 9, AUD_BYTES = 2, UNITS_BYTES = 64 << 10 };

static const uint64_t frame_ns = 33333333; /* until two marks have told better */

static struct {
	pid_t pid;
	int fd;
	struct annexb annexb;
	struct reader_stretch stretch;
	uint32_t unit;    /* of the stretch */
	struct sei stamp; /* for the next access unit without a message */
	uint64_t step_ns; /* between access units */
	int stamp_due;    /* the bytes to come begin an access unit that has no message */
	uint8_t out[UNITS_BYTES];
	size_t n;
} play;

static int out_flush(void)
{
	size_t n = play.n;
	play.n = 0;
	return fd_write(play.fd, play.out, n);
}

static int out_bytes(const uint8_t *p, size_t n)
{
	if (play.n + n > sizeof play.out && out_flush() < 0)
		return -1;
	if (n > sizeof play.out)
		return fd_write(play.fd, p, n);
	memcpy(play.out + play.n, p, n);
	play.n += n;
	return 0;
}

/* The time of the next access unit: even steps from mark to mark, and on at the same pace where none follows.
 */
static void stamp_next(void)
{
	const struct reader_stretch *t = &play.stretch;
	uint32_t steps = t->access_units > (t->first ? 1u : 0u) ? t->access_units - (t->first ? 1u : 0u) : 1,
	         k = play.unit + (t->first ? 0 : 1);

	if (t->access_units && play.unit < t->access_units && t->to_boot_ns > t->from_boot_ns) {
		play.step_ns = (t->to_boot_ns - t->from_boot_ns) / steps;
		play.stamp.boot_ns = t->from_boot_ns + play.step_ns * k;
		play.stamp.utc_ns = t->from_utc_ns + (int64_t)(play.step_ns * k);
	} else {
		play.stamp.boot_ns += play.step_ns;
		play.stamp.utc_ns += (int64_t)play.step_ns;
	}
	play.stamp.clock_state = t->clock_state;
	play.stamp.motion = UINT16_MAX;
	play.stamp.rest_bytes = SEI_REST_UNKNOWN;
	play.stamp.frame++;
	play.unit++;
}

static int unit_begin(void *ctx, const struct annexb_head *head)
{
	(void)ctx;
	stamp_next();
	play.stamp_due = !head->has_sei;
	return 0;
}

/* The message stands behind the delimiter, if there is one. */
static size_t stamp_offset(const uint8_t *p, size_t n)
{
	size_t zeros = 0;
	while (zeros < n && !p[zeros])
		zeros++;
	if (zeros < 2 || zeros + 2 + AUD_BYTES > n || p[zeros] != 1 || (p[zeros + 1] & 31) != NAL_AUD)
		return 0;
	return zeros + 1 + AUD_BYTES;
}

static int unit_bytes(void *ctx, const uint8_t *p, size_t n)
{
	(void)ctx;
	if (play.stamp_due) {
		uint8_t sei[SEI_NAL_BYTES];
		size_t at = stamp_offset(p, n);
		play.stamp_due = 0;
		sei_put(sei, &play.stamp);
		if (out_bytes(p, at) < 0 || out_bytes(sei, sizeof sei) < 0)
			return -1;
		p += at;
		n -= at;
	}
	return out_bytes(p, n);
}

static int unit_end(void *ctx, int torn, int has_picture)
{
	(void)ctx;
	(void)torn;
	if (!has_picture && play.unit)
		play.unit--;
	return 0;
}

int playback_start(void)
{
	extern char **environ;
	char tool[] = "cam-mux", *argv[] = {tool, NULL};
	posix_spawn_file_actions_t actions;
	int p[2];

	if (pipe2(p, O_CLOEXEC) < 0)
		return -1;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, p[0], STDIN_FILENO);
	int err = posix_spawnp(&play.pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(p[0]);
	if (err) {
		errno = err;
		return -1;
	}
	play.fd = p[1];
	play.step_ns = frame_ns;
	annexb_init(&play.annexb, &(struct annexb_sink){NULL, unit_begin, unit_bytes, unit_end});
	return 0;
}

int playback_content(void *ctx, const uint8_t *p, size_t n)
{
	(void)ctx;
	return annexb_push(&play.annexb, p, n);
}

void playback_stretch(void *ctx, const struct reader_stretch *stretch)
{
	(void)ctx;
	/* a stretch begins with an access unit: the one before is whole */
	annexb_silence(&play.annexb);
	play.stretch = *stretch;
	play.unit = 0;
}

int playback_finish(void)
{
	int status, r = annexb_finish(&play.annexb) < 0 || out_flush() < 0 ? -1 : 0, err = errno;

	close(play.fd);
	while (waitpid(play.pid, &status, 0) < 0 && errno == EINTR)
		;
	errno = err;
	if (r < 0 && errno != EPIPE)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
