/* epoch: whatever a power cut does to one slot, the other one is used, and a start's number is never used
 * again. */
#define _GNU_SOURCE
#include "epoch.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_BYTES = 1024, SLOT_BYTES = 128 };

static const char path[] = "epoch";

static void shut(struct epoch *e)
{
	close(e->fd);
	close(e->dir_fd);
}

static long file_get(uint8_t p[FILE_BYTES])
{
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, p, FILE_BYTES);
	close(fd);
	return n;
}

static void file_set(const uint8_t *p, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (write(fd, p, n) != (ssize_t)n)
		abort();
	close(fd);
}

static struct epoch_state state_make(uint64_t raised, uint32_t record)
{
	struct epoch_state s = {
	        .raised = raised, .epoch = raised, .segment = 7, .record = record, .type = RECORD_CHECKPOINT};
	memset(s.stream, (int)raised, sizeof s.stream);
	memset(s.hash, (int)record, sizeof s.hash);
	return s;
}

static int same(const struct epoch_state *a, const struct epoch_state *b)
{
	return a->raised == b->raised && a->epoch == b->epoch && a->segment == b->segment &&
	       a->record == b->record && a->type == b->type &&
	       memcmp(a->stream, b->stream, sizeof a->stream) == 0 &&
	       memcmp(a->hash, b->hash, sizeof a->hash) == 0;
}

static int opens_as(const struct epoch_state *want, int want_lost)
{
	struct epoch e;
	struct epoch_state last;
	int lost = 7, r = epoch_open(&e, path, &last, &lost) == 0 && lost == want_lost && same(&last, want);
	shut(&e);
	return r;
}

static void fresh(void)
{
	struct epoch e, other;
	struct epoch_state last, nothing = {0}, s = state_make(1, 5);
	struct stat st;
	int lost;

	ok(epoch_open(&e, path, &last, &lost) == 0 && !lost && same(&last, &nothing),
	        "a new file remembers nothing, and nothing is lost");
	ok(stat(path, &st) == 0 && (st.st_mode & 07777) == 0600, "only its owner may read it");
	ok(epoch_open(&other, path, &last, &lost) < 0 && errno == EWOULDBLOCK,
	        "a second one is refused while the first holds it");
	ok(epoch_write(&e, &s) == 0 && epoch_sync(&e, 1) == 0, "written and synced");
	shut(&e);
	shut(&other);
	ok(opens_as(&s, 0), "read again");
	ok(epoch_open(&e, "/dev/null", &last, &lost) < 0 && errno == EINVAL, "a device is refused");
	ok(epoch_open(&e, "nowhere/epoch", &last, &lost) < 0 && errno == ENOENT,
	        "a folder that is not there is an error");
}

static void alternates(void)
{
	struct epoch e;
	struct epoch_state last, s;
	uint8_t before[FILE_BYTES], after[FILE_BYTES];
	int lost, one_at_a_time = 0, side[2] = {0, 0};

	unlink(path);
	epoch_open(&e, path, &last, &lost);
	s = state_make(1, 0);
	epoch_write(&e, &s);
	s.record++;
	epoch_write(&e, &s);
	for (int i = 0; i < 20; i++) {
		file_get(before);
		s.record++;
		epoch_write(&e, &s);
		file_get(after);
		int low = memcmp(before, after, 512) != 0, high = memcmp(before + 512, after + 512, 512) != 0;
		one_at_a_time += low != high;
		side[high]++;
	}
	ok(one_at_a_time == 20 && side[0] == 10 && side[1] == 10, "the two blocks are written in turn");
	shut(&e);
	ok(opens_as(&s, 0), "the later one counts");
}

/* A write that stops after any byte, over the old content of its slot, for both slots. */
static void torn(void)
{
	static const uint8_t nothing[FILE_BYTES] = {0};
	struct epoch e;
	struct epoch_state s[4], last;
	uint8_t before[FILE_BYTES] = {0}, after[FILE_BYTES] = {0}, mixed[FILE_BYTES];
	int lost;

	for (int slot = 0; slot < 2; slot++) {
		unsigned right = 0, back = 0;
		unlink(path);
		epoch_open(&e, path, &last, &lost);
		for (unsigned i = 0; i < 3u + (unsigned)slot; i++) {
			s[i] = state_make(i < 2 ? 4 : 5, i);
			file_get(before);
			epoch_write(&e, &s[i]);
		}
		shut(&e);
		const struct epoch_state *newer = &s[2 + slot], *older = &s[1 + slot];
		file_get(after);
		for (size_t cut = 0; cut <= FILE_BYTES; cut++) {
			memcpy(mixed, before, sizeof mixed);
			memcpy(mixed, after, cut);
			file_set(mixed, sizeof mixed);
			epoch_open(&e, path, &last, &lost);
			right += !lost && (same(&last, older) || same(&last, newer));
			back += last.raised < older->raised;
			/* and what is written next does not fall back behind it */
			struct epoch_state next = state_make(last.raised + 1, 99);
			epoch_write(&e, &next);
			shut(&e);
			right += opens_as(&next, 0);
		}
		ok(right == 2 * (FILE_BYTES + 1) && !back,
		        "slot %d torn at each byte: the other one is used (%u)", (2 + slot + 1) % 2, right);
	}
	unsigned used = 0, refused = 0;
	for (int slot = 0; slot < 2; slot++)
		for (size_t i = 0; i < SLOT_BYTES; i++) {
			memcpy(mixed, after, sizeof mixed);
			mixed[512 * slot + i] ^= 0x10;
			file_set(mixed, sizeof mixed);
			used += opens_as(slot == 0 ? &s[2] : &s[3], 0);
			mixed[512 * !slot + SLOT_BYTES - 1 - i] ^= 1;
			file_set(mixed, sizeof mixed);
			refused += opens_as(&(struct epoch_state){0}, 1);
		}
	ok(used == 2 * SLOT_BYTES, "one changed byte anywhere in a slot: the other one is used");
	ok(refused == 2 * SLOT_BYTES, "in both: lost, and nothing of it is believed");
	file_set(nothing, sizeof nothing);
	ok(opens_as(&(struct epoch_state){0}, 1), "zeros only: lost");
	file_set(after, 300);
	struct epoch_state half = {0};
	epoch_open(&e, path, &half, &lost);
	shut(&e);
	ok(!lost && (same(&half, &s[2]) || same(&half, &s[3])), "cut after the first slot: that one is used");
	file_set(nothing, 0);
	ok(opens_as(&(struct epoch_state){0}, 0), "an empty file is a new one");
}

int main(void)
{
	char folder[] = "/tmp/epoch-test.XXXXXX";
	if (sodium_init() < 0 || !mkdtemp(folder) || chdir(folder) < 0)
		return 1;
	fresh();
	alternates();
	torn();
	unlink(path);
	if (chdir("/") < 0 || rmdir(folder) < 0)
		return 1;
	return tap_done();
}
