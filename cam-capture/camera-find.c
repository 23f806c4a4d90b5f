/* Finds cameras, lists them, and says why there is none. Reads the names below /dev. */
#define _GNU_SOURCE
#include "camera-find.h"

#include "camera.h"
#include "guard.h"
#include "libcamera.h"
#include "msg.h"
#include "number.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FORMATS_MAX = 64, SIZES_MAX = 64 };

/* libcamera locks the device of a camera that is in use. Some drivers then refuse to another process even the
 * look that it takes to list the camera, about which libcamera writes lines that say less than this. */
static bool is_busy(int fd, const char *name)
{
	char unused[LIBCAMERA_NAME_BYTES];

	if (lockf(fd, F_TEST, 0) == 0 || (errno != EACCES && errno != EAGAIN))
		return false;
	while (libcamera_log(unused, sizeof unused))
		;
	msg("no camera: %s: busy: another process has it", name);
	return true;
}

/* Says why this device gives no camera, if it can be seen. */
static bool device_explains(const char *name)
{
	int fd = open(name, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		msg_errno("no camera: %s", name);
		return true;
	}
	bool busy = is_busy(fd, name);
	close(fd);
	return busy;
}

/* libcamera leaves out what it cannot open, or what udev has not announced, without a word. */
static int absent(void)
{
	glob_t g;
	int r = glob("/dev/media*", 0, NULL, &g);

	if (r == GLOB_NOMATCH) {
		msg("no camera: there is no /dev/media device: no driver has found one");
		return EXIT_TEMPORARY;
	}
	for (size_t i = 0; !r && i < g.gl_pathc; i++)
		if (device_explains(g.gl_pathv[i]))
			return EXIT_TEMPORARY;
	msg("no camera: libcamera %s knows none of the devices here, or udev has not announced them",
	        libcamera_version());
	return EXIT_TEMPORARY;
}

static int no_such(const char *which)
{
	char text[512] = "";
	size_t at = 0;

	for (unsigned i = 0; i < libcamera_count() && at < sizeof text; i++)
		at += (size_t)snprintf(text + at, sizeof text - at, " %u (%s)", i, libcamera_id(i));
	msg("no camera %s: there are:%s", which, text);
	return EXIT_TEMPORARY;
}

static int begin(void)
{
	int r = libcamera_begin(getenv("LIBCAMERA_LOG_LEVELS") != NULL);
	if (!r)
		return EXIT_OK;
	errno = -r;
	msg_errno("no camera: libcamera cannot start");
	return EXIT_TEMPORARY;
}

static int choose(unsigned camera)
{
	int r = libcamera_choose(camera);
	if (!r)
		return EXIT_OK;
	errno = -r;
	msg_errno("camera %s: gives no video", libcamera_id(camera));
	return EXIT_TEMPORARY;
}

int camera_find(const char *which, const char **id)
{
	uint64_t wanted = 0;

	if (begin())
		return EXIT_TEMPORARY;
	unsigned n = libcamera_count();
	if (!n)
		return absent();
	if (which && number_parse(which, 0, UINT32_MAX, &wanted) < 0)
		for (wanted = 0; wanted < n && strcmp(libcamera_id((unsigned)wanted), which) != 0;)
			wanted++;
	if (wanted >= n)
		return no_such(which);
	*id = libcamera_id((unsigned)wanted);
	return choose((unsigned)wanted);
}

static void list_formats(const char *id)
{
	struct libcamera_format formats[FORMATS_MAX];
	struct libcamera_size sizes[SIZES_MAX];
	unsigned n = libcamera_formats(formats, FORMATS_MAX);

	for (unsigned i = 0; i < n; i++) {
		unsigned m = libcamera_sizes(formats[i].fourcc, sizes, SIZES_MAX);
		printf("format\t%s\t%s", id, formats[i].name);
		for (unsigned k = 0; k < m; k++)
			printf(" %ux%u", sizes[k].width, sizes[k].height);
		putchar('\n');
	}
}

static void list_controls(const char *id)
{
	const struct control *c;
	struct libcamera_range range;

	for (size_t i = 0; (c = control_at(i)); i++) {
		if (libcamera_control(c->theirs, &range) < 0)
			continue;
		printf("control\t%s\t%s", id, c->name);
		for (size_t k = 0; c->words && c->words[k]; k++)
			printf(" %s", c->words[k]);
		if (!c->words && range.min <= range.max)
			printf(" %g to %g", range.min, range.max);
		putchar('\n');
	}
}

int camera_list(uint32_t silence_s)
{
	if (guard_enter() < 0) {
		msg_errno("camera");
		return EXIT_TEMPORARY;
	}
	guard_begin(silence_s);
	if (begin())
		return EXIT_TEMPORARY;
	for (unsigned i = 0; i < libcamera_count(); i++) {
		const char *id = libcamera_id(i), *model = libcamera_model(i);
		printf("camera\t%s\t%u%s%s\n", id, i, *model ? " " : "", model);
		if (choose(i))
			continue;
		list_formats(id);
		list_controls(id);
	}
	guard_end();
	return EXIT_OK;
}
