/* cam-capture's sandbox. Reads the names of devices; opens none of them.
 *
 * A camera is opened by libcamera, which loads modules and starts threads: until it is configured it can read
 * what it is installed with and open video devices, but start no process. It would do that for a module that
 * its own signature does not vouch for. */
#define _GNU_SOURCE
#include "cell.h"

#include "msg.h"
#include "sandbox.h"

#include <glob.h>
#include <pthread.h>
#include <unistd.h>

enum { DEVICES_MAX = 96 };

static const char *const patterns[] = {
        "/dev/media*", "/dev/video*", "/dev/v4l-subdev*", "/dev/dma_heap/*", "/dev/udmabuf"};
static const char *const installed[] = {"/usr/lib", "/usr/local/lib", "/lib", "/usr/share/libcamera",
        "/usr/local/share/libcamera", "/etc/libcamera", "/etc/ld.so.cache", "/etc/udev", "/run/udev", "/sys",
        "/proc/cpuinfo"};

enum { PATTERNS = sizeof patterns / sizeof *patterns, INSTALLED = sizeof installed / sizeof *installed };

/* The filter would refuse it, too, but without a word. */
static void refuse_process(void)
{
	static const char text[] = "cam-capture: camera: libcamera wants a process of its own for a module that "
	                           "is not signed: refused\n";
	(void)!write(STDERR_FILENO, text, sizeof text - 1);
	_exit(EXIT_TEMPORARY);
}

static void devices_starting(void)
{
	const char *path[3 + DEVICES_MAX + INSTALLED] = {"/dev", sandbox_next};
	size_t n = 2;
	glob_t g = {0};

	if (pthread_atfork(refuse_process, NULL, NULL) != 0)
		die(EXIT_TEMPORARY, "sandbox: out of memory");
	for (size_t i = 0; i < PATTERNS; i++)
		if (glob(patterns[i], i ? GLOB_APPEND : 0, NULL, &g) == GLOB_NOSPACE)
			die(EXIT_TEMPORARY, "sandbox: out of memory");
	for (size_t i = 0; i < g.gl_pathc && i < DEVICES_MAX; i++)
		path[n++] = g.gl_pathv[i];
	path[n++] = sandbox_next;
	for (size_t i = 0; i < INSTALLED; i++)
		path[n++] = installed[i];
	sandbox_enter(&profile_capture_camera, path, n);
	globfree(&g);
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
