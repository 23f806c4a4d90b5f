/* A Pi 3 has no clock of its own: after a power cut it is 1970, or whatever was saved last, until the network
 * tells. Reads the kernel's clocks and, once, the names in the spool directory; holds what servers said.
 *
 * Who can lie here: a clock that was set wrong earlier (its time lives on in segments' names), and the
 * network, which may set a clock. A time in the past makes expired certificates good again, no further back
 * than the program's build date; one in the future makes all look expired, and is therefore believed for ten
 * years only, and only as long as the kernel's clock is not synchronised. What the verified server says
 * decides how its own requests are dated and nothing else. */
#define _GNU_SOURCE
#include "truetime.h"

#include "clocks.h"
#include "name.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Set by the Makefile: SOURCE_DATE_EPOCH, or the date of the commit. */
#ifndef TRUETIME_BUILT_S
#define TRUETIME_BUILT_S 1795392000 /* 2026-11-23: no source without a date is older */
#endif

static const int64_t date_s_max = 253402300799; /* 9999-12-31T23:59:59Z: four digits for the year */

void truetime_init(struct truetime *t)
{
	*t = (struct truetime){.built_s = TRUETIME_BUILT_S, .least_s = TRUETIME_BUILT_S};
}

static int plausible(const struct truetime *t, int64_t utc_s)
{
	return utc_s >= t->built_s && utc_s <= t->built_s + TRUETIME_HEARSAY_S;
}

void truetime_name(struct truetime *t, uint64_t utc_s)
{
	if (utc_s < (uint64_t)date_s_max && plausible(t, (int64_t)utc_s) && (int64_t)utc_s > t->least_s)
		t->least_s = (int64_t)utc_s;
}

int truetime_spool(struct truetime *t, int dir_fd)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	struct name n;

	if (!d) {
		const int err = errno;
		if (fd >= 0)
			close(fd);
		errno = err;
		return -1;
	}
	while (errno = 0, (e = readdir(d)) != NULL)
		if (name_parse(e->d_name, &n) == 0)
			truetime_name(t, n.utc_s);
	const int err = errno;
	closedir(d);
	errno = err;
	return err ? -1 : 0;
}

static int64_t boot_s(void)
{
	return (int64_t)(clocks_boot_ns() / 1000000000);
}

void truetime_learn(struct truetime *t, int64_t server_s)
{
	if (server_s < 0 || server_s > date_s_max)
		return;
	t->learnt = 1;
	t->ahead_s = server_s - boot_s();
}

int64_t truetime_certificates_s(const struct truetime *t, int *sure)
{
	struct clocks now;
	clocks_now(&now);
	int64_t s = now.utc_ns / 1000000000;

	*sure = now.state == CLOCKS_SYNCHRONISED;
	if (*sure || (plausible(t, s) && s > t->least_s))
		return s;
	return t->least_s;
}

int64_t truetime_requests_s(const struct truetime *t)
{
	int sure;
	int64_t s = t->learnt ? t->ahead_s + boot_s() : truetime_certificates_s(t, &sure);
	return s < 0 ? 0 : s > date_s_max ? date_s_max : s;
}

int64_t truetime_http_date_s(const char *value)
{
	struct tm tm = {0};
	/* The locale is C: nobody sets another. */
	const char *end = strptime(value, "%a, %d %b %Y %H:%M:%S GMT", &tm);
	if (!end || *end || tm.tm_year < 70 || tm.tm_year > 9999 - 1900)
		return -1;
	return (int64_t)timegm(&tm);
}
