/* Last resorts. The handlers write one line each, with nothing but write(). */
#define _GNU_SOURCE
#include "guard.h"

#include "msg.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void aborted(int unused)
{
	static const char line[] =
	        "cam-capture: camera: libcamera aborted: LIBCAMERA_LOG_LEVELS=*:DEBUG shows more\n";
	(void)unused;
	(void)!write(STDERR_FILENO, line, sizeof line - 1);
	_exit(EXIT_TEMPORARY);
}

static void late(int unused)
{
	static const char line[] = "cam-capture: camera: opening it takes too long\n";
	(void)unused;
	(void)!write(STDERR_FILENO, line, sizeof line - 1);
	_exit(EXIT_TEMPORARY);
}

static void leave(int status, void *unused)
{
	(void)unused;
	fflush(stdout);
	_exit(status);
}

int guard_enter(void)
{
	const struct sigaction abort_action = {.sa_handler = aborted}, alarm_action = {.sa_handler = late};
	return on_exit(leave, NULL) != 0 || sigaction(SIGABRT, &abort_action, NULL) < 0 ||
	                       sigaction(SIGALRM, &alarm_action, NULL) < 0
	               ? -1
	               : 0;
}

void guard_begin(uint32_t limit_s)
{
	alarm(limit_s);
}

void guard_end(void)
{
	alarm(0);
}
