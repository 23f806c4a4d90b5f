/* cam-status: how a camera is, in lines of text for cam-seal -R.
 *
 * Reads the names and sizes in a spool directory, of the newest segment its records, of packs their stubs;
 * the clock, the temperature, and a line that the last audit left. Writes stdout. Holds nothing. May not
 * touch the network, nor write a file. */
#define _GNU_SOURCE
#include "clocks.h"
#include "evictions.h"
#include "fdio.h"
#include "msg.h"
#include "newest.h"
#include "opt.h"
#include "sandbox.h"
#include "stop.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

enum { EVERY_S = 300, OUT_BYTES = 128 << 10, NS_PER_S = 1000000000, LINE_BYTES_MAX = 512 };

static const char usage[] = "cam-status [-1] [-a AUDIT] [-D FD] [-s SECONDS] [-Z landlock] DIR";
static const char temperature[] = "/sys/class/thermal/thermal_zone0/temp";

/* In the spool, by state; a pack is not what its state says. */
static const char *const states[] = {
        [NAME_PART] = "part", [NAME_CAM] = "cam", [NAME_SENT] = "sent", [NAME_GONE] = "gone"};
enum { STATES = sizeof states / sizeof *states };

struct totals {
	uint64_t number[STATES], bytes[STATES], foreign;
	struct name newest; /* number[...] says whether there is any */
	bool any;
	struct evictions_next packs;
};

static int dir_fd, temperature_fd;
static struct evictions evictions;

