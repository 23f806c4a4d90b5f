/* cam-capture's sandbox. Reads the names of devices; opens none of them.
 *
 * A camera is opened by libcamera, which loads modules and starts threads: until it is configured it can read
 * what it is installed with and open video devices, but start no process. It would do that for a module that
 * its own signature does not vouch for. */
#define _GNU_SOURCE
#include "cell.h"

#include "msg.h"
#include "sandbox.h"

#include <dirent.h>
#include <fcntl.h>
#include <glob.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum { DEVICES_MAX = 96, LOADERS = DEVICES_MAX };

static const char *const patterns[] = {
        "/dev/media*", "/dev/video*", "/dev/v4l-subdev*", "/dev/dma_heap/*", "/dev/udmabuf"};
static const char *const installed[] = {"/usr/lib", "/usr/local/lib", "/lib", "/usr/share/libcamera",
        "/usr/local/share/libcamera", "/etc/libcamera", "/etc/ld.so.cache", "/etc/udev", "/run/udev", "/sys",
        "/proc/cpuinfo"};

enum { PATTERNS = sizeof patterns / sizeof *patterns, INSTALLED = sizeof installed / sizeof *installed };

/* The filter would refuse it, too, but without a word. */
static void refuse_process(void)
{
	static const char text[] =
	        "cam-capture: camera: libcamera wants a process of its own for a module that "
	        "is not signed: refused\n";
	(void)!write(STDERR_FILENO, text, sizeof text - 1);
	_exit(EXIT_TEMPORARY);
}

/* What a camera is opened with, in the order of the places. */
struct paths {
	const char *path[5 + DEVICES_MAX + INSTALLED + LOADERS];
	size_t n;
	glob_t devices, loaders;
};

static void globs_add(struct paths *p, glob_t *g, const char *const *pattern, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (glob(pattern[i], i ? GLOB_APPEND : 0, NULL, g) == GLOB_NOSPACE)
			die(EXIT_TEMPORARY, "sandbox: out of memory");
	for (size_t i = 0; i < g->gl_pathc && i < DEVICES_MAX; i++)
		p->path[p->n++] = g->gl_pathv[i];
}

static void paths_find(struct paths *p)
{
	*p = (struct paths){.path = {"/dev", sandbox_next}, .n = 2};
	globs_add(p, &p->devices, patterns, PATTERNS);
	p->path[p->n++] = sandbox_next;
	for (size_t i = 0; i < INSTALLED; i++)
		p->path[p->n++] = installed[i];
}

static int threads(void)
{
	DIR *d = opendir("/proc/self/task");
	int n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n - 2; /* . and .. */
}

void cell_again(char **argv, int keep)
{
	static const char done[] = "CAM_CAPTURE_AGAIN";
	static const char *const loader[] = {"/lib64/ld-linux*", "/lib/ld-linux*"};
	static struct paths p;

	if (!sandbox_is_built() || getenv(done) || threads() <= 1) {
		unsetenv(done);
		return;
	}
	paths_find(&p);
	p.path[p.n++] = sandbox_next;
	p.path[p.n++] = "/proc/self/exe";
	p.path[p.n++] = "/proc/self/task";
	globs_add(&p, &p.loaders, loader, sizeof loader / sizeof *loader);
	sandbox_confine(&profile_capture_again, p.path, p.n);
	if (keep >= 0 && fcntl(keep, F_SETFD, 0) < 0)
		die_errno(EXIT_TEMPORARY, "sandbox: descriptor %d", keep);
	setenv(done, "1", 1);
	execv("/proc/self/exe", argv);
	die_errno(EXIT_TEMPORARY, "sandbox: cannot execute itself anew");
}

static void devices_starting(void)
{
	static struct paths p;

	if (pthread_atfork(refuse_process, NULL, NULL) != 0)
		die(EXIT_TEMPORARY, "sandbox: out of memory");
	paths_find(&p);
	sandbox_enter(&profile_capture_camera, p.path, p.n);
}

void cell_starting(bool devices)
{
	if (devices)
		devices_starting();
	else
		sandbox_enter(&profile_capture_starting, NULL, 0);
}

void cell_streaming(bool devices)
{
	sandbox_filter(devices ? &profile_capture_live : &profile_capture);
}
