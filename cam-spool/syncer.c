#define _GNU_SOURCE
#include "syncer.h"

#include "dir.h"
#include "fdio.h"
#include "msg.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the thread knows: its ends of the two pipes. */
struct ends {
	int jobs, answers;
};

_Static_assert(sizeof(struct syncer_job) <= PIPE_BUF, "a job is one write");

static struct syncer_answer work(const struct syncer_job *j)
{
	if (fdatasync(j->file) < 0)
		return (struct syncer_answer){SYNCER_DATA, errno};
	if (j->entry && dir_sync(j->dir, j->file) < 0)
		return (struct syncer_answer){SYNCER_ENTRY, errno};
	if (!*j->to)
		return (struct syncer_answer){SYNCER_DONE, 0};
	if (renameat(j->dir, j->from, j->dir, j->to) < 0)
		return (struct syncer_answer){SYNCER_RENAME, errno};
	if (dir_sync(j->dir, j->file) < 0)
		return (struct syncer_answer){SYNCER_DIRECTORY, errno};
	return (struct syncer_answer){SYNCER_DONE, 0};
}

static void *run(void *arg)
{
	const struct ends e = *(const struct ends *)arg;
	struct syncer_job j;

	free(arg);
	while (fd_read(e.jobs, &j, sizeof j) == sizeof j) {
		struct syncer_answer a = work(&j);
		if (fd_write(e.answers, &a, sizeof a) < 0)
			break;
	}
	return NULL;
}

void syncer_start(struct syncer *s)
{
	int jobs[2], answers[2];
	struct ends *e = malloc(sizeof *e);
	pthread_t thread;
	sigset_t all, before;

	if (!e || pipe2(jobs, O_CLOEXEC) < 0 || pipe2(answers, O_CLOEXEC) < 0)
		die_errno(EXIT_TEMPORARY, "thread");
	*e = (struct ends){.jobs = jobs[0], .answers = answers[1]};
	*s = (struct syncer){.jobs = jobs[1], .answers = answers[0]};
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	errno = pthread_create(&thread, NULL, run, e);
	if (errno)
		die_errno(EXIT_TEMPORARY, "thread");
	pthread_detach(thread);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void syncer_give(struct syncer *s, const struct syncer_job *job)
{
	if (s->busy || fd_write(s->jobs, job, sizeof *job) < 0)
		die(EXIT_BUG, "syncer");
	s->busy = true;
}

struct syncer_answer syncer_answer(struct syncer *s)
{
	struct syncer_answer a;

	if (!s->busy || fd_read(s->answers, &a, sizeof a) != sizeof a)
		die(EXIT_BUG, "syncer");
	s->busy = false;
	return a;
}