static void entry_count(struct totals *t, const char *entry)
{
	struct name n;
	struct stat st;

	if (fstatat(dir_fd, entry, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return; /* gone or renamed since its name was read */
	const int unfinished = evictions_unfinished(entry, &n) == 0;
	if (!unfinished && name_parse(entry, &n) < 0) {
		t->foreign++;
		return;
	}
	t->number[n.state]++;
	t->bytes[n.state] += (uint64_t)st.st_size;
	if (n.state == NAME_GONE)
		evictions_seen(&evictions, &t->packs, &n);
	else if (!t->any || name_compare(&n, &t->newest) > 0)
		t->newest = n;
	t->any |= n.state != NAME_GONE;
}

static int directory_read(struct totals *t)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!list) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	while ((errno = 0, e = readdir(list)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			entry_count(t, e->d_name);
	int err = errno;
	closedir(list);
	errno = err;
	return err ? -1 : 0;
}

/* --- the lines --- */

static void hex_print(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		printf("%02x", p[i]);
}

static void time_print(void)
{
	struct clocks now;
	char text[32];
	struct tm tm;

	clocks_now(&now);
	time_t t = (time_t)(now.utc_ns / NS_PER_S);
	gmtime_r(&t, &tm);
	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	printf("time %s %s\nuptime %" PRIu64 "\n", text, clocks_state_name(now.state),
	        now.boot_ns / NS_PER_S);
}

/* The first line of a small file, printable; empty when there is none. */
static void line_read(int fd, char line[LINE_BYTES_MAX])
{
	ssize_t n = fd < 0 ? 0 : fd_pread(fd, line, LINE_BYTES_MAX - 1, 0);

	line[n < 0 ? 0 : n] = 0;
	line[strcspn(line, "\n")] = 0;
	for (char *p = line; *p; p++)
		if ((unsigned char)*p < 0x20 || (unsigned char)*p >= 0x7f)
			*p = '?';
}

static void temperature_print(void)
{
	char line[LINE_BYTES_MAX], *end;

	line_read(temperature_fd, line);
	long milli = strtol(line, &end, 10);
	if (end > line && !*end)
		printf("temperature %.1f\n", (double)milli / 1000);
}

/* Renamed once more between the list and here, it is found under its next name. */
static int newest_open(struct name n)
{
	static const enum name_state next[] = {NAME_PART, NAME_CAM, NAME_SENT};
	int fd = -1;

	for (size_t i = 0; i < sizeof next / sizeof *next && fd < 0; i++) {
		char text[NAME_BYTES_MAX];
		n.state = next[i];
		name_put(text, &n);
		fd = openat(dir_fd, text, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	}
	return fd;
}

static void newest_print(const struct totals *t)
{
	struct newest v;
	char name[NAME_BYTES_MAX];
	int fd = t->any ? newest_open(t->newest) : -1;

	if (fd < 0)
		return;
	if (newest_read(&v, fd) == 0) {
		name_put(name, &t->newest);
		*strrchr(name, '.') = 0;
		printf("newest %s %" PRIu32 " ", name, v.record);
		hex_print(v.mark_hash, sizeof v.mark_hash);
		printf("\nframes %" PRIu32 "\ndrops %" PRIu32 "\n", v.frames, v.drops);
		for (int i = 0; i < v.header.recipients; i++) {
			printf("recipient ");
			hex_print(v.header.slot[i].keyid, sizeof v.header.slot[i].keyid);
			putchar('\n');
		}
	}
	close(fd);
}

static void eviction_print(const struct name *n)
{
	char text[NAME_BYTES_MAX];
	name_put(text, n);
	*strrchr(text, '.') = 0;
	printf("evicted %s\n", text);
}

/* What came in the pack that was told last; then the ones after it. */
static void evictions_print(struct totals *t)
{
	unsigned left = EVICTIONS_MAX;

	if (evictions.started)
		(void)evictions_tell(&evictions, dir_fd, eviction_print, &left);
	while (left && t->packs.found) {
		evictions.pack = t->packs.pack;
		evictions.started = true;
		evictions.offset = 0;
		(void)evictions_tell(&evictions, dir_fd, eviction_print, &left);
		struct totals again = {0};
		if (!left || directory_read(&again) < 0)
			break;
		t->packs = again.packs;
	}
	printf("evictions %" PRIu64 "\n", evictions.total);
}

static void report_print(const char *audit)
{
	struct totals t = {0};
	struct statvfs fs;
	char line[LINE_BYTES_MAX];

	printf("cam-status 1\n");
	time_print();
	temperature_print();
	if (directory_read(&t) < 0)
		printf("trouble spool: %s\n", strerror(errno));
	for (int s = 0; s < STATES; s++)
		printf("spool %s %" PRIu64 " %" PRIu64 "\n", states[s], t.number[s], t.bytes[s]);
	printf("spool foreign %" PRIu64 "\n", t.foreign);
	if (fstatvfs(dir_fd, &fs) == 0)
		printf("free %" PRIu64 "\n", (uint64_t)fs.f_bavail * fs.f_frsize);
	newest_print(&t);
	evictions_print(&t);
	if (audit) {
		int fd = open(audit, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		line_read(fd, line);
		if (fd >= 0)
			close(fd);
		printf("audit %s\n", *line ? line : "none");
	}
	printf("end\n");
}

/* --- the loop --- */

/* A pipe that is empty has room for a whole report; one that is not has a reader who is behind, or none. */
static bool has_room(void)
{
	struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};
	struct stat st;
	int unread;

	if (poll(&p, 1, 0) != 1)
		return false;
	if (p.revents & POLLERR || fstat(STDOUT_FILENO, &st) < 0 || !S_ISFIFO(st.st_mode))
		return true;
	return ioctl(STDOUT_FILENO, FIONREAD, &unread) == 0 && unread == 0;
}

/* A report that would have to wait for its reader is left out: the next one says the same, and newer. */
static void loop(const char *audit, unsigned every_s)
{
	unsigned long left_out = 0;

	do {
		if (every_s && !has_room()) {
			if (!left_out++)
				msg("stdout is not read: reports are left out until it is");
			continue;
		}
		if (left_out)
			msg("stdout is read again: %lu reports were left out", left_out);
		left_out = 0;
		report_print(audit);
		if (fflush(stdout) != 0) {
			if (errno == EPIPE)
				return;
			die_errno(EXIT_TEMPORARY, "stdout");
		}
	} while (every_s && !stop_asked((int)every_s * 1000));
}

int main(int argc, char **argv)
{
	const char *audit = NULL;
	unsigned every_s = EVERY_S;
	int once = 0, ready = -1, c;

	msg_init("cam-status");
	stop_init();
	while ((c = opt_next(argc, argv, "1a:D:s:Z:", "", usage)) != -1)
		switch (c) {
		case '1': once = 1; break;
		case 'a': audit = optarg; break;
		case 'D': ready = opt_ready_fd(); break;
		case 's': every_s = (unsigned)opt_number('s', 1, 86400); break;
		case 'Z': sandbox_waive(optarg); break;
		default: die(EXIT_BUG, "-%c: not handled", c);
		}
	if (argc - optind != 1)
		die(EXIT_USAGE, "usage: %s", usage);
	msg_service();
	dir_fd = open(argv[optind], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		die_errno(EXIT_TEMPORARY, "%s", argv[optind]);
	temperature_fd = open(temperature, O_RDONLY | O_CLOEXEC);
	setvbuf(stdout, NULL, _IOFBF, OUT_BYTES);
	/* The line of the audit is replaced by rename: its folder is allowed. */
	char *folder = audit ? strdup(audit) : NULL;
	if (audit && !folder)
		die_errno(EXIT_TEMPORARY, "memory");
	const char *slash = folder ? strrchr(folder, '/') : NULL;
	if (slash)
		folder[slash - folder] = 0;
	sandbox_enter(&profile_status,
	        (const char *const[]){argv[optind], !audit  ? NULL
	                                            : slash ? folder
	                                                    : "."},
	        2);
	free(folder);
	ready_say(ready);
	loop(audit, once ? 0 : every_s);
	return EXIT_OK;
}
