#define _GNU_SOURCE
#include "epoch.h"

#include "fdio.h"
#include "le.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK_BYTES = 512, BODY_BYTES = 128, SLOT_BYTES = BODY_BYTES + RECORD_HASH_BYTES };

static const char magic[16] = "cam-epoch1";

static int slot_parse(const uint8_t *p, uint64_t *sequence, struct epoch_state *m)
{
	uint8_t sum[RECORD_HASH_BYTES];

	record_hash(sum, p, BODY_BYTES);
	if (memcmp(p, magic, sizeof magic) != 0 || memcmp(sum, p + BODY_BYTES, sizeof sum) != 0)
		return -1;
	*sequence = le_get64(p + 16);
	m->raised = le_get64(p + 24);
	m->segment = le_get32(p + 32);
	m->record = le_get32(p + 36);
	memcpy(m->stream, p + 40, sizeof m->stream);
	m->type = p[48];
	m->month = le_get16(p + 50);
	memcpy(m->hash, p + 56, sizeof m->hash);
	m->epoch = le_get64(p + 88);
	memcpy(m->recipients, p + 96, sizeof m->recipients);
	return 0;
}

static int slots_read(struct epoch *e, struct epoch_state *last, int *lost)
{
	uint8_t p[2 * BLOCK_BYTES] = {0};
	ssize_t n = fd_pread(e->fd, p, sizeof p, 0);
	int good = 0;

	if (n < 0)
		return -1;
	for (int i = 0; i < 2; i++) {
		uint64_t sequence;
		struct epoch_state m = {0};
		if (slot_parse(p + i * BLOCK_BYTES, &sequence, &m) == 0 &&
		        (!good++ || sequence > e->sequence)) {
			e->sequence = sequence;
			*last = m;
		}
	}
	*lost = n > 0 && !good;
	return 0;
}

int epoch_open(struct epoch *e, const char *path, struct epoch_state *last, int *lost)
{
	char folder[PATH_MAX];
	struct stat st;

	memset(e, 0, sizeof *e);
	memset(last, 0, sizeof *last);
	if ((size_t)snprintf(folder, sizeof folder, "%s", path) >= sizeof folder) {
		errno = ENAMETOOLONG;
		return -1;
	}
	e->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
	if (e->fd < 0)
		return -1;
	e->dir_fd = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (e->dir_fd < 0 || fstat(e->fd, &st) < 0)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return -1;
	}
	if (flock(e->fd, LOCK_EX | LOCK_NB) < 0)
		return -1;
	return slots_read(e, last, lost);
}

int epoch_write(struct epoch *e, const struct epoch_state *s)
{
	uint8_t p[SLOT_BYTES] = {0};

	memcpy(p, magic, sizeof magic);
	le_put64(p + 16, ++e->sequence);
	le_put64(p + 24, s->raised);
	le_put32(p + 32, s->segment);
	le_put32(p + 36, s->record);
	memcpy(p + 40, s->stream, sizeof s->stream);
	p[48] = s->type;
	le_put16(p + 50, (uint16_t)s->month);
	memcpy(p + 56, s->hash, sizeof s->hash);
	le_put64(p + 88, s->epoch);
	memcpy(p + 96, s->recipients, sizeof s->recipients);
	record_hash(p + BODY_BYTES, p, BODY_BYTES);
	return fd_pwrite(e->fd, p, sizeof p, (off_t)(e->sequence % 2) * BLOCK_BYTES);
}

int epoch_sync(struct epoch *e, int folder)
{
	if (fdatasync(e->fd) < 0)
		return -1;
	return folder ? fsync(e->dir_fd) : 0;
}
