/* make-records: a stream of valid records on stdout, one write each, and the same bytes by segment as
 * NAME.cam in a folder (-w), to compare with. The last segment can stop without its end record (-x). */
#define _GNU_SOURCE
#include "stream.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static uint64_t segments = 1, records = 20, bytes, every = 5, pace_us, seed = 1, epoch = 1, recipients = 1;
static int64_t utc_s = 1767225600;
static int no_end, copies = -1, copy = -1;

static void put(const uint8_t *p, size_t n)
{
	if ((copy >= 0 && write(copy, p, n) != (ssize_t)n) || write(1, p, n) != (ssize_t)n) {
		perror("make-records");
		exit(111);
	}
	if (pace_us) {
		struct timespec t = {
		        .tv_sec = (time_t)(pace_us / 1000000), .tv_nsec = (long)(pace_us % 1000000) * 1000};
		nanosleep(&t, NULL);
	}
}

static void copy_begin(const struct stream *s)
{
	struct name n;
	char text[NAME_BYTES_MAX];

	if (copies < 0)
		return;
	stream_name(s, &n);
	name_put(text, &n);
	if (copy >= 0)
		close(copy);
	copy = openat(copies, text, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (copy < 0) {
		perror(text);
		exit(111);
	}
}

/* Sizes and content from the seed, so that two runs are the same. */
static void payloads(uint8_t *content, uint8_t sizes[4], uint64_t i)
{
	uint8_t key[randombytes_SEEDBYTES] = {0};

	for (int b = 0; b < 8; b++) {
		key[b] = (uint8_t)(i >> 8 * b);
		key[8 + b] = (uint8_t)(seed >> 8 * b);
		key[16 + b] = (uint8_t)(epoch >> 8 * b);
	}
	randombytes_buf_deterministic(sizes, 4, key);
	key[31] = 1;
	randombytes_buf_deterministic(content, RECORD_PAYLOAD_BYTES_MAX, key);
}

static void segment(struct stream *s, uint64_t number)
{
	uint8_t p[RECORD_BYTES_MAX], content[RECORD_PAYLOAD_BYTES_MAX], sizes[4];

	size_t n = stream_header(s, p, (int)recipients);
	copy_begin(s);
	put(p, n);
	for (uint64_t i = 0; i < records; i++) {
		payloads(content, sizes, number * records + i);
		/* Half of them full, as in video */
		size_t size = bytes          ? bytes
		              : sizes[0] & 1 ? RECORD_PAYLOAD_BYTES_MAX
		                             : 1 + (size_t)(sizes[1] | sizes[2] << 8) % 4055;
		put(p, stream_data(s, p, content, size));
		if ((i + 1) % every == 0 && i + 1 < records)
			put(p, stream_checkpoint(s, p));
	}
	if (!no_end || number + 1 < segments)
		put(p, stream_end(s, p));
}

int main(int argc, char **argv)
{
	struct stream s;
	uint64_t first = 0;
	int c;

	while ((c = getopt(argc, argv, "n:r:b:m:p:s:e:t:f:k:w:x")) != -1) {
		uint64_t v = c == 'x' || c == 'w' ? 0 : strtoull(optarg, NULL, 10);
		switch (c) {
		case 'n': segments = v; break;
		case 'r': records = v; break;
		case 'b': bytes = v; break;
		case 'm': every = v; break;
		case 'p': pace_us = v; break;
		case 's': seed = v; break;
		case 'e': epoch = v; break;
		case 't': utc_s = strtoll(optarg, NULL, 10); break;
		case 'f': first = v; break;
		case 'k': recipients = v; break;
		case 'x': no_end = 1; break;
		case 'w': copies = open(optarg, O_RDONLY | O_DIRECTORY); break;
		default: return 100;
		}
	}
	if (sodium_init() < 0 || bytes > RECORD_PAYLOAD_BYTES_MAX)
		return 100;
	stream_init(&s, (uint32_t)seed, epoch, utc_s * 1000000000);
	s.segment = (uint32_t)first;
	for (uint64_t i = 0; i < segments; i++) {
		segment(&s, i);
		s.utc_ns += 10000000000;
	}
	stream_free(&s);
	return 0;
}
