/* stop: waiting, until something says that capturing is over: SIGTERM, SIGINT, or a writer that failed. */
#ifndef STOP_H
#define STOP_H
#include <stdbool.h>
#include <stdint.h>

struct stop {
	int signal_fd; /* readable for good once SIGTERM or SIGINT came */
	int failed_fd; /* the same for a failed writer */
};

#define STOP_NEVER INT64_MAX

/* Blocks the two signals, which threads made later inherit. 0, or -1 with errno. */
int stop_open(struct stop *s);
/* A signal came. */
bool stop_asked(const struct stop *s);
/* Waits until fd (-1: none) is readable or CLOCK_MONOTONIC is until_ns; STOP_NEVER waits on. True when
 * capturing is over. */
bool stop_wait(const struct stop *s, int fd, int64_t until_ns);
/* The same for two. */
bool stop_wait_either(const struct stop *s, int fd, int other_fd, int64_t until_ns);
int64_t stop_clock_ns(void);
#endif
