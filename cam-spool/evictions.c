#define _GNU_SOURCE
#include "evictions.h"

#include "fdio.h"
#include "record.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char filling[] = ".part";

int evictions_unfinished(const char *entry, struct name *pack)
{
	char text[NAME_BYTES_MAX];
	size_t n = strlen(entry), suffix = sizeof filling - 1;

	if (n <= suffix || n - suffix >= sizeof text || strcmp(entry + n - suffix, filling) != 0)
		return -1;
	memcpy(text, entry, n - suffix);
	text[n - suffix] = 0;
	return name_parse(text, pack) == 0 && pack->state == NAME_GONE ? 0 : -1;
}

void evictions_seen(const struct evictions *e, struct evictions_next *next, const struct name *pack)
{
	if (e->started && name_compare(pack, &e->pack) <= 0)
		return;
	if (next->found && name_compare(pack, &next->pack) >= 0)
		return;
	next->found = true;
	next->pack = *pack;
}

static int pack_open(int dir_fd, const struct name *pack)
{
	static const struct {
		enum name_state state;
		const char *behind;
	} as[] = {{NAME_GONE, filling}, {NAME_GONE, ""}, {NAME_SENT, ""}};
	struct name n = *pack;
	int fd = -1;

	/* in the order in which it is renamed, so that it is found under one of its names */
	for (size_t i = 0; i < sizeof as / sizeof *as && fd < 0; i++) {
		char text[NAME_BYTES_MAX], path[NAME_BYTES_MAX + sizeof filling];
		n.state = as[i].state;
		name_put(text, &n);
		snprintf(path, sizeof path, "%s%s", text, as[i].behind);
		fd = openat(dir_fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	}
	return fd;
}

static void header_name(struct name *out, const struct record_header *h)
{
	*out = (struct name){.epoch = h->epoch,
	        .segment = h->prefix.segment,
	        .utc_s = h->utc_ns < 0 ? 0 : (uint64_t)h->utc_ns / 1000000000,
	        .state = NAME_CAM};
	memcpy(out->stream, h->prefix.stream, sizeof out->stream);
}

int evictions_tell(struct evictions *e, int dir_fd, void (*tell)(const struct name *n), unsigned *left)
{
	uint8_t p[RECORD_BYTES_MAX];
	int fd = pack_open(dir_fd, &e->pack);
	ssize_t n;

	if (fd < 0)
		return -1;
	/* Header, mark, header, mark; a header is told when it is whole, and a mark is passed over. */
	while (*left && (n = fd_pread(fd, p, sizeof p, (off_t)e->offset)) > 0) {
		struct record_prefix x;
		struct record_header h;
		if (record_prefix_parse(p, (size_t)n, &x) < 0 || n < (ssize_t)x.length ||
		        x.type == RECORD_DATA)
			break;
		if (x.type == RECORD_HEADER) {
			struct name name;
			if (record_header_parse(p, x.length, &h) < 0)
				break;
			header_name(&name, &h);
			tell(&name);
			e->total++;
			(*left)--;
		}
		e->offset += x.length;
	}
	close(fd);
	return 0;
}
